"""Places in a queue as people name them, and the offsets that they are."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from rocketmq_lite.errors import ConfigError

if TYPE_CHECKING:
    from rocketmq_lite.client.remote_queues import QueueRemote
    from rocketmq_lite.model import MessageQueue

__all__ = ["Place", "bounds_of", "offset_at"]

Place = Literal["earliest", "latest"] | datetime | int
"""A place in a queue: its first message, behind its last, the first stored at or after a time, or an offset."""


async def offset_at(remote: QueueRemote, address: str, queue: MessageQueue, to: Place) -> int:
    """The offset of a place.

    Raises:
        ConfigError: The queue has no such offset.
        BrokerError: The broker refused.
        RocketMQError: It could not be reached.
    """
    match to:
        case "earliest":
            return await remote.min_offset(address, queue)
        case "latest":
            return await remote.max_offset(address, queue)
        case datetime():
            return await remote.search_offset(address, queue, int(to.timestamp() * 1000))
    first, end = await bounds_of(remote, address, queue)
    if not first <= to <= end:
        raise ConfigError(
            f"offset {to} is not in queue {queue.broker_name}/{queue.queue_id} of {queue.topic}",
            hint=f"it has {first} to {end}; queue= or --queue chooses one queue",
        )
    return to


async def bounds_of(remote: QueueRemote, address: str, queue: MessageQueue) -> tuple[int, int]:
    """A queue's first offset, and where its next message will be stored."""
    return await remote.min_offset(address, queue), await remote.max_offset(address, queue)
