"""A group of two Java members, one Go and two of ours, under load, while members leave, join and are killed.

Nothing may be lost. A message may come twice only because a queue changed hands: at a kill, what the killed member had not
committed; at a join or leave, what Java's and Go's members had not, because they let go at once and take over at once.
Between two members of ours nothing comes twice unless one of them was killed. ``MIXED_GROUP_SECONDS`` says for how long;
``make soak`` runs two minutes.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest
import trio
from tests.interop import golang
from tests.interop import judge as judges
from tests.interop.conftest import java_judge
from tests.interop.judge import sent_as
from tests.interop.servers import REQUEST_SECONDS
from tests.support.polling import poll_until

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.interop.judge import Judge
    from tests.interop.maven import Java
    from tests.interop.servers import Cluster

SECONDS = float(os.environ.get("MIXED_GROUP_SECONDS", "12"))
QUEUES = 10
MESSAGES_PER_SECOND = 100
# A killed member's queues go over when its connections close; Java's members may look only every 20 s.
DRAIN_SECONDS = 90
SEED = 20261127
_MEMBER = Path(__file__).parents[1] / "support" / "group_member.py"

pytestmark = [pytest.mark.timeout(int(240 + 4 * SECONDS))]


@pytest.fixture
def single(request: pytest.FixtureRequest) -> Cluster:
    """Our broker: what is judged here; that Apache's clients agree among themselves is not our matter."""
    lite: Cluster = request.getfixturevalue("lite_single")
    return lite


class Delivery(NamedTuple):
    """A message as one run of one member got it."""

    member: str
    kind: str
    body: str


class Log:
    """Who got what, in the order in which it came here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.deliveries: list[Delivery] = []
        self.killed: set[str] = set()

    def note(self, delivery: Delivery) -> None:
        """A member got a message."""
        with self._lock:
            self.deliveries.append(delivery)

    def bodies(self) -> set[str]:
        """What has come."""
        with self._lock:
            return {delivery.body for delivery in self.deliveries}


class Member(Protocol):
    """A running member."""

    def leave(self) -> None:
        """Go in peace."""

    def kill(self) -> None:
        """Die."""


class Ours:
    """A member of this client."""

    def __init__(self, name: str, log: Log, namesrv: str, group: str, topic: str) -> None:
        self.name = name
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, str(_MEMBER), namesrv, group, topic],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self.ready.wait(60)

    def leave(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(60) == 0
        self._forget()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._forget()

    def _forget(self) -> None:
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            self.ready.set()
            if event["event"] == "message":
                self._log.note(Delivery(self.name, "ours", event["body"]))


class Apaches:
    """A member of one of Apache's clients, in a process of its own."""

    def __init__(
        self, name: str, kind: str, log: Log, running: Callable[[], ExitStackJudge], **wanted: str
    ) -> None:
        self.name = name
        self._kind = kind
        self._log = log
        self._stack, self._judge = running()
        exchange = self._judge.request("consume", **wanted)
        assert (exchange.next() or {}).get("event") == "ready"
        self._consuming = judges.Consuming(exchange)
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def leave(self) -> None:
        self._ended.set()
        self._reader.join()
        for event in self._consuming.finish():
            self._note(event)
        self._stack.close()

    def kill(self) -> None:
        self._judge.kill()
        self._reader.join()
        self._stack.close()

    def _read(self) -> None:
        while not self._ended.is_set():
            try:
                [event] = self._consuming.take(1, seconds=0.2)
            except TimeoutError:
                continue
            except judges.JudgeError:
                return  # killed
            self._note(event)

    def _note(self, event: judges.Event) -> None:
        self._log.note(Delivery(self.name, self._kind, sent_as(event).body.decode()))


ExitStackJudge = tuple[ExitStack, "Judge"]


