"""Headers about offsets: where a group stands, where a queue begins and ends (request-codes.md 3, 4)."""

from __future__ import annotations

from rocketmq_lite.protocol.headers.shape import I32, Header
from rocketmq_lite.records import dataclass

__all__ = [
    "GetEarliestMsgStoretimeResponseHeader",
    "GetMaxOffsetRequestHeader",
    "OffsetResponseHeader",
    "QueryConsumerOffsetRequestHeader",
    "QueueRequestHeader",
    "SearchOffsetRequestHeader",
    "UpdateConsumerOffsetRequestHeader",
]


@dataclass(frozen=True, slots=True)
class QueryConsumerOffsetRequestHeader(Header):
    """14. ``set_zero_if_not_found`` false asks for 22 where nothing is stored."""

    consumer_group: str
    topic: str
    queue_id: I32
    set_zero_if_not_found: bool | None = None


@dataclass(frozen=True, slots=True)
class UpdateConsumerOffsetRequestHeader(Header):
    """15."""

    consumer_group: str
    topic: str
    queue_id: I32
    commit_offset: int


@dataclass(frozen=True, slots=True)
class SearchOffsetRequestHeader(Header):
    """29. ``boundary_type`` is LOWER or UPPER."""

    topic: str
    queue_id: I32
    timestamp: int
    boundary_type: str | None = None


@dataclass(frozen=True, slots=True)
class GetMaxOffsetRequestHeader(Header):
    """30."""

    topic: str
    queue_id: I32
    committed: bool | None = None


@dataclass(frozen=True, slots=True)
class QueueRequestHeader(Header):
    """31 and 32."""

    topic: str
    queue_id: I32


@dataclass(frozen=True, slots=True)
class OffsetResponseHeader(Header):
    """Answer to 14, 29, 30 and 31."""

    offset: int


@dataclass(frozen=True, slots=True)
class GetEarliestMsgStoretimeResponseHeader(Header):
    """Answer to 32; -1 for an empty queue."""

    timestamp: int
