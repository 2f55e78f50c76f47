"""The table of requests: code, name, who answers it, and the headers that go with it.

A header is named where this package reads or writes it. Requests that only exist between other programs
(controllers, containers) are listed without, so that every code has a name and an owner.
"""

from __future__ import annotations

from enum import Flag, auto
from typing import TYPE_CHECKING, Final

from rocketmq_lite.protocol.codes import RequestCode as Code
from rocketmq_lite.protocol.headers import group, heartbeat, offset, pull, route, send, topic
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from rocketmq_lite.protocol.headers.shape import Header

__all__ = ["REGISTRY", "RequestSpec", "Role"]


class Role(Flag):
    """Programs that answer requests."""

    NAME_SERVER = auto()
    BROKER = auto()
    CLIENT = auto()


@dataclass(frozen=True, slots=True)
class RequestSpec:
    """One request.

    Attributes:
        answered_by: Who it may be sent to.
        request: Its header, if it has one that this package knows.
        response: The header of its answer, likewise.
    """

    code: Code
    answered_by: Role
    request: type[Header] | None = None
    response: type[Header] | None = None


_NAME_SERVER: Final = frozenset(
    {
        Code.PUT_KV_CONFIG,
        Code.GET_KV_CONFIG,
        Code.DELETE_KV_CONFIG,
        Code.REGISTER_BROKER,
        Code.UNREGISTER_BROKER,
        Code.GET_ROUTEINFO_BY_TOPIC,
        Code.GET_BROKER_CLUSTER_INFO,
        Code.WIPE_WRITE_PERM_OF_BROKER,
        Code.GET_ALL_TOPIC_LIST_FROM_NAMESERVER,
        Code.DELETE_TOPIC_IN_NAMESRV,
        Code.REGISTER_TOPIC_IN_NAMESRV,
        Code.GET_KVLIST_BY_NAMESPACE,
        Code.GET_TOPICS_BY_CLUSTER,
        Code.GET_SYSTEM_TOPIC_LIST_FROM_NS,
        Code.GET_UNIT_TOPIC_LIST,
        Code.GET_HAS_UNIT_SUB_TOPIC_LIST,
        Code.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST,
        Code.UPDATE_NAMESRV_CONFIG,
        Code.GET_NAMESRV_CONFIG,
        Code.QUERY_DATA_VERSION,
        Code.ADD_WRITE_PERM_OF_BROKER,
        Code.GET_BROKER_MEMBER_GROUP,
        Code.BROKER_HEARTBEAT,
    }
)

# What brokers send to clients; three of them are also asked of a broker, which passes them on.
_CLIENT: Final = {
    Code.CHECK_TRANSACTION_STATE: Role.CLIENT,
    Code.NOTIFY_CONSUMER_IDS_CHANGED: Role.CLIENT,
    Code.RESET_CONSUMER_CLIENT_OFFSET: Role.CLIENT,
    Code.GET_CONSUMER_STATUS_FROM_CLIENT: Role.CLIENT,
    Code.PUSH_REPLY_MESSAGE_TO_CLIENT: Role.CLIENT,
    Code.GET_CONSUMER_RUNNING_INFO: Role.CLIENT | Role.BROKER,
    Code.CONSUME_MESSAGE_DIRECTLY: Role.CLIENT | Role.BROKER,
}

