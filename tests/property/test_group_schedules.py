"""Groups under schedules made by chance, in virtual time: members join, leave and crash, routes change, brokers restart.

What must hold whatever happens: no message is lost, no position passes an unfinished message, once it is quiet each queue
has exactly one reader, and without crashes nothing comes twice that the members did not count. A schedule runs the
client's own balancing, hand-over and process queues over brokers of a few lines.

``GROUP_SCHEDULES`` says how many schedules; ``make soak`` runs thousands.
"""

from __future__ import annotations

import logging
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.group_world import GroupWorld, WorldRemote
from trio.testing import MockClock

from rocketmq_lite.client.consumer import open_consumer
from rocketmq_lite.client.consumer_settings import ConsumerSettings
from rocketmq_lite.client.engine.name_servers import NameServers
from rocketmq_lite.client.engine.process_queue import QueueLimits
from rocketmq_lite.client.engine.strategies import AllocateAveragely
from rocketmq_lite.client.engine.subscription import EVERYTHING
from rocketmq_lite.client.heartbeats import Heartbeats
from rocketmq_lite.client.positions import BrokerPositions
from rocketmq_lite.client.routing import Routing
from rocketmq_lite.clock import TrioClock
from rocketmq_lite.errors import RocketMQError
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.transport.nursery import ProtectedNursery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rocketmq_lite.client.consumer import Consumer
    from rocketmq_lite.client.message import ReceivedMessage

SCHEDULES = int(os.environ.get("GROUP_SCHEDULES", "12"))
TROUBLE_SECONDS = 60.0
# Two looks at who reads what, a broker that is just back, and the longest work.
QUIET_SECONDS = 120.0
GRACE = 5.0


@dataclass
class Member:
    """A running consumer, and the ways to end it."""

    remote: WorldRemote
    crash: trio.CancelScope = field(default_factory=trio.CancelScope)
    left: trio.Event = field(default_factory=trio.Event)
    taking: list[trio.CancelScope] = field(default_factory=list)
    consumer: Consumer | None = None

    def leave(self) -> None:
        """Take nothing more, finish what is in hands, and go."""
        self.left.set()
        for scope in self.taking:
            scope.cancel()