class Group:
    """The members, and how one of each kind is started."""

    def __init__(self, starters: dict[str, Callable[[str], Member]], kinds: list[str], log: Log) -> None:
        self._starters = starters
        self._log = log
        self._started = 0
        self.members: dict[str, tuple[str, Member]] = {}
        for kind in kinds:
            self.start(kind)

    def start(self, kind: str) -> None:
        """One more of a kind."""
        self._started += 1
        name = f"{kind}-{self._started}"
        self.members[name] = (kind, self._starters[kind](name))

    def replace(self, name: str, *, kill: bool) -> None:
        """End a member, and start another of its kind."""
        kind, member = self.members.pop(name)
        if kill:
            self._log.killed.add(name)
            member.kill()
        else:
            member.leave()
        self.start(kind)

    def end(self) -> None:
        """All leave."""
        for _, member in self.members.values():
            member.leave()


@pytest.fixture
def group(
    java: Java, single: Cluster, name: str, json_judge: Judge, tmp_path: Path
) -> Iterator[tuple[Group, Log]]:
    json_judge.create_topic(single.namesrv, single.name, name, queues=QUEUES)
    log = Log()
    wanted = {"namesrv": single.namesrv, "topic": name, "group": f"{name}-group"}

    def judge(kind: str, member: str) -> ExitStackJudge:
        home = tmp_path / member
        home.mkdir()
        stack = ExitStack()
        running = java_judge(java, home) if kind == "java" else judges.running([str(golang.build())], home)
        return stack, stack.enter_context(running)

    def apaches(kind: str) -> Callable[[str], Member]:
        return lambda member: Apaches(member, kind, log, lambda: judge(kind, member), **wanted)

    starters: dict[str, Callable[[str], Member]] = {
        "java": apaches("java"),
        "go": apaches("go"),
        "ours": lambda member: Ours(member, log, single.namesrv, wanted["group"], name),
    }
    started = Group(starters, ["java", "java", "go", "ours", "ours"], log)
    try:
        yield started, log
    finally:
        started.end()


def test_nothing_is_lost_and_what_comes_twice_is_explained(
    group: tuple[Group, Log], single: Cluster, name: str
) -> None:
    members, log = group
    sent: list[str] = []
    over = threading.Event()
    sender = threading.Thread(target=trio.run, args=(_send, single.namesrv, name, sent, over))
    sender.start()
    try:
        _trouble(members)
    finally:
        over.set()
        sender.join()
    # Members are processes and threads: there is no event for the last message.
    poll_until(lambda: set(sent) - log.bodies(), lambda missing: not missing, within=DRAIN_SECONDS)
    assert len(sent) > SECONDS * MESSAGES_PER_SECOND / 4
    unexplained = _unexplained(log)
    assert unexplained == []


def _trouble(members: Group) -> None:
    """Kill and replace members one after the other, of every kind first."""
    chance = random.Random(SEED)
    until = time.monotonic() + SECONDS
    kinds = ["ours", "java", "go"]
    while time.monotonic() < until:
        kind = kinds.pop(0) if kinds else chance.choice(["ours", "java", "go"])
        names = [name for name, (each, _) in members.members.items() if each == kind]
        members.replace(chance.choice(names), kill=chance.random() < 0.6 or bool(kinds))
        time.sleep(min(3.0, max(0.0, until - time.monotonic())))  # the load goes on


async def _send(namesrv: str, topic: str, sent: list[str], over: threading.Event) -> None:
    async with rmq.connect(namesrv, request_timeout=REQUEST_SECONDS) as client:
        producer = client.producer(f"{topic}-producer")
        while not over.is_set():
            body = f"message {len(sent)}"
            await producer.send(topic, body.encode())
            sent.append(body)
            await trio.sleep(1 / MESSAGES_PER_SECOND)


def _unexplained(log: Log) -> list[tuple[Delivery, Delivery]]:
    """Messages that came twice without a kill and without a member of Apache's clients taking part."""
    first: dict[str, Delivery] = {}
    found = []
    counts: defaultdict[str, int] = defaultdict(int)
    for delivery in log.deliveries:
        before = first.setdefault(delivery.body, delivery)
        if before is delivery:
            continue
        crashed = before.member in log.killed
        counts["after a kill" if crashed else f"from {before.kind} to {delivery.kind}"] += 1
        if not crashed and {before.kind, delivery.kind} == {"ours"}:
            found.append((before, delivery))
    print(f"{len(first)} messages; came twice: {dict(counts) or 'none'}")
    return found
