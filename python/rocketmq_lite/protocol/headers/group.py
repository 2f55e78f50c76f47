"""Headers about subscription groups (request-codes.md 9)."""

from __future__ import annotations

from dataclasses import dataclass

from rocketmq_lite.protocol.headers.shape import I32, Header

__all__ = [
    "DeleteSubscriptionGroupRequestHeader",
    "GetConsumeStatsRequestHeader",
    "GetSubscriptionGroupConfigRequestHeader",
    "InvokeBrokerToResetOffsetRequestHeader",
    "QueryConsumeTimeSpanRequestHeader",
    "QuerySubscriptionByConsumerRequestHeader",
    "QueryTopicsByConsumerRequestHeader",
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
