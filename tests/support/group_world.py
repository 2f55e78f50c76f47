"""Brokers of a few lines for the client's own code to share queues over: no bytes, no threads, virtual time.

They keep messages, positions and members, tell members of changes, go away and come back, and check at every commit that
no message below it is unfinished.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trio
from tests.support.records import batch, record

from rocketmq_lite.client.remote import Remote
from rocketmq_lite.errors import ConnectError, ConnectionLost, TopicNotFound
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import BrokerData, QueueData, TopicRouteData
from rocketmq_lite.protocol.pulls import PullAnswer, PullStatus
from rocketmq_lite.protocol.reserved import RETRY_PREFIX

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

    from rocketmq_lite.client.engine.subscription import Subscription
    from rocketmq_lite.client.heartbeats import Heartbeats
    from rocketmq_lite.protocol.bodies import HeartbeatData

HOLD_SECONDS = 15.0


@dataclass
class GroupBroker:
    """One broker."""

    name: str
    up: bool = True
    members: dict[str, Heartbeats] = field(default_factory=dict)
    went_down: trio.Event = field(default_factory=trio.Event)


class GroupWorld:
    """Brokers, one topic, one group.

    Args:
        chance: Decides how long answers take.
        queues: Of the topic on each broker.
    """

    def __init__(self, chance: random.Random, brokers: Iterable[str], *, queues: int) -> None:
        self.chance = chance
        self.brokers = {name: GroupBroker(name) for name in brokers}
        self.queues = queues
        self.stored: defaultdict[MessageQueue, list[bytes]] = defaultdict(list)
        self.positions: dict[MessageQueue, int] = {}
        self.finished: defaultdict[MessageQueue, set[int]] = defaultdict(set)
        self.retry_topic = ""
        self._arrived = trio.Event()

    # --- what a schedule does

    def store(self, queue: MessageQueue, body: bytes, *, attempt: int = 0) -> None:
        """A message comes."""
        self.stored[queue].append(record(len(self.stored[queue]), body, attempt=attempt))
        self._arrived.set()
        self._arrived = trio.Event()

    def stop_broker(self, name: str) -> None:
        """A broker goes away, and forgets who was connected."""
        broker = self.brokers[name]
        broker.up = False
        members, broker.members = broker.members, {}
        broker.went_down.set()
        for heartbeats in members.values():
            heartbeats.disconnected(name)

    def start_broker(self, name: str) -> None:
        """It is back."""
        self.brokers[name].up = True
        self.brokers[name].went_down = trio.Event()

    def drop(self, client_id: str) -> None:
        """The connections of a client have ended."""
        for broker in self.brokers.values():
            if broker.members.pop(client_id, None) is not None:
                self.notify(broker)

    def notify(self, broker: GroupBroker) -> None:
        """Tell members that members have changed."""
        for heartbeats in broker.members.values():
            heartbeats.members_changed("g")

    def commit(self, queue: MessageQueue, offset: int) -> None:
        """Keep a position, which may not pass an unfinished message."""
        unfinished = set(range(offset)) - self.finished[queue]
        assert not unfinished, f"position {offset} of {queue} passes {sorted(unfinished)}"
        self.positions[queue] = offset

    async def arrival_within(self, seconds: float, broker: GroupBroker) -> None:
        """Wait for any message, or for the broker to go down."""
        arrived = self._arrived
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:

                async def wait(event: trio.Event) -> None:
                    await event.wait()
                    nursery.cancel_scope.cancel()

                nursery.start_soon(wait, arrived)
                nursery.start_soon(wait, broker.went_down)


class WorldRemote(Remote):
    """One client's calls; after :meth:`die` none arrives."""

    def __init__(self, world: GroupWorld) -> None:
        self.world = world
        self.heartbeats: Heartbeats | None = None
        self.dead = False

    def die(self) -> None:
        """The process is gone."""
        self.dead = True

    async def _reach(self, address: str) -> GroupBroker:
        await trio.sleep(self.world.chance.uniform(0.001, 0.02))
        broker = self.world.brokers[address]
        if self.dead:
            raise ConnectionLost("the process was killed")
        if not broker.up:
            raise ConnectError(f"{address} is down")
        return broker

    async def route(self, address: str, topic: str) -> TopicRouteData:  # noqa: ARG002 - one name server
        """The brokers that are up."""
        await trio.sleep(0.001)
        is_retry = topic.startswith(RETRY_PREFIX)
        if is_retry and topic != self.world.retry_topic:
            raise TopicNotFound(17, "no such topic")
        count = 1 if is_retry else self.world.queues
        return TopicRouteData(
            queue_datas=tuple(QueueData(name, count, count, 6) for name in self.world.brokers),
            broker_datas=tuple(BrokerData("C", name, {0: name}) for name in self.world.brokers),
        )

    async def heartbeat(self, address: str, data: HeartbeatData) -> None:
        """Be known; the first one of a group makes its retry topic."""
        broker = await self._reach(address)
        assert self.heartbeats is not None
        if not data.consumer_data_set:
            return
        self.world.retry_topic = f"{RETRY_PREFIX}{data.consumer_data_set[0].group_name}"
        if data.client_id not in broker.members:
            broker.members[data.client_id] = self.heartbeats
            self.world.notify(broker)

    async def unregister(self, address: str, client_id: str, **_groups: Any) -> None:
        """Be forgotten."""
        broker = await self._reach(address)
        if broker.members.pop(client_id, None) is not None:
            self.world.notify(broker)

    async def consumer_ids(self, address: str, group: str) -> tuple[str, ...]:  # noqa: ARG002 - one group
        """Who is known."""
        return tuple((await self._reach(address)).members)

    async def query_offset(self, address: str, group: str, queue: MessageQueue) -> int | None:  # noqa: ARG002
        """A position."""
        await self._reach(address)
        return self.world.positions.get(queue)

    async def update_offset(
        self,
        address: str,
        group: str,  # noqa: ARG002
        queue: MessageQueue,
        offset: int,
        *,
        wait: bool,  # noqa: ARG002
    ) -> None:
        """Keep a position."""
        await self._reach(address)
        self.world.commit(queue, offset)

    async def min_offset(self, address: str, queue: MessageQueue) -> int:  # noqa: ARG002
        """All messages are kept."""
        await self._reach(address)
        return 0

    async def pull(
        self,
        address: str,
        group: str,  # noqa: ARG002
        queue: MessageQueue,
        *,
        offset: int,
        count: int,
        commit_offset: int | None,
        sub_version: int,  # noqa: ARG002
        wanted: Subscription | None = None,  # noqa: ARG002
        take: Callable[[PullAnswer], None] | None = None,
    ) -> PullAnswer:
        """Messages, or after a while none."""
        broker = await self._reach(address)
        if commit_offset:
            self.world.commit(queue, commit_offset)
        deadline = trio.current_time() + HOLD_SECONDS
        while not (found := self.world.stored[queue][offset : offset + count]):
            left = deadline - trio.current_time()
            if left <= 0:
                break
            await self.world.arrival_within(left, broker)
            if not broker.up or self.dead:
                raise ConnectionLost("the broker went down")
        end = len(self.world.stored[queue])
        status = PullStatus.FOUND if found else PullStatus.NOTHING
        answer = PullAnswer(status, offset + len(found), end, 0, batch(found))
        if take is not None:
            take(answer)
        return answer

    async def send_back(
        self,
        address: str,
        group: str,  # noqa: ARG002
        queue: MessageQueue,
        raw: Any,
        **_options: Any,
    ) -> None:
        """The message is the retry topic's now."""
        await self._reach(address)
        self.world.finished[queue].add(raw.queue_offset)
        self.world.store(
            MessageQueue(self.world.retry_topic, address, 0), raw.body, attempt=raw.reconsume_times + 1
        )
