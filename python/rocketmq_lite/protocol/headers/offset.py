"""Headers about offsets of queues and of groups (request-codes.md 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass

from rocketmq_lite.protocol.headers.shape import Header

__all__ = [
    "OffsetResponseHeader",
    "QueryConsumerOffsetRequestHeader",
    "QueueRequestHeader",
    "SearchOffsetRequestHeader",
    "UpdateConsumerOffsetRequestHeader",
]


@dataclass(frozen=True, slots=True)
class QueryConsumerOffsetRequestHeader(Header):
    """14. ``set_zero_if_not_found`` false makes 5.x brokers answer 22 instead of guessing 0."""

    consumer_group: str
    topic: str
    queue_id: int
    set_zero_if_not_found: bool | None = None


@dataclass(frozen=True, slots=True)
class UpdateConsumerOffsetRequestHeader(Header):
    """15."""

    consumer_group: str
    topic: str
    queue_id: int
    commit_offset: int


@dataclass(frozen=True, slots=True)
class SearchOffsetRequestHeader(Header):
    """29. ``boundary_type`` is ``LOWER`` (the default) or ``UPPER``."""

    topic: str
    queue_id: int
    timestamp: int
    boundary_type: str | None = None


@dataclass(frozen=True, slots=True)
class QueueRequestHeader(Header):
    """30, 31 and 32."""

    topic: str
    queue_id: int


@dataclass(frozen=True, slots=True)
class OffsetResponseHeader(Header):
    """The answer to 14, 29, 30 and 31."""

    offset: int
