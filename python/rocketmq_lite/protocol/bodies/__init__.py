"""Bodies of remoting commands: fastjson text as frozen dataclasses."""

from rocketmq_lite.protocol.bodies.client import (
    ConsumerData,
    ConsumerList,
    HeartbeatData,
    ProducerData,
    SubscriptionData,
    SubscriptionGroupConfig,
)
from rocketmq_lite.protocol.bodies.register import RegisterBrokerBody
from rocketmq_lite.protocol.bodies.topic import (
    BrokerData,
    BrokerMemberGroup,
    ClusterInfo,
    DataVersion,
    KVTable,
    QueueData,
    TopicConfig,
    TopicList,
    TopicRouteData,
)

__all__ = [
    "BrokerData",
    "BrokerMemberGroup",
    "ClusterInfo",
    "ConsumerData",
    "ConsumerList",
    "DataVersion",
    "HeartbeatData",
    "KVTable",
    "ProducerData",
    "QueueData",
    "RegisterBrokerBody",
    "SubscriptionData",
    "SubscriptionGroupConfig",
    "TopicConfig",
    "TopicList",
    "TopicRouteData",
]
