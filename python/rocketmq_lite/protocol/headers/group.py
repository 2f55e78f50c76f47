"""Headers about subscription groups (request-codes.md 9)."""

from __future__ import annotations

from rocketmq_lite.protocol.headers.shape import I32, Header
from rocketmq_lite.records import dataclass

__all__ = [
    "CloneGroupOffsetRequestHeader",
    "DeleteSubscriptionGroupRequestHeader",
    "GetBrokerConsumeStatsRequestHeader",
    "GetConsumeStatsRequestHeader",
    "GetConsumerStatusRequestHeader",
    "GetSubscriptionGroupConfigRequestHeader",
    "InvokeBrokerToResetOffsetRequestHeader",
    "QueryConsumeTimeSpanRequestHeader",
    "QuerySubscriptionByConsumerRequestHeader",
    "QueryTopicsByConsumerRequestHeader",
    "ResetOffsetRequestHeader",
]


@dataclass(frozen=True, slots=True)
class DeleteSubscriptionGroupRequestHeader(Header):
    """207."""

    group_name: str
    clean_offset: bool | None = None


@dataclass(frozen=True, slots=True)
class GetSubscriptionGroupConfigRequestHeader(Header):
    """352."""

    group: str


@dataclass(frozen=True, slots=True)
class GetConsumeStatsRequestHeader(Header):
    """208. ``topic_list`` holds names joined by ``;``."""

    consumer_group: str
    topic: str | None = None
    topic_list: str | None = None


@dataclass(frozen=True, slots=True)
class GetBrokerConsumeStatsRequestHeader(Header):
    """317. ``is_order`` asks for topics that are consumed in order alone."""

    is_order: bool


@dataclass(frozen=True, slots=True)
class QueryTopicsByConsumerRequestHeader(Header):
    """343."""

    group: str


@dataclass(frozen=True, slots=True)
class QuerySubscriptionByConsumerRequestHeader(Header):
    """345."""

    group: str
    topic: str


@dataclass(frozen=True, slots=True)
class QueryConsumeTimeSpanRequestHeader(Header):
    """303."""

    topic: str
    group: str


@dataclass(frozen=True, slots=True)
class InvokeBrokerToResetOffsetRequestHeader(Header):
    """222. ``queue_id`` -1 stands for all queues, ``offset`` -1 for none; a ``timestamp`` below 0 for the end."""

    topic: str
    group: str
    timestamp: int = 0
    is_force: bool = False
    queue_id: I32 = -1
    offset: int = -1


@dataclass(frozen=True, slots=True)
class ResetOffsetRequestHeader(Header):
    """220: what 222 asked for, as a broker passes it on; the offsets are in the body."""

    topic: str
    group: str
    timestamp: int
    is_force: bool
    queue_id: I32 = -1


@dataclass(frozen=True, slots=True)
class GetConsumerStatusRequestHeader(Header):
    """221 and 223. ``client_addr``, a client id in fact, asks for that member alone; blank asks for all."""

    topic: str
    group: str
    client_addr: str | None = None


@dataclass(frozen=True, slots=True)
class CloneGroupOffsetRequestHeader(Header):
    """314. Without a ``topic`` all topics of the source group; ``offline`` takes those it no longer subscribes to, too."""

    src_group: str
    dest_group: str
    topic: str | None = None
    offline: bool | None = None