class Schedule:
    """One run."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = GroupWorld(
            self.chance,
            ["b1", "b2"][: self.chance.randint(1, 2)],
            queues=self.chance.randint(1, 4),
        )
        self.gentle = self.chance.random() < 0.4
        """Without crashes, restarts, failures, slow work, and routes that some see earlier: all duplicates are counted."""
        self.members: dict[str, Member] = {}
        self.sent: set[bytes] = set()
        self.handled: Counter[bytes] = Counter()
        self.counted = 0
        self.joined = 0

    async def run(self) -> None:
        with trio.fail_after(1_000):
            async with trio.open_nursery() as nursery:
                self._join(nursery)
                with trio.move_on_after(TROUBLE_SECONDS):
                    await self._trouble(nursery)
                for name, broker in self.world.brokers.items():
                    if not broker.up:
                        self.world.start_broker(name)
                await trio.sleep(QUIET_SECONDS)
                self._check()
                for member in self.members.values():
                    member.leave()

    async def _trouble(self, nursery: trio.Nursery) -> None:
        while True:
            await trio.sleep(self.chance.expovariate(3))
            action = self.chance.random()
            if action < 0.75:
                self._send()
            elif action < 0.85:
                self._join(nursery)
            elif action < 0.92:
                self._part()
            elif self.gentle:
                continue
            elif action < 0.94:
                self.world.queues += self.world.queues < 6
            else:
                self._toggle_broker()

    def _send(self) -> None:
        body = b"%d" % len(self.sent)
        self.sent.add(body)
        name = self.chance.choice(sorted(self.world.brokers))
        self.world.store(MessageQueue("t", name, self.chance.randrange(self.world.queues)), body)

    def _join(self, nursery: trio.Nursery) -> None:
        if len(self.members) < 4:
            self.joined += 1
            member = Member(WorldRemote(self.world))
            client_id = f"{self.chance.randrange(100):02}-{self.joined}"
            self.members[client_id] = member
            nursery.start_soon(self._live, client_id, member)

    def _part(self) -> None:
        if len(self.members) < 2:
            return
        client_id = self.chance.choice(sorted(self.members))
        member = self.members.pop(client_id)
        if self.gentle or self.chance.random() < 0.5:
            member.leave()
            return
        member.remote.die()
        member.crash.cancel()
        self.world.drop(client_id)

    def _toggle_broker(self) -> None:
        name = self.chance.choice(sorted(self.world.brokers))
        if self.world.brokers[name].up:
            self.world.stop_broker(name)
        else:
            self.world.start_broker(name)

    # --- a member

    async def _live(self, client_id: str, member: Member) -> None:
        with member.crash:
            async with ProtectedNursery() as nursery:
                routing = Routing(member.remote, NameServers(("ns",), start=0))
                heartbeats = Heartbeats(nursery, member.remote, routing, client_id)
                member.remote.heartbeats = heartbeats
                nursery.start_soon(routing.run)
                nursery.start_soon(heartbeats.run)
                await self._consume(client_id, member, routing, heartbeats)
                nursery.cancel_scope.cancel()

    async def _consume(
        self, client_id: str, member: Member, routing: Routing, heartbeats: Heartbeats
    ) -> None:
        wanted = ConsumerSettings(
            group="g",
            topics={"t": EVERYTHING},
            start="earliest",
            limits=QueueLimits(self.chance.randint(1, 20), 1 << 20, 50),
            strategy=AllocateAveragely(),
            grace=GRACE,
            on_event=None,
            sub_version=1,
        )
        while not member.left.is_set():
            try:
                async with open_consumer(
                    wanted,
                    BrokerPositions("g", remote=member.remote, routing=routing),
                    client_id=client_id,
                    remote=member.remote,
                    routing=routing,
                    heartbeats=heartbeats,
                    find_problems=_no_problems,
                    clock=TrioClock(),
                ) as consumer:
                    member.consumer = consumer
                    async with trio.open_nursery() as nursery:
                        for _ in range(self.chance.randint(1, 4)):
                            nursery.start_soon(self._work, consumer, member)
                        await member.left.wait()
                    self.counted += consumer.statistics().duplicates
            except RocketMQError:
                await trio.sleep(1)  # nobody could be asked who else is there

    async def _work(self, consumer: Consumer, member: Member) -> None:
        """Handle messages until the member leaves; the one in hands is finished."""
        with trio.CancelScope() as taking:
            member.taking.append(taking)
            if member.left.is_set():
                return  # before this one began
            async for message in consumer:
                async with message:
                    with trio.CancelScope(shield=True):
                        await trio.sleep(self._work_seconds())
                    if not member.remote.dead:
                        self._finish(message)

    def _finish(self, message: ReceivedMessage) -> None:
        if not self.gentle and self.chance.random() < 0.05:
            raise ZeroDivisionError
        self.handled[message.body] += 1
        self.world.finished[message.queue].add(message.offset)

    def _work_seconds(self) -> float:
        if not self.gentle and self.chance.random() < 0.02:
            return 3 * GRACE
        return self.chance.uniform(0, 0.15)

    # --- what must hold

    def _check(self) -> None:
        assert self.sent == set(self.handled), f"lost {self.sent - set(self.handled)}"
        live = [member.consumer.statistics() for member in self.members.values() if member.consumer]
        queues = [queue for statistics in live for queue in statistics.queues]
        assert {queue.queue: queue.unfinished for queue in queues if queue.unfinished} == {}
        wanted = [
            MessageQueue(topic, name, queue_id)
            for name in self.world.brokers
            for topic, count in (("t", self.world.queues), (self.world.retry_topic, 1))
            for queue_id in range(count)
        ]
        assert sorted(queue.queue for queue in queues) == sorted(wanted)
        if self.gentle:
            counted = self.counted + sum(statistics.duplicates for statistics in live)
            assert sum(count - 1 for count in self.handled.values()) <= counted


async def _no_problems(_group: str) -> tuple[()]:
    await trio.lowlevel.checkpoint()
    return ()


@pytest.fixture
def _silence() -> Iterator[None]:
    """What the client says of all the trouble would hide the seed."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.slow
@pytest.mark.timeout(60 + 5 * SCHEDULES)
@pytest.mark.usefixtures("_silence")
@settings(max_examples=SCHEDULES, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_schedules_made_by_chance(seed: int) -> None:
    # Hypothesis makes Trio's own choices repeatable too, so a seed is a schedule.
    trio.run(Schedule(seed).run, clock=MockClock(autojump_threshold=0))