_HEADERS: Final[dict[Code, tuple[type[Header] | None, type[Header] | None]]] = {
    Code.SEND_MESSAGE: (send.SendMessageRequestHeader, send.SendMessageResponseHeader),
    Code.SEND_MESSAGE_V2: (send.SendMessageRequestHeaderV2, send.SendMessageResponseHeader),
    Code.SEND_BATCH_MESSAGE: (send.SendMessageRequestHeaderV2, send.SendMessageResponseHeader),
    Code.PULL_MESSAGE: (pull.PullMessageRequestHeader, pull.PullMessageResponseHeader),
    Code.LITE_PULL_MESSAGE: (pull.PullMessageRequestHeader, pull.PullMessageResponseHeader),
    Code.QUERY_MESSAGE: (pull.QueryMessageRequestHeader, pull.QueryMessageResponseHeader),
    Code.VIEW_MESSAGE_BY_ID: (pull.ViewMessageRequestHeader, None),
    Code.QUERY_CONSUMER_OFFSET: (offset.QueryConsumerOffsetRequestHeader, offset.OffsetResponseHeader),
    Code.UPDATE_CONSUMER_OFFSET: (offset.UpdateConsumerOffsetRequestHeader, None),
    Code.SEARCH_OFFSET_BY_TIMESTAMP: (offset.SearchOffsetRequestHeader, offset.OffsetResponseHeader),
    Code.GET_MAX_OFFSET: (offset.GetMaxOffsetRequestHeader, offset.OffsetResponseHeader),
    Code.GET_MIN_OFFSET: (offset.QueueRequestHeader, offset.OffsetResponseHeader),
    Code.GET_EARLIEST_MSG_STORETIME: (
        offset.QueueRequestHeader,
        offset.GetEarliestMsgStoretimeResponseHeader,
    ),
    Code.UNREGISTER_CLIENT: (heartbeat.UnregisterClientRequestHeader, None),
    Code.CONSUMER_SEND_MSG_BACK: (send.ConsumerSendMsgBackRequestHeader, None),
    Code.GET_CONSUMER_LIST_BY_GROUP: (heartbeat.GetConsumerListByGroupRequestHeader, None),
    Code.NOTIFY_CONSUMER_IDS_CHANGED: (heartbeat.NotifyConsumerIdsChangedRequestHeader, None),
    Code.GET_CONSUMER_CONNECTION_LIST: (heartbeat.GetConsumerConnectionListRequestHeader, None),
    Code.GET_CONSUMER_RUNNING_INFO: (heartbeat.GetConsumerRunningInfoRequestHeader, None),
    Code.CONSUME_MESSAGE_DIRECTLY: (heartbeat.ConsumeMessageDirectlyResultRequestHeader, None),
    Code.GET_PRODUCER_CONNECTION_LIST: (heartbeat.GetProducerConnectionListRequestHeader, None),
    Code.UPDATE_AND_CREATE_TOPIC: (topic.CreateTopicRequestHeader, None),
    Code.DELETE_TOPIC_IN_BROKER: (topic.TopicRequestHeader, None),
    Code.GET_TOPIC_CONFIG: (topic.TopicRequestHeader, None),
    Code.GET_TOPIC_STATS_INFO: (topic.TopicRequestHeader, None),
    Code.DELETE_SUBSCRIPTIONGROUP: (group.DeleteSubscriptionGroupRequestHeader, None),
    Code.GET_SUBSCRIPTIONGROUP_CONFIG: (group.GetSubscriptionGroupConfigRequestHeader, None),
    Code.GET_CONSUME_STATS: (group.GetConsumeStatsRequestHeader, None),
    Code.QUERY_TOPIC_CONSUME_BY_WHO: (topic.TopicRequestHeader, None),
    Code.QUERY_TOPICS_BY_CONSUMER: (group.QueryTopicsByConsumerRequestHeader, None),
    Code.INVOKE_BROKER_TO_RESET_OFFSET: (group.InvokeBrokerToResetOffsetRequestHeader, None),
    Code.GET_BROKER_CONSUME_STATS: (group.GetBrokerConsumeStatsRequestHeader, None),
    Code.RESET_CONSUMER_CLIENT_OFFSET: (group.ResetOffsetRequestHeader, None),
    Code.GET_CONSUMER_STATUS_FROM_CLIENT: (group.GetConsumerStatusRequestHeader, None),
    Code.INVOKE_BROKER_TO_GET_CONSUMER_STATUS: (group.GetConsumerStatusRequestHeader, None),
    Code.CLONE_GROUP_OFFSET: (group.CloneGroupOffsetRequestHeader, None),
    Code.QUERY_CONSUME_TIME_SPAN: (group.QueryConsumeTimeSpanRequestHeader, None),
    Code.QUERY_SUBSCRIPTION_BY_CONSUMER: (group.QuerySubscriptionByConsumerRequestHeader, None),
    Code.GET_ROUTEINFO_BY_TOPIC: (route.GetRouteInfoRequestHeader, None),
    Code.REGISTER_BROKER: (route.RegisterBrokerRequestHeader, route.RegisterBrokerResponseHeader),
    Code.UNREGISTER_BROKER: (route.UnregisterBrokerRequestHeader, None),
    Code.QUERY_DATA_VERSION: (route.QueryDataVersionRequestHeader, route.QueryDataVersionResponseHeader),
    Code.BROKER_HEARTBEAT: (route.BrokerHeartbeatRequestHeader, None),
    Code.GET_BROKER_MEMBER_GROUP: (route.GetBrokerMemberGroupRequestHeader, None),
    Code.REGISTER_TOPIC_IN_NAMESRV: (topic.TopicRequestHeader, None),
    Code.GET_TOPICS_BY_CLUSTER: (route.ClusterRequestHeader, None),
    Code.DELETE_TOPIC_IN_NAMESRV: (route.DeleteTopicInNamesrvRequestHeader, None),
    Code.WIPE_WRITE_PERM_OF_BROKER: (route.BrokerNameRequestHeader, route.WipeWritePermResponseHeader),
    Code.ADD_WRITE_PERM_OF_BROKER: (route.BrokerNameRequestHeader, route.AddWritePermResponseHeader),
    Code.PUT_KV_CONFIG: (route.PutKVConfigRequestHeader, None),
    Code.GET_KV_CONFIG: (route.KVKeyRequestHeader, route.GetKVConfigResponseHeader),
    Code.DELETE_KV_CONFIG: (route.KVKeyRequestHeader, None),
    Code.GET_KVLIST_BY_NAMESPACE: (route.KVNamespaceRequestHeader, None),
}


def _answered_by(code: Code) -> Role:
    return Role.NAME_SERVER if code in _NAME_SERVER else _CLIENT.get(code, Role.BROKER)


REGISTRY: Final = {
    code: RequestSpec(code, _answered_by(code), *_HEADERS.get(code, (None, None))) for code in Code
}
"""Every request by its code."""
