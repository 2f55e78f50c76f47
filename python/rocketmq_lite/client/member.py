"""A member of a consumer group: which queues are ours, who reads them, and how far the group has come.

The balancer runs every 20 seconds, and at once when a broker says that members changed or when a route
changed. It starts and stops one reader a queue. The committer runs every 5 seconds; pulls carry the position
too, and a queue that is given up is committed before it is let go.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import trio

from rocketmq_lite.client.engine.balance import allocate_averagely, plan_change
from rocketmq_lite.client.engine.subscription import EVERYTHING
from rocketmq_lite.client.heartbeats import GOODBYE_TIMEOUT
from rocketmq_lite.client.preflight import check_conditions
from rocketmq_lite.client.reader import QueueReader
from rocketmq_lite.client.routing import UNREACHABLE
from rocketmq_lite.client.running_info import describe_consumer
from rocketmq_lite.errors import BrokerError, ConnectError, RocketMQError
from rocketmq_lite.protocol.bodies import ConsumerData, SubscriptionData
from rocketmq_lite.protocol.reserved import retry_topic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.client.engine.process_queue import QueueLimits
    from rocketmq_lite.client.engine.subscription import Subscription
    from rocketmq_lite.client.heartbeats import Heartbeats
    from rocketmq_lite.client.reader import Sink
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import ConsumerRunningInfo
    from rocketmq_lite.protocol.framing import RawMessage

__all__ = ["ConsumerSettings", "GroupMember", "Start"]

_log = logging.getLogger(__name__)

Start = Literal["latest", "earliest"] | datetime
"""Where a group begins to read that has no position yet."""

_BALANCE_INTERVAL: Final = 20.0
"""Seconds between two looks at who reads what (Java's ``rebalance`` wait interval)."""
_BALANCE_RETRY: Final = 1.0
"""Seconds after a look that failed (Java's ``minInterval``)."""
_COMMIT_INTERVAL: Final = 5.0
"""Seconds between two commits of offsets (Java's ``persistConsumerOffsetInterval``)."""


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """What a consumer was asked to do.

    Attributes:
        group: The consumer group.
        topics: Which messages of which topics.
        start: Where to begin without a position.
        limits: How much of one queue may be unacknowledged.
        max_attempts: Deliveries of a message before it is a dead letter; None leaves that to the group's settings.
        sub_version: Tells this subscription from an older one of the same client; a wall time.
    """

    group: str
    topics: Mapping[str, Subscription]
    start: Start
    limits: QueueLimits
    sub_version: int
    max_attempts: int | None = None

    @property
    def retry_topic(self) -> str:
        """The topic through which messages come back to the group."""
        return retry_topic(self.group)

    @property
    def subscriptions(self) -> Mapping[str, Subscription]:
        """All that a heartbeat tells. Members have to agree: brokers keep one subscription a group and topic."""
        return {**self.topics, self.retry_topic: EVERYTHING}


class GroupMember:
    """Our part of one consumer group.

    Args:
        settings: What to read.
        nursery: Where readers run.
        sink: Takes what they read.
        client_id: Who we are in the group.
    """

    def __init__(
        self,
        settings: ConsumerSettings,
        nursery: trio.Nursery,
        sink: Sink,
        *,
        client_id: str,
        remote: Remote,
        routing: Routing,
        heartbeats: Heartbeats,
    ) -> None:
        self.readers: dict[MessageQueue, QueueReader] = {}
        self._settings = settings
        self._nursery = nursery
        self._sink = sink
        self._client_id = client_id
        self._remote = remote
        self._routing = routing
        self._heartbeats = heartbeats
        self._balance_wanted = trio.Event()
        self._left = trio.Event()

    @property
    def queues(self) -> tuple[MessageQueue, ...]:
        """The queues that we read now, those of the retry topic last."""
        retry = self._settings.retry_topic
        return tuple(sorted(self.readers, key=lambda queue: (queue.topic == retry, queue)))

    def running_info(self) -> ConsumerRunningInfo:
        """How we are doing, for the tool that asks."""
        return describe_consumer(
            _membership(self._settings),
            (reader.statistics() for reader in self.readers.values()),
            started_ms=self._settings.sub_version,
            name_servers=self._routing.name_servers,
        )

    def register(self) -> None:
        """Be in the group: from now on heartbeats tell it. :meth:`leave` has to follow.

        Raises:
            ConfigError: This client is in the group already.
        """
        self._heartbeats.join_consumer(_membership(self._settings), self)
        self._routing.subscribe(self.balance_soon)

    async def start(self) -> None:
        """Tell the brokers, and begin to read our share.

        Raises:
            BrokerError: A broker cannot evaluate a condition.
            RocketMQError: The other members could not be found out.
        """
        await check_conditions(
            _membership(self._settings),
            client_id=self._client_id,
            remote=self._remote,
            routing=self._routing,
        )
        await self._heartbeats.beat()
        await self._routing.follow(
            self._settings.retry_topic
        )  # which brokers create when they hear of a group
        await self._balance()
        self._nursery.start_soon(self._run_balancer)
        self._nursery.start_soon(self._run_committer)

    async def leave(self) -> None:
        """Stop reading, commit, leave the group.

        Brokers get :data:`GOODBYE_TIMEOUT` for each of the two, also while we are being cancelled.
        """
        self._left.set()
        self._routing.unsubscribe(self.balance_soon)
        readers = list(self.readers.values())
        for reader in readers:
            reader.stop()
        with trio.move_on_after(GOODBYE_TIMEOUT, shield=True):
            await self._commit(readers)
        await self._heartbeats.leave_consumer(self._settings.group)
        self._routing.table.forget(self._settings.retry_topic)

    async def send_back(self, queue: MessageQueue, raw: RawMessage, *, level: int) -> None:
        """Have the broker that a message came from bring it again later, or keep it as a dead letter.

        Raises:
            RocketMQError: It does not.
        """
        address = self._routing.table.master(queue.broker_name)
        if address is None:
            raise ConnectError(f"no master of broker {queue.broker_name} is known")
        limit = self._settings.max_attempts
        await self._remote.send_back(
            address,
            self._settings.group,
            queue,
            raw,
            level=level,
            max_reconsume_times=None if limit is None else limit - 1,
        )

    # --- which queues -----------------------------------------------------------------------------------

    def balance_soon(self) -> None:
        """Look again who reads what: members or routes changed."""
        self._balance_wanted.set()

    async def _run_balancer(self) -> None:
        """Keep the queues that we read equal to those that are ours, until we leave."""
        pause = _BALANCE_INTERVAL
        while not self._left.is_set():
            with trio.move_on_after(pause):
                await self._balance_wanted.wait()
            self._balance_wanted = trio.Event()
            try:
                await self._balance()
                pause = _BALANCE_INTERVAL
            except RocketMQError as error:
                if self._left.is_set():
                    return  # a broker may have forgotten us, as we asked it to
                _log.warning("group %s: the queues could not be shared out: %s", self._settings.group, error)
                pause = _BALANCE_RETRY

    async def _balance(self) -> None:
        """Find out which queues are ours, give up the others, and begin to read new ones.

        Returns when each new reader knows where it starts, or has failed to find out once.

        Raises:
            RocketMQError: The members of the group could not be found out for some topic; for the other
                topics everything is done.
        """
        failure: RocketMQError | None = None
        for topic in self._settings.subscriptions:
            if self._routing.table.get(topic) is None:
                continue  # the %RETRY% topic of a new group; the route's coming wakes us
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
                return await self._remote.consumer_ids(address, self._settings.group)
            except UNREACHABLE as error:
                self._heartbeats.forgotten_by(address)
                failure = error
            except BrokerError as error:
                failure = error
        raise failure

    def _assign(self, topic: str, members: tuple[str, ...]) -> tuple[list[QueueReader], list[QueueReader]]:
        """Start and stop readers so that they are those of our queues."""
        route = self._routing.table.get(topic)
        if route is None or self._left.is_set():
            return [], []
        ours = allocate_averagely(route.readable, members, self._client_id)
        change = plan_change([queue for queue in self.readers if queue.topic == topic], ours)
        stopped = [self.readers.pop(queue) for queue in change.lost]
        for reader in stopped:
            reader.stop()
        started = [self._reader(queue) for queue in change.gained]
        for reader in started:
            self.readers[reader.queue] = reader
            self._nursery.start_soon(reader.run)
        if stopped or started:
            _log.info(
                "group %s: reading %s", self._settings.group, ", ".join(map(str, self.queues)) or "no queue"
            )
        return started, stopped

    def _reader(self, queue: MessageQueue) -> QueueReader:
        return QueueReader(
            queue,
            group=self._settings.group,
            sub_version=self._settings.sub_version,
            limits=self._settings.limits,
            sink=self._sink,
            find_start=self._find_start,
            remote=self._remote,
            routing=self._routing,
            heartbeats=self._heartbeats,
        )

    async def _find_start(self, address: str, queue: MessageQueue) -> int:
        start = self._settings.start
        if queue.topic == self._settings.retry_topic:
            start = "earliest"  # what came back to the group before we looked is the group's all the same
        if isinstance(start, datetime):
            return await self._remote.search_offset(address, queue, int(start.timestamp() * 1000))
        if start == "earliest":
            return await self._remote.min_offset(address, queue)
        return await self._remote.max_offset(address, queue)

    # --- committing -------------------------------------------------------------------------------------

    async def _run_committer(self) -> None:
        """Tell the brokers every 5 seconds how far we are."""
        while True:
            await trio.sleep(_COMMIT_INTERVAL)
            for reader in tuple(self.readers.values()):
                offset = reader.process_queue.committable
                if offset is not None and offset != reader.committed:
                    await self._commit_one(reader, wait=False)

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
            await self._remote.update_offset(address, self._settings.group, reader.queue, offset, wait=wait)
            reader.committed = offset
        except RocketMQError as error:
            _log.warning(
                "group %s: offset %d of %s was not committed: %s",
                self._settings.group,
                offset,
                reader.queue,
                error,
            )


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
                expression_type=expression.expression_type,
            )
            for topic, expression in settings.subscriptions.items()
        ),
    )
