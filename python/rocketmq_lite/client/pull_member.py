"""A puller with topics as a member of its group: known to the brokers, with a share of the queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.client.enrolment import Enrolment
from rocketmq_lite.client.reader import QueueStatistics
from rocketmq_lite.client.running_info import describe_consumer
from rocketmq_lite.errors import BrokerError
from rocketmq_lite.protocol.codes import ResponseCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rocketmq_lite.client.fetcher import Fetcher
    from rocketmq_lite.client.heartbeats import Heartbeats
    from rocketmq_lite.client.pull_queues import PullQueues
    from rocketmq_lite.client.puller_settings import PullerSettings
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import ConsumeMessageDirectlyResult, ConsumerRunningInfo
    from rocketmq_lite.protocol.framing import MessageBatch
    from rocketmq_lite.transport.nursery import ProtectedNursery

__all__ = ["PullMember"]


class PullMember:
    """Our part of one consumer group.

    Args:
        settings: What to read.
        nursery: Where the balancer runs.
        queues: Reads our share.
        client_id: Who we are in the group.
    """

    def __init__(
        self,
        settings: PullerSettings,
        nursery: ProtectedNursery,
        queues: PullQueues,
        *,
        client_id: str,
        remote: Remote,
        routing: Routing,
        heartbeats: Heartbeats,
    ) -> None:
        self._settings = settings
        self._nursery = nursery
        self._queues = queues
        self._routing = routing
        self._enrolment = Enrolment(
            settings,
            client_id=client_id,
            assign=self._assign,
            remote=remote,
            routing=routing,
            heartbeats=heartbeats,
        )

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
        await self._enrolment.balancer.balance()
        await self._queues.settled()
        self._nursery.start_soon(self._enrolment.balancer.run)

    async def leave(self) -> None:
        """Leave the group."""
        self._enrolment.stop_sharing()
        await self._enrolment.leave()

    # --- what is told and asked of a member (ConsumerMember)

    def balance_soon(self) -> None:
        """Look again who reads what: members or routes changed."""
        self._enrolment.balancer.balance_soon()

    def disconnected(self, address: str) -> None:
        """Nothing hangs on the connection: no queue is locked."""

    def running_info(self) -> ConsumerRunningInfo:
        """How we are doing, for the tool that asks."""
        return describe_consumer(
            self._settings.membership,
            map(_as_read, self._queues.fetchers.values()),
            strategy=self._settings.strategy.name,
            ordered=False,
            started_ms=self._settings.sub_version,
            name_servers=self._routing.name_servers,
        )

    def move_to(self, offsets: Mapping[MessageQueue, int]) -> None:
        """Go on at these offsets, in the queues that are ours, and commit them."""
        moved = [queue for queue in offsets if queue in self._queues.fetchers]
        for queue in moved:
            self._queues.fetchers[queue].move_to(offsets[queue])
        self._nursery.start_soon(self._queues.commit_done, [self._queues.fetchers[queue] for queue in moved])

    def positions(self, topic: str) -> dict[MessageQueue, int]:
        """How far we are in our queues of a topic, for the tool that asks."""
        found = {queue: fetcher.pulled.done for queue, fetcher in self._queues.fetchers.items()}
        return {queue: at for queue, at in found.items() if queue.topic == topic and at is not None}

    async def consume_directly(self, message: MessageBatch, broker_name: str) -> ConsumeMessageDirectlyResult:  # noqa: ARG002
        """Nothing can be handed to a puller: it has no place where messages come by themselves."""
        raise BrokerError(
            ResponseCode.SYSTEM_ERROR,
            f"the member of consumer group {self._settings.group} pulls; only consumers take messages directly",
        )

    def _assign(self, topic: str, ours: Sequence[MessageQueue], *, shared: bool) -> None:
        current = [queue for queue in self._queues.fetchers if queue.topic == topic]
        gone = self._queues.change(current, ours, shared=shared)
        if self._settings.auto_commit:
            self._nursery.start_soon(self._queues.commit_done, gone)


def _as_read(fetcher: Fetcher) -> QueueStatistics:
    """A queue as a consumer's statistics show it."""
    known = fetcher.statistics()
    return QueueStatistics(
        queue=known.queue,
        next_offset=fetcher.pulled.next_offset or 0,
        committable=known.position,
        committed=known.committed,
        unfinished=known.waiting,
        max_offset=known.max_offset,
        error=known.error,
    )
