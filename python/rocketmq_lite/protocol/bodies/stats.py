"""How full topics are and how far groups have come; the tables have queues as keys (request-codes.md 9)."""

from __future__ import annotations

from dataclasses import field

from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies.shape import JsonBody
from rocketmq_lite.records import dataclass

__all__ = [
    "BrokerConsumeStats",
    "ConsumeOffset",
    "ConsumeStats",
    "ConsumeTimeSpan",
    "ConsumeTimeSpans",
    "ConsumerStatus",
    "ResetOffsets",
    "SkippedOffsets",
    "TopicOffset",
    "TopicStats",
]


@dataclass(frozen=True, slots=True)
class TopicOffset(JsonBody):
    """The bounds of one queue; the time is that of the last message in milliseconds, 0 if there is none."""

    min_offset: int = 0
    max_offset: int = 0
    last_update_timestamp: int = 0


@dataclass(frozen=True, slots=True)
class TopicStats(JsonBody):
    """Answer to 202."""

    offset_table: dict[MessageQueue, TopicOffset] = field(default_factory=dict)
    topic_put_tps: float = 0.0


@dataclass(frozen=True, slots=True)
class SkippedOffsets(JsonBody):
    """What a group could not read any more in one queue, because it was removed for its age; only our brokers tell.

    Attributes:
        begin: Where the group stood.
        end: The oldest message that was left, where it was sent on to.
        timestamp: When, in milliseconds.
    """

    begin: int
    end: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class ConsumeOffset(JsonBody):
    """A group's position in one queue.

    Attributes:
        broker_offset: Where the next message will be stored.
        consumer_offset: The next message that the group will consume; 0 too where it has no position.
        pull_offset: The next message that the group will ask for.
        last_timestamp: When the last consumed message was stored, in milliseconds; 0 if nothing is consumed.
        skipped: What the group lost last, because it fell behind what is kept.
    """

    broker_offset: int = 0
    consumer_offset: int = 0
    pull_offset: int = 0
    last_timestamp: int = 0
    skipped: SkippedOffsets | None = None


@dataclass(frozen=True, slots=True)
class ConsumeStats(JsonBody):
    """Answer to 208."""

    offset_table: dict[MessageQueue, ConsumeOffset] = field(default_factory=dict)
    consume_tps: float = 0.0


@dataclass(frozen=True, slots=True)
class BrokerConsumeStats(JsonBody):
    """Answer to 317: for each group a map with it as the only key, and how many messages wait in all."""

    broker_addr: str = ""
    consume_stats_list: tuple[dict[str, tuple[ConsumeStats, ...]], ...] = ()
    total_diff: int = 0
    total_inflight_diff: int = 0


@dataclass(frozen=True, slots=True)
class ConsumeTimeSpan(JsonBody):
    """Store times around a group's position in one queue, in milliseconds, -1 where there is no message.

    Attributes:
        min_time_stamp: Of the first message.
        max_time_stamp: Of the last one.
        consume_time_stamp: Of the last consumed one; of the first one while none is.
        delay_time: How long the next one to consume has been waiting.
    """

    message_queue: MessageQueue
    min_time_stamp: int = -1
    max_time_stamp: int = -1
    consume_time_stamp: int = -1
    delay_time: int = 0
    min_time_stamp_str: str | None = None
    max_time_stamp_str: str | None = None
    consume_time_stamp_str: str | None = None


@dataclass(frozen=True, slots=True)
class ConsumeTimeSpans(JsonBody):
    """Answer to 303."""

    consume_time_span_set: tuple[ConsumeTimeSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class ResetOffsets(JsonBody):
    """Answer to 222, and what 220 tells: where each queue's consumers go on."""

    offset_table: dict[MessageQueue, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConsumerStatus(JsonBody):
    """Answer to 221: a member's own positions in a topic. Answer to 223: those of each member, by client id."""

    message_queue_table: dict[MessageQueue, int] = field(default_factory=dict)
    consumer_table: dict[str, dict[MessageQueue, int]] = field(default_factory=dict)
