"""What clients tell brokers about themselves, and the settings of their groups (request-codes.md 4, 13)."""

from __future__ import annotations

from dataclasses import field

from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies.shape import JsonBody
from rocketmq_lite.protocol.bodies.topic import DataVersion
from rocketmq_lite.protocol.headers.shape import I32, key
from rocketmq_lite.records import dataclass

__all__ = [
    "CheckClientConfig",
    "ConsumerData",
    "ConsumerList",
    "GroupList",
    "GroupSubscription",
    "HeartbeatData",
    "LockBatch",
    "LockedQueues",
    "ProducerData",
    "SubscriptionData",
    "SubscriptionGroupConfig",
    "SubscriptionGroupList",
    "SubscriptionGroupTable",
]


@dataclass(frozen=True, slots=True)
class SubscriptionData(JsonBody):
    """What a group wants of one topic."""

    topic: str
    sub_string: str = "*"
    tags_set: tuple[str, ...] = ()
    code_set: tuple[int, ...] = ()
    sub_version: int = 0
    expression_type: str = "TAG"
    class_filter_mode: bool = False


@dataclass(frozen=True, slots=True)
class ConsumerData(JsonBody):
    """One consumer group of a client."""

    group_name: str
    consume_type: str = "CONSUME_PASSIVELY"
    message_model: str = "CLUSTERING"
    consume_from_where: str = "CONSUME_FROM_LAST_OFFSET"
    subscription_data_set: tuple[SubscriptionData, ...] = ()
    unit_mode: bool = False


@dataclass(frozen=True, slots=True)
class ProducerData(JsonBody):
    """One producer group of a client."""

    group_name: str


@dataclass(frozen=True, slots=True)
class HeartbeatData(JsonBody):
    """34."""

    client_id: str = key("clientID", default="")
    producer_data_set: tuple[ProducerData, ...] = ()
    consumer_data_set: tuple[ConsumerData, ...] = ()
    heartbeat_fingerprint: int = 0
    without_sub: bool = False


@dataclass(frozen=True, slots=True)
class ConsumerList(JsonBody):
    """Answer to 38."""

    consumer_id_list: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckClientConfig(JsonBody):
    """46: whether the broker can do what a consumer is about to subscribe to."""

    client_id: str = ""
    group: str = ""
    namespace: str = ""
    subscription_data: SubscriptionData | None = None


@dataclass(frozen=True, slots=True)
class LockBatch(JsonBody):
    """41 and 42: queues that a client wants for itself, or gives back."""

    consumer_group: str
    client_id: str
    mq_set: tuple[MessageQueue, ...] = ()
    only_this_broker: bool = False


@dataclass(frozen=True, slots=True)
class LockedQueues(JsonBody):
    """Answer to 41: those of them that the client has."""

    lock_ok_mq_set: tuple[MessageQueue, ...] = key("lockOKMQSet", default=())


@dataclass(frozen=True, slots=True)
class GroupList(JsonBody):
    """Answer to 300."""

    group_list: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupSubscription(JsonBody):
    """Answer to 345; without the subscription when the group has none to the topic now."""

    group: str = ""
    topic: str = ""
    subscription_data: SubscriptionData | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionGroupConfig(JsonBody):
    """A consumer group's settings; the defaults are those of a group made by its first use."""

    group_name: str
    consume_enable: bool = True
    consume_from_min_enable: bool = True
    consume_broadcast_enable: bool = True
    consume_message_orderly: bool = False
    retry_queue_nums: I32 = 1
    retry_max_times: I32 = 16
    group_retry_policy: dict[str, object] = field(default_factory=lambda: {"type": "CUSTOMIZED"})
    broker_id: int = 0
    which_broker_when_consume_slowly: I32 = 1
    notify_consumer_ids_changed_enable: bool = True
    group_sys_flag: I32 = 0
    consume_timeout_minute: I32 = 15
    subscription_data_set: tuple[dict[str, object], ...] | None = None
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubscriptionGroupList(JsonBody):
    """225."""

    group_config_list: tuple[SubscriptionGroupConfig, ...]


@dataclass(frozen=True, slots=True)
class SubscriptionGroupTable(JsonBody):
    """Answer to 201, and ``subscriptionGroup.json``; the bits say which topics a group may not read."""

    data_version: DataVersion = field(default_factory=DataVersion)
    subscription_group_table: dict[str, SubscriptionGroupConfig] = field(default_factory=dict)
    forbidden_table: dict[str, dict[str, int]] = field(default_factory=dict)
