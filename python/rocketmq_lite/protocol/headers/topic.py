"""Headers about topics (request-codes.md 9)."""

from __future__ import annotations

from rocketmq_lite.protocol.headers.shape import I32, Header
from rocketmq_lite.records import dataclass

__all__ = ["CreateTopicRequestHeader", "TopicRequestHeader"]


@dataclass(frozen=True, slots=True)
class TopicRequestHeader(Header):
    """215, 351, 202 and others that name one topic."""

    topic: str


@dataclass(frozen=True, slots=True)
class CreateTopicRequestHeader(Header):
    """17. ``attributes`` are changes: ``+key=value`` and ``-key``, separated by commas."""

    topic: str
    default_topic: str
    read_queue_nums: I32
    write_queue_nums: I32
    perm: I32
    topic_filter_type: str
    topic_sys_flag: I32 | None = None
    order: bool = False
    attributes: str | None = None
    force: bool | None = None
