"""A member of a consumer group: joins it, reads the queues that are ours, gives failed messages back, leaves.

Being in the group is ``enrolment``'s part, who reads the queues that are ours ``assignment``'s, and how far the group has
come ``committer``'s to tell.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import trio

from rocketmq_lite.client.assignment import Assignment
from rocketmq_lite.client.committer import Committer
from rocketmq_lite.client.enrolment import Enrolment
from rocketmq_lite.client.group_watch import GroupWatch
from rocketmq_lite.client.heartbeats import GOODBYE_TIMEOUT
from rocketmq_lite.client.locker import Locker
from rocketmq_lite.client.ordered_assignment import OrderedAssignment
from rocketmq_lite.client.reader import QueueReader
from rocketmq_lite.client.running_info import describe_consumer
from rocketmq_lite.client.unentered import watch_unentered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from rocketmq_lite.client.consumer_settings import ConsumerSettings
    from rocketmq_lite.client.direct import DirectMessages
    from rocketmq_lite.client.engine.diagnosis import Problem
    from rocketmq_lite.client.heartbeats import Heartbeats
    from rocketmq_lite.client.positions import Positions
    from rocketmq_lite.client.reader import Sink
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import ConsumeMessageDirectlyResult, ConsumerRunningInfo
    from rocketmq_lite.protocol.framing import MessageBatch, RawMessage
    from rocketmq_lite.transport.nursery import ProtectedNursery

__all__ = ["GroupMember"]


class GroupMember:
    """Our part of one consumer group.

    Args:
        settings: What to read.
        nursery: Where readers run.
        sink: Takes what they read.
        positions: Where the group's positions are kept, or ours alone.
        direct: Takes what administrators hand over.
        client_id: Who we are in the group.
        find_problems: Asks for the problems of a group's members.
    """

    def __init__(
        self,
        settings: ConsumerSettings,
        nursery: ProtectedNursery,
        sink: Sink,
        positions: Positions,
        *,
        direct: DirectMessages,
        client_id: str,
        remote: Remote,
        routing: Routing,
        heartbeats: Heartbeats,
        find_problems: Callable[[str], Awaitable[Sequence[Problem]]],
    ) -> None:
        self.readers: dict[MessageQueue, QueueReader] = {}
        self._settings = settings
        self._nursery = nursery
        self._sink = sink
        self._direct = direct
        self._client_id = client_id
        self._remote = remote
        self._routing = routing
        self._heartbeats = heartbeats
        self._positions = positions
        self._committer = Committer(settings.group, self.readers, self._positions)
        self._locker: Locker | None = None
        self._assignment: Assignment | OrderedAssignment
        if settings.order is None:
            self._assignment = Assignment(
                settings.group,
                nursery,
                self.readers,
                new_reader=self._reader,
                committer=self._committer,
                grace=settings.grace,
                tell=settings.tell,
            )
        else:
            self._locker = Locker(
                settings.group, client_id, settings.order.locks, remote=remote, routing=routing
            )
            self._assignment = OrderedAssignment(
                settings,
                nursery,
                self.readers,
                new_reader=self._reader,
                locker=self._locker,
                committer=self._committer,
                balance_soon=self.balance_soon,
            )
        self._enrolment = Enrolment(
            settings,
            client_id=client_id,
            assign=self._assignment.assign,
            remote=remote,
            routing=routing,
            heartbeats=heartbeats,
        )

        self._watch = GroupWatch(
            settings, members=lambda: self._enrolment.balancer.members, find=find_problems
        )

    @property
    def queues(self) -> tuple[MessageQueue, ...]:
        """The queues that we read now, those of the retry topic last."""
        retry = self._settings.retry_topic
        return tuple(sorted(self.readers, key=lambda queue: (queue.topic == retry, queue)))

    @property
    def duplicates(self) -> int:
        """How many messages were handed out here and come again elsewhere, because their queue went over; at most."""
        return self._assignment.duplicates

    def running_info(self) -> ConsumerRunningInfo:
        """How we are doing, for the tool that asks."""
        return describe_consumer(
            self._settings.membership,
            (reader.statistics() for reader in self.readers.values()),
            strategy=self._settings.strategy.name,
            ordered=self._settings.order is not None,
            started_ms=self._settings.sub_version,
            name_servers=self._routing.name_servers,
        )

    def positions(self, topic: str) -> dict[MessageQueue, int]:
        """How far we are in our queues of a topic, for the tool that asks."""
        found = {queue: reader.process_queue.committable for queue, reader in self.readers.items()}
        return {queue: at for queue, at in found.items() if queue.topic == topic and at is not None}

    def move_to(self, offsets: Mapping[MessageQueue, int]) -> None:
        """Go on at these offsets, in the queues that are ours; they are committed with what follows."""
        for queue, offset in offsets.items():
            if queue in self.readers:
                self.readers[queue].move_to(offset)

    async def consume_directly(self, message: MessageBatch, broker_name: str) -> ConsumeMessageDirectlyResult:
        """Work on a message that an administrator hands over.

        Raises:
            BrokerError: The application did not, in time.
        """
        return await self._direct.consume(message, broker_name)

    def register(self) -> None:
        """Be in the group: from now on heartbeats tell it. :meth:`leave` has to follow.

        Raises:
            ConfigError: This client is in the group already.
        """
        self._enrolment.register(self)

    async def start(self) -> None:
        """Tell the brokers, and begin to read our share.

        Raises:
            BrokerError: A broker cannot evaluate a condition.
            RocketMQError: The other members could not be found out.
        """
        await self._enrolment.announce()
        if not self._settings.broadcasting:
            # Brokers create it when they hear of a group.
            await self._routing.follow(self._settings.retry_topic)
        if self._locker is not None:
            self._nursery.start_soon(self._locker.run)
            self._nursery.start_soon(watch_unentered, self._settings.group, self.readers)
        await self._enrolment.balancer.balance()
        await self._assignment.settled()
        self._nursery.start_soon(self._enrolment.balancer.run)
        self._nursery.start_soon(self._committer.run)
        if not self._settings.broadcasting:
            self._nursery.start_soon(self._watch.run)

    async def leave(self) -> None:
        """Stop reading, commit, leave the group.

        Brokers get :data:`GOODBYE_TIMEOUT` for each of the two, also while we are being cancelled. So they get it for
        messages on their way back: one that the broker has again, and we have not heard so, would come twice.
        """
        self._enrolment.stop_sharing()
        if isinstance(self._assignment, OrderedAssignment):
            await self._assignment.leave()
        else:
            with trio.move_on_after(GOODBYE_TIMEOUT, shield=True):
                for reader in list(self.readers.values()):
                    await reader.idle()
        readers = self._assignment.stop()
        with trio.move_on_after(GOODBYE_TIMEOUT, shield=True):
            await self._committer.commit(readers)
        await self._enrolment.leave()
        self._routing.table.forget(self._settings.retry_topic)

    def balance_soon(self) -> None:
        """Look again who reads what: members or routes changed."""
        self._enrolment.balancer.balance_soon()

    def disconnected(self, address: str) -> None:
        """A connection has ended, and with it the locks that its broker gave."""
        if self._locker is not None:
            self._locker.disconnected(address)

    def lapse(self) -> None:
        """Let go of queues whose lock's time is over; to be called before something is made of their messages."""
        if self._locker is not None:
            self._locker.lapse()

    async def send_back(self, queue: MessageQueue, raw: RawMessage, *, level: int) -> None:
        """Have the broker that a message came from bring it again later, or keep it as a dead letter.

        Raises:
            RocketMQError: It does not.
        """
        limit = self._settings.max_attempts
        await self._remote.send_back(
            self._routing.master(queue.broker_name),
            self._settings.group,
            queue,
            raw,
            level=level,
            max_reconsume_times=None if limit is None else limit - 1,
        )

    def _reader(self, queue: MessageQueue, shared: bool) -> QueueReader:  # noqa: FBT001 - named where it is called
        return QueueReader(
            queue,
            self._settings,
            sink=self._sink,
            positions=self._positions,
            find_start=self._find_start,
            takes_over=shared,
            remote=self._remote,
            routing=self._routing,
            heartbeats=self._heartbeats,
            lapse=None if self._locker is None else self._locker.lapse,
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
