"""Order across processes: members are killed one after the other, the broker once, and each key's messages stay in order.

The run is short here, with locks that end soon; `make soak` gives it two minutes and Java's times (`ORDER_SECONDS`).
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest
import trio
from tests.support.processes import Program, Server, broker, name_server

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS: Final = float(os.environ.get("ORDER_SECONDS", "12"))
FULL: Final = "ORDER_SECONDS" in os.environ

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS * 3 + 240)]

MEMBER: Final = Path(__file__).parents[1] / "support" / "ordered_member.py"
TOPIC: Final = "orders"
QUEUES: Final = 12
MEMBERS: Final = 3
KEYS: Final = 64
SENDERS: Final = 8
PAUSE: Final = 0.04
"""Seconds between two sends of one sender: some two hundred messages a second in all."""


class Timings(NamedTuple):
    """Seconds: of the broker's locks, of the client's (renew, valid, retry), and between two kills."""

    lock: float
    renew: float
    valid: float
    retry: float
    kill: float


TIMINGS: Final = Timings(60, 20, 30, 3, 10) if FULL else Timings(5, 0.7, 2, 0.3, 3)


class Member(Program):
    """A consumer in a process of its own."""

    def __init__(self, namesrv: str) -> None:
        super().__init__([])
        times = (TIMINGS.renew, TIMINGS.valid, TIMINGS.retry)
        self.arguments = [sys.executable, str(MEMBER), namesrv, "ledger", TOPIC, *map(str, times)]
        self.killed_at: int | None = None

    def shoot(self) -> None:
        """SIGKILL; whatever it had in work ends with it."""
        self.kill()
        self.killed_at = time.monotonic_ns()


@dataclass
class Work:
    """One message in the hands of one member."""

    member: int
    queue: str
    key: str
    number: int
    begin: int
    end: int


def work_of(index: int, member: Member) -> Iterator[Work]:
    """What a member has printed; what it did not end was ended by its death, or goes on."""
    open_work: dict[tuple[str, str], Work] = {}
    for line in member.out.text().splitlines():
        match line.split():
            case ["begin", queue, offset, body, at]:
                key, _, number = body.partition(":")
                open_work[queue, offset] = Work(index, queue, key, int(number), int(at), 0)
            case ["end", queue, offset, at]:
                work = open_work.pop((queue, offset))
                work.end = int(at)
                yield work
    for work in open_work.values():
        work.end = member.killed_at or time.monotonic_ns()
        yield work


class Run:
    """Servers, members, and what has been sent."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._directory = directory
        self._stack = stack
        self.namesrv = stack.enter_context(name_server(directory / "names")).ready["namesrv"]
        (directory / "broker.toml").write_text(f"lock_time = {int(TIMINGS.lock * 1000)}\n")
        self._broker = self._start_broker(0)
        self.members: list[Member] = []
        self.sent: dict[str, int] = {}
        self.done_sending = False

    def _start_broker(self, port: int) -> Server:
        config = self._directory / "broker.toml"
        started = broker(self._directory / "broker", "broker-a", self.namesrv, "-c", str(config), port=port)
        return self._stack.enter_context(started)

    def add_member(self) -> None:
        """One more, when it is in the group."""
        member = self._stack.enter_context(Member(self.namesrv))
        self.members.append(member)
        member.out.wait_for("ready")

    def kill_oldest_member(self) -> None:
        next(each for each in self.members if each.killed_at is None).shoot()

    def restart_broker(self) -> None:
        port = int(self._broker.ready["broker"].rpartition(":")[2])
        self._broker.kill()
        self._broker = self._start_broker(port)

    def work(self) -> list[Work]:
        """Everything that was worked on, in the order in which it was begun."""
        done = itertools.chain.from_iterable(work_of(*each) for each in enumerate(self.members))
        return sorted(done, key=lambda work: work.begin)

    async def send(self, client: rmq.Client, sender: int) -> None:
        """Number the messages of some keys; the next of a key only once the one before is stored."""
        producer = client.producer("shop")
        keys = [f"k{number}" for number in range(sender, KEYS, SENDERS)]
        for key in itertools.cycle(keys):
            if self.done_sending:
                return
            number = self.sent.get(key, 0)
            try:
                await producer.send(TOPIC, f"{key}:{number}".encode(), order_key=key)
            except rmq.RocketMQError:
                await trio.sleep(0.1)  # while the broker is away; the same again, which may store it twice
                continue
            self.sent[key] = number + 1
            await trio.sleep(PAUSE)

    async def trouble(self) -> None:
        """Kill the oldest member again and again, and in the middle the broker."""
        rounds = int(SECONDS // TIMINGS.kill)
        for number in range(rounds):
            await trio.sleep(TIMINGS.kill)
            await trio.to_thread.run_sync(self.kill_oldest_member)
            await trio.to_thread.run_sync(self.add_member)
            if number == rounds // 2:
                await trio.to_thread.run_sync(self.restart_broker)

    async def until_all_is_done(self) -> None:
        """Until every message that was stored has been worked on."""
        with trio.fail_after(TIMINGS.lock * 2 + 60):
            while any(last < self.sent[key] - 1 for key, last in self.last_done().items()):  # noqa: ASYNC110
                await trio.sleep(0.2)  # other processes print: there is no one thing to wait for

    def last_done(self) -> dict[str, int]:
        last = dict.fromkeys(self.sent, -1)
        for work in self.work():
            last[work.key] = max(last[work.key], work.number)
        return last


async def test_order_survives_the_deaths_of_members_and_of_the_broker(tmp_path: Path) -> None:
    with ExitStack() as stack:
        run = Run(tmp_path, stack)
        async with rmq.connect(run.namesrv) as client:
            await client.admin.create_topic(TOPIC, queues=QUEUES)
            for _ in range(MEMBERS):
                await trio.to_thread.run_sync(run.add_member)
            async with trio.open_nursery() as nursery:
                for sender in range(SENDERS):
                    nursery.start_soon(run.send, client, sender)
                await run.trouble()
                run.done_sending = True
        await run.until_all_is_done()
        work = run.work()

    assert len(run.sent) == KEYS
    assert sum(run.sent.values()) > SECONDS * 10
    for key, count in run.sent.items():
        assert first_times(work, key) == list(range(count)), key
    assert overlaps(work) == []
    assert len({each.member for each in work}) > MEMBERS, "those that came later worked too"


def first_times(work: list[Work], key: str) -> list[int]:
    """The numbers of a key's messages in the order in which they were worked on, redeliveries left out."""
    return list(dict.fromkeys(each.number for each in work if each.key == key))


def overlaps(work: list[Work]) -> list[tuple[Work, Work]]:
    """Work on one queue that began before the work on its message before had ended."""
    queues: defaultdict[str, list[Work]] = defaultdict(list)
    for each in work:
        queues[each.queue].append(each)
    pairs = itertools.chain.from_iterable(itertools.pairwise(each) for each in queues.values())
    return [(before, after) for before, after in pairs if after.begin < before.end]
