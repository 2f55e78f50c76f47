"""Consuming: which queues are ours, handing their messages out, and committing what is done.

Several things run while the block of a consumer is open, all in its nursery: one reader a queue, the
balancer (every 20 seconds, and at once when a broker says that members changed or a route changed), and
the committer (every 5 seconds). The iteration itself only takes from the inbox that the readers fill.
"""

from __future__ import annotations

import logging
import math
import warnings
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, Self, final

import trio

from rocketmq_lite.client.engine.balance import allocate_averagely, plan_change
from rocketmq_lite.client.engine.inbox import Inbox
from rocketmq_lite.client.engine.names import TAGS
from rocketmq_lite.client.engine.retry import redelivery_pause
from rocketmq_lite.client.heartbeats import GOODBYE_TIMEOUT
from rocketmq_lite.client.message import ReceivedMessage
from rocketmq_lite.client.reader import QueueReader
from rocketmq_lite.client.routing import UNREACHABLE
from rocketmq_lite.errors import BrokerError, ClientClosed, ConnectError, RocketMQError
from rocketmq_lite.protocol.bodies import ConsumerData, SubscriptionData
from rocketmq_lite.transport.nursery import background_nursery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from rocketmq_lite.client.engine.process_queue import Delivery, ProcessQueue, QueueLimits
    from rocketmq_lite.client.engine.subscription import TagExpression
    from rocketmq_lite.client.heartbeats import Heartbeats
    from rocketmq_lite.client.reader import QueueStatistics
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import RawMessage

__all__ = [
    "Consumer",
    "ConsumerSettings",
    "ConsumerStatistics",
    "Start",
    "UnacknowledgedWarning",
    "open_consumer",
]

_log = logging.getLogger(__name__)

Start = Literal["latest", "earliest"] | datetime
"""Where a group begins to read that has no position yet."""

_BALANCE_INTERVAL: Final = 20.0
"""Seconds between two looks at who reads what (Java's ``rebalance`` wait interval)."""
_BALANCE_RETRY: Final = 1.0
"""Seconds after a look that failed (Java's ``minInterval``)."""
_COMMIT_INTERVAL: Final = 5.0
"""Seconds between two commits of offsets (Java's ``persistConsumerOffsetInterval``)."""


class UnacknowledgedWarning(UserWarning):
    """All messages that a consumer may hold were handed out and none was entered: nothing more will come."""


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """What a consumer was asked to do.

    Attributes:
        group: The consumer group.
        topics: Which messages of which topics.
        start: Where to begin without a position.
        limits: How much of one queue may be unacknowledged.
        sub_version: Tells this subscription from an older one of the same client; a wall time.
    """

    group: str
    topics: Mapping[str, TagExpression]
    start: Start
    limits: QueueLimits
    sub_version: int


@dataclass(frozen=True, slots=True)
class ConsumerStatistics:
    """A snapshot of a consumer.

    Attributes:
        queues: The queues it reads now.
        waiting: Messages pulled and not handed out, those that pause after a failure included.
        delivered: Messages handed out, each delivery counted.
        acknowledged: Messages acknowledged.
        failed: Deliveries that ended with an exception.
        filtered: Messages that only shared the hash of a tag, and were skipped.
    """

    queues: tuple[QueueStatistics, ...]
    waiting: int
    delivered: int
    acknowledged: int
    failed: int
    filtered: int


@asynccontextmanager
async def open_consumer(
    settings: ConsumerSettings, *, client_id: str, remote: Remote, routing: Routing, heartbeats: Heartbeats
) -> AsyncIterator[Consumer]:
    """A member of a consumer group for as long as the block lasts; see ``Client.consumer``."""
    for topic in settings.topics:
        await routing.ensure(topic)
    async with background_nursery() as nursery:
        consumer = Consumer(
            settings, nursery, client_id=client_id, remote=remote, routing=routing, heartbeats=heartbeats
        )
        heartbeats.join_consumer(_membership(settings), consumer.balance_soon)
        routing.subscribe(consumer.balance_soon)
        try:
            await heartbeats.beat()
            await consumer.balance()
            nursery.start_soon(consumer.run_balancer)
            nursery.start_soon(consumer.run_committer)
            yield consumer
        finally:
            routing.unsubscribe(consumer.balance_soon)
            await consumer.close()
            await heartbeats.leave_consumer(settings.group)


def _membership(settings: ConsumerSettings) -> ConsumerData:
    """The group as a heartbeat tells it; where a new group begins is decided here, not by the broker."""
    return ConsumerData(
        group_name=settings.group,
        consume_type="CONSUME_PASSIVELY",
        message_model="CLUSTERING",
        consume_from_where="CONSUME_FROM_LAST_OFFSET",
        subscription_data_set=tuple(
            SubscriptionData(
                topic=topic,
                sub_string=expression.text,
                tags_set=expression.tags,
                code_set=expression.codes,
                sub_version=settings.sub_version,
            )
            for topic, expression in settings.topics.items()
        ),
    )


