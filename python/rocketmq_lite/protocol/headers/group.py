"""Headers about subscription groups (request-codes.md 9)."""

from __future__ import annotations

from dataclasses import dataclass

from rocketmq_lite.protocol.headers.shape import Header

__all__ = [
    "DeleteSubscriptionGroupRequestHeader",
    "GetConsumeStatsRequestHeader",
    "GetSubscriptionGroupConfigRequestHeader",
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
