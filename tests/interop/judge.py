"""Apache's clients, driven from Python: one process for many requests (java/src/main/java/judge, go)."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import subprocess
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# One whole line of Judge's output: an event of a request.
Event = dict[str, Any]

_EVENT_SECONDS = 60.0
# Properties that clients and brokers add on their own account (MessageConst); the rest is the user's.
_ADDED_PROPERTIES = frozenset(
    {"CLUSTER", "CONSUME_START_TIME", "MAX_OFFSET", "MIN_OFFSET", "MSG_REGION", "TRACE_ON"}
    | {"KEYS", "TAGS", "UNIQ_KEY", "WAIT"}
)


class JudgeError(Exception):
    """The Java side failed; ``code`` is the broker's or the client's number for it, where there is one."""

    def __init__(self, event: Event) -> None:
        super().__init__(f"{event.get('error')}: {event.get('message')}")
        self.code: int | None = event.get("code")


@dataclass(frozen=True, slots=True)
class Sending:
    """One message for a judge to send. What it must look like at the other end is compared with this."""

    body: bytes
    tag: str | None = None
    keys: str | None = None
    properties: dict[str, str] = field(default_factory=dict)
    delay_level: int = 0
    order_key: str | None = None

    def to_json(self) -> dict[str, object]:
        """As the drivers read it."""
        members = {"body": base64.b64encode(self.body).decode(), "properties": self.properties}
        optional = {
            "tag": self.tag,
            "keys": self.keys,
            "orderKey": self.order_key,
            "delayLevel": self.delay_level or None,
        }
        return {**members, **{name: value for name, value in optional.items() if value is not None}}


def sent_as(message: Event) -> Sending:
    """What a message that a consumer got was sent as."""
    own = {key: value for key, value in message["properties"].items() if key not in _ADDED_PROPERTIES}
    return Sending(base64.b64decode(message["body"]), message.get("tag"), message.get("keys"), own)


class Exchange:
    """The events of one request."""

    def __init__(self, judge: Judge, request: int) -> None:
        self._judge = judge
        self._request = request
        self.events: queue.Queue[Event] = queue.Queue()

    def next(self, seconds: float = _EVENT_SECONDS) -> Event | None:
        """The next event, or None when the request is through.

        Raises:
            JudgeError: the request failed.
            TimeoutError: no event came in time.
        """
        try:
            event = self.events.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"no event of request {self._request} within {seconds} s") from None
        if event["event"] == "failed":
            raise JudgeError(event)
        return None if event["event"] == "done" else event

    def rest(self) -> list[Event]:
        """Every event until the request is through."""
        return list(iter(self.next, None))

    def stop(self) -> list[Event]:
        """Tell the request to end; the events that were still under way."""
        self._judge.write({"do": "stop", "id": self._request})
        return self.rest()


class Consuming:
    """A running consumer."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def take(self, count: int, seconds: float = _EVENT_SECONDS) -> list[Event]:
        """Wait for ``count`` messages, all within ``seconds``."""
        deadline = time.monotonic() + seconds
        taken: list[Event] = []
        while len(taken) < count:
            try:
                event = self._exchange.next(max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                raise TimeoutError(f"{len(taken)} of {count} messages within {seconds} s") from None
            assert event is not None, "the consumer ended by itself"
            taken.append(event)
        return taken

    async def next_message(self) -> Event:
        """The next one, waiting as long as it takes; asked for in short turns, so that a cancellation need not wait."""
        while True:
            try:
                (event,) = await trio.to_thread.run_sync(partial(self.take, 1, seconds=0.5))
            except TimeoutError:
                continue
            return event

    def finish(self) -> list[Event]:
        """Leave the group; the messages that nobody had asked for yet."""
        return self._exchange.stop()


class Judge:
    """A driver that runs requests. Any number may run at once, from any thread."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._killed = False
        self._lock = threading.Lock()
        self._exchanges: dict[int, Exchange] = {}
        self._reader = threading.Thread(target=self._read, name="judge-events", daemon=True)
        self._reader.start()

    def request(self, verb: str, **members: object) -> Exchange:
        """Start a request."""
        with self._lock:
            number = len(self._exchanges) + 1
            exchange = self._exchanges[number] = Exchange(self, number)
        self.write({"id": number, "do": verb, **members})
        return exchange

    def produce(
        self, namesrv: str, topic: str, messages: Sequence[Sending], *, mode: str, group: str
    ) -> list[Event]:
        """Send messages; one event for each, in the order of the messages.

        Raises:
            JudgeError: the broker or the client refused one of them.
        """
        texts = [message.to_json() for message in messages]
        exchange = self.request(
            "produce", namesrv=namesrv, topic=topic, messages=texts, mode=mode, group=group
        )
        events = sorted(exchange.rest(), key=lambda event: int(event["index"]))
        for event in events:
            if event["event"] == "refused":
                raise JudgeError(event)
        return events

    @contextlib.contextmanager
    def producing(self, namesrv: str, topic: str, *, group: str) -> Iterator[None]:
        """A producer that has sent a message and stays in its group."""
        exchange = self.request(
            "produce",
            namesrv=namesrv,
            topic=topic,
            messages=[Sending(b"here").to_json()],
            mode="sync",
            group=group,
            stay=True,
        )
        for expected in ("sent", "staying"):
            event = exchange.next()
            assert event is not None
            assert event["event"] == expected
        yield
        exchange.stop()

    @contextlib.contextmanager
    def consuming(
        self,
        namesrv: str,
        topic: str,
        *,
        group: str,
        expression: str = "*",
        condition: str | None = None,
        style: str = "consume",
        **options: object,
    ) -> Iterator[Consuming]:
        """A push consumer that has started; leaving stops it unless ``finish`` did.

        The style lite-pull stands for a DefaultLitePullConsumer, or Go's PullConsumer.

        It takes messages by tags, or by a condition if one is given. ``options`` are what Consume.java says of failures,
        broadcasting and order.
        """
        wanted = {"expression": expression} if condition is None else {"condition": condition}
        exchange = self.request(style, namesrv=namesrv, topic=topic, group=group, **wanted, **options)
        ready = exchange.next()
        assert ready is not None
        assert ready["event"] == "ready"
        consuming = Consuming(exchange)
        try:
            yield consuming
        finally:
            # Without waiting: after finish() there is nothing left to stop, and after a failure nobody looks.
            self.write({"do": "stop", "id": ready["id"]})

    def pulling(self, namesrv: str, topic: str, *, group: str, **options: object) -> Exchange:
        """A pull consumer that reads from the group's offsets to the ends of the queues; Pull.java says of the options."""
        return self.request("pull", namesrv=namesrv, topic=topic, group=group, **options)

    def conditions(self, cases: Sequence[tuple[str, Sequence[Mapping[str, str]]]]) -> list[str | None]:
        """What Apache's filter says of each condition and property map: T, F, N or E; None where it refuses."""
        texts = [{"condition": condition, "properties": list(maps)} for condition, maps in cases]
        [event] = self.request("conditions", cases=texts).rest()
        verdicts: list[str | None] = event["verdicts"]
        return verdicts

    def shares(self, cases: Sequence[Mapping[str, object]]) -> list[list[list[int]]]:
        """Which queues each member gets, as Allocate.java says; for each case its members' indices of queues."""
        [event] = self.request("allocate", cases=cases).rest()
        shares: list[list[list[int]]] = event["shares"]
        return shares

    def create_topic(self, namesrv: str, cluster: str, topic: str, *, queues: int = 4) -> None:
        """Create a topic on every master of the cluster."""
        self.request("create-topic", namesrv=namesrv, cluster=cluster, topic=topic, queues=queues).rest()

    def mqadmin(self, *arguments: str) -> str:
        """What a command of the admin tool printed; one runs at a time."""
        (printed,) = self.request("mqadmin", arguments=arguments).rest()
        return str(printed["text"])

    def write(self, line: dict[str, object]) -> None:
        """Hand one line to the driver, unless it was killed: then nobody is left who could be told."""
        if self._killed:
            return
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(json.dumps(line) + "\n")
            self._process.stdin.flush()

    def kill(self) -> None:
        """SIGKILL: the clients in it have no time to say anything."""
        self._killed = True
        self._process.kill()

    def close(self) -> None:
        """End the driver; what it was still doing fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # The end of its input is its signal to exit.
        self._process.stdin.close()
        try:
            self._process.wait(_EVENT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            self._exchanges[event["id"]].events.put(event)
        gone = {"event": "failed", "error": "Driver", "message": "the judge's process has ended"}
        for exchange in list(self._exchanges.values()):
            exchange.events.put(gone)


@contextlib.contextmanager
def running(command: Sequence[str], home: Path) -> Iterator[Judge]:
    """A judge that is the driver started by ``command``; what it writes goes below ``home``, its working directory."""
    environment = {**os.environ, "HOME": str(home), "TMPDIR": str(home)}
    with (home / "errors").open("wb") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=home,
            env=environment,
        )
    judge = Judge(process)
    try:
        yield judge
    finally:
        judge.close()
