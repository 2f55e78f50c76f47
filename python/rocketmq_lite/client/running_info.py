"""What a consumer says of itself when a tool asks: its queues, how far it is, its subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.client.engine.diagnosis import STRATEGY_PROPERTY
from rocketmq_lite.protocol.bodies import BlockedQueue, BlockedQueues, ConsumerRunningInfo, ProcessQueueInfo
from rocketmq_lite.protocol.command import VERSION
from rocketmq_lite.protocol.versions import version_constant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rocketmq_lite.client.reader import QueueStatistics
    from rocketmq_lite.protocol.bodies import ConsumerData

__all__ = ["describe_consumer"]


def describe_consumer(
    data: ConsumerData,
    queues: Iterable[QueueStatistics],
    *,
    started_ms: int,
    strategy: str,
    ordered: bool,
    name_servers: tuple[str, ...],
) -> ConsumerRunningInfo:
    """The answer to 307 for a member of a group.

    Args:
        data: The group as heartbeats tell it.
        queues: The queues that are being read.
        strategy: The name of its allocation strategy.
        ordered: Whether each queue is consumed in order.
        started_ms: When the consumer was made, in milliseconds.
        name_servers: Those configured.
    """
    shown = tuple(queues)
    return ConsumerRunningInfo(
        properties={
            BlockedQueues.PROPERTY: _blocked(shown).encode(standard=True).decode(),
            STRATEGY_PROPERTY: strategy,
            "PROP_CLIENT_VERSION": version_constant(VERSION),
            "PROP_CONSUMEORDERLY": "true" if ordered else "false",
            "PROP_CONSUMER_START_TIMESTAMP": str(started_ms),
            "PROP_CONSUME_TYPE": data.consume_type,
            "PROP_NAMESERVER_ADDR": ";".join(name_servers),
        },
        subscription_set=data.subscription_data_set,
        mq_table={each.queue: _queue_info(each) for each in shown},
    )


def _queue_info(queue: QueueStatistics) -> ProcessQueueInfo:
    first = queue.committable or 0
    return ProcessQueueInfo(
        commit_offset=queue.committed or 0,
        cached_msg_count=queue.unfinished,
        cached_msg_min_offset=first if queue.unfinished else 0,
        cached_msg_max_offset=queue.next_offset - 1 if queue.unfinished else 0,
        locked=queue.locked,
    )


def _blocked(queues: Iterable[QueueStatistics]) -> BlockedQueues:
    return BlockedQueues(
        tuple(
            BlockedQueue(
                queue=each.queue,
                offset=head.offset,
                attempts=head.attempts,
                since=head.since_ms,
                error=head.error,
                stands=head.stands,
            )
            for each in queues
            if (head := each.failed_head) is not None
        )
    )
