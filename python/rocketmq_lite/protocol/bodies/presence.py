"""Who is connected, and what a consumer is doing (request-codes.md 9, 13)."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import ClassVar

from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies.client import SubscriptionData
from rocketmq_lite.protocol.bodies.shape import JsonBody
from rocketmq_lite.protocol.headers.shape import key
from rocketmq_lite.records import dataclass

__all__ = [
    "BlockedQueue",
    "BlockedQueues",
    "Connection",
    "ConsumeDirectlyResult",
    "ConsumeMessageDirectlyResult",
    "ConsumerConnection",
    "ConsumerRunningInfo",
    "ProcessQueueInfo",
    "ProducerConnection",
    "ProducerInfo",
    "ProducerTable",
]


@dataclass(frozen=True, slots=True)
class Connection(JsonBody):
    """One client of a group."""

    client_id: str = ""
    client_addr: str = ""
    language: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class ConsumerConnection(JsonBody):
    """Answer to 203: a consumer group that is online."""

    connection_set: tuple[Connection, ...] = ()
    subscription_table: dict[str, SubscriptionData] = field(default_factory=dict)
    consume_type: str = "CONSUME_PASSIVELY"
    message_model: str = "CLUSTERING"
    consume_from_where: str = "CONSUME_FROM_LAST_OFFSET"


@dataclass(frozen=True, slots=True)
class ProducerConnection(JsonBody):
    """Answer to 204: a producer group that is online."""

    connection_set: tuple[Connection, ...] = ()


@dataclass(frozen=True, slots=True)
class ProducerInfo(JsonBody):
    """One client of a producer group; its address has a slash in front, as Java prints one."""

    client_id: str = ""
    remote_ip: str = key("remoteIP", default="")
    language: str = ""
    version: int = 0
    last_update_timestamp: int = 0


@dataclass(frozen=True, slots=True)
class ProducerTable(JsonBody):
    """Answer to 328: every producer group that is online."""

    data: dict[str, tuple[ProducerInfo, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProcessQueueInfo(JsonBody):
    """How a consumer stands in one of its queues ("droped" is Java's spelling); times in milliseconds."""

    commit_offset: int = 0
    cached_msg_min_offset: int = 0
    cached_msg_max_offset: int = 0
    cached_msg_count: int = 0
    cached_msg_size_in_mi_b: int = 0
    transaction_msg_min_offset: int = 0
    transaction_msg_max_offset: int = 0
    transaction_msg_count: int = 0
    locked: bool = False
    try_unlock_times: int = 0
    last_lock_timestamp: int = 0
    droped: bool = False
    last_pull_timestamp: int = 0
    last_consume_timestamp: int = 0


@dataclass(frozen=True, slots=True)
class BlockedQueue(JsonBody):
    """What an ordered consumer of ours is held up by in one queue; ``since`` in milliseconds of wall time."""

    queue: MessageQueue
    offset: int
    attempts: int
    since: int
    error: str
    stands: bool


@dataclass(frozen=True, slots=True)
class BlockedQueues(JsonBody):
    """A property of our consumers' answers to 307, which no other client gives."""

    PROPERTY: ClassVar[str] = "PROP_BLOCKED_QUEUES"

    queues: tuple[BlockedQueue, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsumerRunningInfo(JsonBody):
    """Answer to 307: what a consumer says of itself."""

    properties: dict[str, str] = field(default_factory=dict)
    subscription_set: tuple[SubscriptionData, ...] = ()
    mq_table: dict[MessageQueue, ProcessQueueInfo] = field(default_factory=dict)
    mq_pop_table: dict[MessageQueue, object] = field(default_factory=dict)
    status_table: dict[str, object] = field(default_factory=dict)
    user_consumer_info: dict[str, str] = field(default_factory=dict)
    jstack: str | None = None


class ConsumeDirectlyResult(StrEnum):
    """How a consumer ended its work on a message that it was handed directly (Java's ``CMResult``)."""

    SUCCESS = "CR_SUCCESS"
    LATER = "CR_LATER"
    """It wants the message again later."""
    ROLLBACK = "CR_ROLLBACK"
    COMMIT = "CR_COMMIT"
    THROW_EXCEPTION = "CR_THROW_EXCEPTION"
    RETURN_NULL = "CR_RETURN_NULL"


@dataclass(frozen=True, slots=True)
class ConsumeMessageDirectlyResult(JsonBody):
    """Answer to 309; ``consume_result`` is a name of :class:`ConsumeDirectlyResult`, ``spent_time_mills`` milliseconds."""

    order: bool = False
    auto_commit: bool = True
    consume_result: str = ConsumeDirectlyResult.SUCCESS.value
    remark: str | None = None
    spent_time_mills: int = 0