@final
class Consumer:
    """The messages of a consumer group's queues that are ours; iterate over it.

    Made by :meth:`Client.consumer`. Several tasks may iterate over one consumer; each message goes to one
    of them. Cancelling the iteration loses nothing.
    """

    def __init__(
        self,
        settings: ConsumerSettings,
        nursery: trio.Nursery,
        *,
        client_id: str,
        remote: Remote,
        routing: Routing,
        heartbeats: Heartbeats,
    ) -> None:
        self._settings = settings
        self._nursery = nursery
        self._client_id = client_id
        self._remote = remote
        self._routing = routing
        self._heartbeats = heartbeats
        self._readers: dict[MessageQueue, QueueReader] = {}
        self._inbox: Inbox[RawMessage] = Inbox()
        self._iterating = trio.lowlevel.ParkingLot()
        self._balance_wanted = trio.Event()
        self._closed = False
        self._warned = False
        self._delivered = self._acknowledged = self._failed = self._filtered = 0

    @property
    def group(self) -> str:
        """The consumer group."""
        return self._settings.group

    @property
    def queues(self) -> tuple[MessageQueue, ...]:
        """The queues that this member reads now."""
        return tuple(sorted(self._readers))

    def statistics(self) -> ConsumerStatistics:
        """A snapshot."""
        return ConsumerStatistics(
            queues=tuple(self._readers[queue].statistics() for queue in self.queues),
            waiting=len(self._inbox),
            delivered=self._delivered,
            acknowledged=self._acknowledged,
            failed=self._failed,
            filtered=self._filtered,
        )

    # --- iterating ------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ReceivedMessage:
        """The next message, waiting for one as long as it takes.

        Raises:
            ClientClosed: The block of the consumer has ended.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        while (message := self._take()) is None:
            self._warn_if_stuck()
            due = self._inbox.next_due()
            with trio.move_on_at(math.inf if due is None else due):
                await self._iterating.park()
        await trio.lowlevel.cancel_shielded_checkpoint()
        return message

    def _take(self) -> ReceivedMessage | None:
        if self._closed:
            raise ClientClosed(f"the consumer of group {self.group!r} has been closed")
        delivery = self._inbox.take(trio.current_time())
        if delivery is None:
            return None
        self._delivered += 1
        self._room_changed(delivery)
        return ReceivedMessage(delivery, self)

    def _warn_if_stuck(self) -> None:
        if self._warned or not any(reader.process_queue.is_stuck() for reader in self._readers.values()):
            return
        self._warned = True
        warnings.warn(
            f"consumer group {self.group!r} holds {self._settings.limits.messages} messages of a queue that were"
            " handed out and never entered: that queue delivers nothing more (use 'async with message')",
            UnacknowledgedWarning,
            stacklevel=3,
        )

    # --- what happened to a message (Settlement) --------------------------------------------------------

    def acknowledged(self, delivery: Delivery[RawMessage]) -> None:
        """The user has worked on it; the committer tells the broker."""
        self._acknowledged += 1
        self._warned = False
        self._room_changed(delivery)

    def failed(self, delivery: Delivery[RawMessage], error: Exception) -> None:
        """The user's work raised: hand it out again after a pause."""
        self._failed += 1
        pause = redelivery_pause(delivery.attempt - 1)
        _log.error(
            "message at offset %d of %s failed in group %s, delivered again in %g s",
            delivery.offset,
            delivery.queue.queue,
            self.group,
            pause,
            exc_info=error,
        )
        self._inbox.pause(delivery, trio.current_time() + pause)
        self._iterating.unpark_all()  # each of them has to know the new time to wait for

    def _room_changed(self, delivery: Delivery[RawMessage]) -> None:
        reader = self._readers.get(delivery.queue.queue)
        if reader is not None:
            reader.room_changed()

    # --- what the readers bring (Sink) ------------------------------------------------------------------

    def take_in(self, queue: ProcessQueue[RawMessage], messages: list[RawMessage]) -> None:
        """Put pulled messages into the inbox, without those whose tag only has the same hash."""
        expression = self._settings.topics[queue.queue.topic]
        taken = 0
        for raw in messages:
            if raw.queue_offset < queue.next_offset:
                continue  # a broker may begin its answer before the offset asked for
            if expression.tags and not expression.matches(raw.properties.get(TAGS)):
                self._filtered += 1
                continue
            self._inbox.put(queue.add(raw.queue_offset, raw.size, raw.reconsume_times + 1, raw))
            taken += 1
        self._iterating.unpark(count=taken)

    # --- which queues -----------------------------------------------------------------------------------

    def balance_soon(self) -> None:
        """Look again who reads what: members or routes changed."""
        self._balance_wanted.set()

    async def run_balancer(self) -> None:
        """Keep the queues that we read equal to those that are ours."""
        pause = _BALANCE_INTERVAL
        while True:
            with trio.move_on_after(pause):
                await self._balance_wanted.wait()
            self._balance_wanted = trio.Event()
            try:
                await self.balance()
                pause = _BALANCE_INTERVAL
            except RocketMQError as error:
                _log.warning("group %s: the queues could not be shared out: %s", self.group, error)
                pause = _BALANCE_RETRY

    async def balance(self) -> None:
        """Find out which queues are ours, give up the others, and begin to read new ones.

        Returns when each new reader knows where it starts, or has failed to find out once.

        Raises:
            RocketMQError: The members of the group could not be found out for some topic; for the other
                topics everything is done.
        """
        failure: RocketMQError | None = None
        for topic in self._settings.topics:
            try:
                members = await self._members(topic)
            except RocketMQError as error:
                failure = error
                continue
            started, stopped = self._assign(topic, members)
            await self._commit(stopped)
            for reader in started:
                await reader.settled.wait()
        if failure is not None:
            raise failure

    async def _members(self, topic: str) -> tuple[str, ...]:
        """The group's members as one of the topic's brokers knows them; each of them knows all."""
        failure: RocketMQError = ConnectError(f"no broker of topic {topic} is known")
        for address in self._routing.table.brokers_of(topic):
            try:
                await self._heartbeats.ensure(address)
                return await self._remote.consumer_ids(address, self.group)
            except UNREACHABLE as error:
                self._heartbeats.forgotten_by(address)
                failure = error
            except BrokerError as error:
                failure = error
        raise failure

    def _assign(self, topic: str, members: tuple[str, ...]) -> tuple[list[QueueReader], list[QueueReader]]:
        """Start and stop readers so that they are those of our queues."""
        route = self._routing.table.get(topic)
        if route is None or self._closed:
            return [], []
        ours = allocate_averagely(route.readable, members, self._client_id)
        change = plan_change([queue for queue in self._readers if queue.topic == topic], ours)
        stopped = [self._readers.pop(queue) for queue in change.lost]
        for reader in stopped:
            reader.stop()
        started = [self._reader(queue) for queue in change.gained]
        for reader in started:
            self._readers[reader.queue] = reader
            self._nursery.start_soon(reader.run)
        if stopped or started:
            _log.info("group %s: reading %s", self.group, ", ".join(map(str, self.queues)) or "no queue")
        return started, stopped

    def _reader(self, queue: MessageQueue) -> QueueReader:
        return QueueReader(
            queue,
            group=self.group,
            sub_version=self._settings.sub_version,
            limits=self._settings.limits,
            sink=self,
            find_start=self._find_start,
            remote=self._remote,
            routing=self._routing,
            heartbeats=self._heartbeats,
        )

    async def _find_start(self, address: str, queue: MessageQueue) -> int:
        start = self._settings.start
        if isinstance(start, datetime):
            return await self._remote.search_offset(address, queue, int(start.timestamp() * 1000))
        if start == "earliest":
            return await self._remote.min_offset(address, queue)
        return await self._remote.max_offset(address, queue)

    # --- committing -------------------------------------------------------------------------------------

    async def run_committer(self) -> None:
        """Tell the brokers every 5 seconds how far we are."""
        while True:
            await trio.sleep(_COMMIT_INTERVAL)
            for reader in tuple(self._readers.values()):
                offset = reader.process_queue.committable
                if offset is not None and offset != reader.committed:
                    await self._commit_one(reader, wait=False)

    async def close(self) -> None:
        """Stop reading and commit; brokers get :data:`GOODBYE_TIMEOUT`, also while being cancelled."""
        self._closed = True
        readers = list(self._readers.values())
        for reader in readers:
            reader.stop()
        self._iterating.unpark_all()
        with trio.move_on_after(GOODBYE_TIMEOUT, shield=True):
            await self._commit(readers)

    async def _commit(self, readers: list[QueueReader]) -> None:
        async with trio.open_nursery() as nursery:
            for reader in readers:
                nursery.start_soon(partial(self._commit_one, reader, wait=True))

    async def _commit_one(self, reader: QueueReader, *, wait: bool) -> None:
        offset = reader.process_queue.committable
        address = self._routing.table.master(reader.queue.broker_name)
        if offset is None or address is None:
            return
        try:
            await self._remote.update_offset(address, self.group, reader.queue, offset, wait=wait)
            reader.committed = offset
        except RocketMQError as error:
            _log.warning(
                "group %s: offset %d of %s was not committed: %s", self.group, offset, reader.queue, error
            )
