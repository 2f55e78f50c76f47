"""What codes mean, for people: the one source of `rmq explain` and of the hints that errors carry.

Every code of :mod:`~rocketmq_lite.protocol.codes` has an entry; a test says so.
"""

from __future__ import annotations

from typing import Final

from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.records import dataclass

__all__ = ["REQUESTS", "RESPONSES", "Explanation", "advice_on"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One response code.

    Attributes:
        meaning: What it says.
        cause: What leads to it.
        advice: What to do about it; empty when there is nothing to do.
    """

    meaning: str
    cause: str
    advice: str = ""


def advice_on(code: int) -> str:
    """What to do about a response code; empty for one that is not known, or that needs nothing done."""
    try:
        return RESPONSES[ResponseCode(code)].advice
    except ValueError:
        return ""


_Code = ResponseCode
_UNUSED: Final = "servers of today do not send it; the number is kept so that logs can be read"
_CONTROLLER: Final = "comes from a controller, which keeps the masters of a cluster with automatic failover"
_PULL_NORMAL: Final = "every consumer gets it now and then; clients go on by themselves"

RESPONSES: Final[dict[ResponseCode, Explanation]] = {
    _Code.SUCCESS: Explanation("done", "the request was carried out"),
    _Code.SYSTEM_ERROR: Explanation(
        "the server failed, or refused without a code of its own",
        "many things: a field that is missing, a group that nobody is in, an error inside the server",
        "read the remark that comes with it; if it does not help, the server's log",
    ),
    _Code.SYSTEM_BUSY: Explanation(
        "the server has too much to do",
        "requests waited longer than allowed, a queue of them is full, or the disk does not keep up",
        "the broker is overloaded; try again in a moment",
    ),
    _Code.REQUEST_CODE_NOT_SUPPORTED: Explanation(
        "the server does not know the request",
        "an older server, a feature that is not built, or a name server asked what a broker answers",
        "this server does not have that feature, or is of another kind",
    ),
    _Code.TRANSACTION_FAILED: Explanation("the transaction failed", _UNUSED),
    _Code.FLUSH_DISK_TIMEOUT: Explanation(
        "stored, but the disk did not confirm in time",
        "the broker flushes synchronously and the disk took longer than 5 seconds",
        "the message is there; a power loss now may lose it. Look at the broker's disk",
    ),
    _Code.SLAVE_NOT_AVAILABLE: Explanation(
        "stored, but no slave has a copy",
        "the master replicates synchronously and no slave is connected or near enough",
        "the message is there; losing this master's disk now loses it. Look for the slave",
    ),
    _Code.FLUSH_SLAVE_TIMEOUT: Explanation(
        "stored, but the slave did not confirm in time",
        "the master replicates synchronously and the slave took longer than 3 seconds",
        "the message is there; losing this master's disk now may lose it. Look at the slave and the network",
    ),
    _Code.MESSAGE_ILLEGAL: Explanation(
        "the message cannot be stored as it is",
        "body or properties are too large, the topic's name is too long, or the delay asked for cannot be",
        "check the size of body and properties, and that no delay is asked for",
    ),
    _Code.SERVICE_NOT_AVAILABLE: Explanation(
        "the broker takes no messages now",
        "its disk is full or failing, it is stopping, or it is a slave",
        "look at the broker's disk and log; producers go to another broker by themselves",
    ),
    _Code.VERSION_NOT_SUPPORTED: Explanation("the version is not supported", _UNUSED),
    _Code.NO_PERMISSION: Explanation(
        "not allowed",
        "the topic, the group or the broker forbids it (perm r, w or neither; a group that may not consume), the topic"
        " is reserved, or the user lacks a permission",
        "check the permissions of the topic, the group and the user",
    ),
    _Code.TOPIC_NOT_EXIST: Explanation(
        "there is no such topic",
        "a misspelt name, a topic that no registered broker has, or one that is not created by the first message",
        "create it with 'rmq topic create', or check the name",
    ),
    _Code.TOPIC_EXIST_ALREADY: Explanation("the topic exists already", _UNUSED),
    _Code.PULL_NOT_FOUND: Explanation("no new message", _PULL_NORMAL),
    _Code.PULL_RETRY_IMMEDIATELY: Explanation(
        "no message that matches the filter in this stretch", _PULL_NORMAL
    ),
    _Code.PULL_OFFSET_MOVED: Explanation(
        "the queue does not have that offset",
        "the messages there were deleted for their age, the offset is behind the end, or it was reset",
        "clients go on at the offset that the answer names; messages in between are gone",
    ),
    _Code.QUERY_NOT_FOUND: Explanation(
        "nothing was found",
        "the group has no position in the queue yet, no message has that key, or the setting does not exist",
    ),
    _Code.SUBSCRIPTION_PARSE_FAILED: Explanation(
        "the filter expression cannot be read",
        "a tag expression or an SQL condition with a mistake in it",
        "check the expression: tags are 'a || b', conditions are SQL92 over properties",
    ),
    _Code.SUBSCRIPTION_NOT_EXIST: Explanation(
        "the broker does not know the group's subscription to this topic",
        "the group's heartbeat has not come yet, or members of one group subscribe to different topics",
        "give all members of the group the same topics; just after a start it passes by itself",
    ),
    _Code.SUBSCRIPTION_NOT_LATEST: Explanation(
        "the broker knows an older subscription of the group",
        "a member has started with a newer one and its heartbeat is on its way",
        "give all members of the group the same subscriptions; just after a start it passes by itself",
    ),
    _Code.SUBSCRIPTION_GROUP_NOT_EXIST: Explanation(
        "there is no such consumer group",
        "a misspelt name, or a broker that does not create groups on first use",
        "create it with 'rmq group create', or check the name",
    ),
    _Code.FILTER_DATA_NOT_EXIST: Explanation(
        "the broker has not compiled the group's SQL condition",
        "the heartbeat that brings it has not come yet",
        "just after a start it passes by itself",
    ),
    _Code.FILTER_DATA_NOT_LATEST: Explanation(
        "the broker has compiled an older SQL condition of the group",
        "a member has started with a newer one and its heartbeat is on its way",
        "give all members of the group the same condition; just after a start it passes by itself",
    ),
    _Code.INVALID_PARAMETER: Explanation(
        "a name or a number in the request cannot be",
        "a name with forbidden characters or too long, a reserved topic, a queue that the topic does not have",
        "read the remark that comes with it: it names the value",
    ),
    _Code.TRANSACTION_SHOULD_COMMIT: Explanation("the transaction should be committed", _UNUSED),
    _Code.TRANSACTION_SHOULD_ROLLBACK: Explanation("the transaction should be rolled back", _UNUSED),
    _Code.TRANSACTION_STATE_UNKNOW: Explanation("the state of the transaction is not known", _UNUSED),
    _Code.TRANSACTION_STATE_GROUP_WRONG: Explanation("the transaction belongs to another group", _UNUSED),
    _Code.NO_BUYER_ID: Explanation("the message has no buyer id", _UNUSED),
    _Code.NOT_IN_CURRENT_UNIT: Explanation(
        "the message belongs to another unit",
        "clusters cut into units by user refuse what is not theirs",
        "producers go to another broker by themselves",
    ),
    _Code.CONSUMER_NOT_ONLINE: Explanation(
        "nobody of the consumer group is connected",
        "no consumer of the group has sent a heartbeat to this broker in the last two minutes",
        "start a consumer of the group, or check its name with 'rmq group ls'",
    ),
    _Code.CONSUME_MSG_TIMEOUT: Explanation(
        "the client did not answer",
        "the broker passed a question on to a consumer, and no answer came within 10 seconds",
        "look at the consumer: it hangs, or its connection does",
    ),
    _Code.NO_MESSAGE: Explanation(
        "there is no message at that place",
        "the offset of an acknowledgement is not in the queue",
    ),
    _Code.POLLING_FULL: Explanation(
        "too many consumers are waiting already",
        "the broker holds a limited number of waiting pops; 4.9 servers: the ACL configuration was not updated",
        "use fewer consumers a queue, or shorter polls",
    ),
    _Code.POLLING_TIMEOUT: Explanation(
        "no message came while the pop waited",
        "nothing was sent; 4.9 servers: the ACL configuration was not deleted",
    ),
    _Code.BROKER_NOT_EXIST: Explanation(
        "there is no such broker",
        "the broker named is not registered; 4.9 servers: the list of allowed addresses was not updated",
        "check the name with 'rmq cluster ls'",
    ),
    _Code.BROKER_DISPATCH_NOT_COMPLETE: Explanation(
        "the broker is still filling its queues",
        "it is catching up after a start",
        "try again in a moment",
    ),
    _Code.BROADCAST_CONSUMPTION: Explanation(
        "the group consumes in broadcasting mode",
        "such a group's positions are kept by its members, not by the broker",
    ),
    _Code.FLOW_CONTROL: Explanation(
        "the broker slows the client down",
        "the group or the broker is over a limit",
        "clients wait 20 ms and go on by themselves",
    ),
    _Code.NOT_LEADER_FOR_QUEUE: Explanation(
        "another broker serves this queue",
        "a static topic was moved between brokers",
        "clients fetch the route again and go on by themselves",
    ),
    _Code.ILLEGAL_OPERATION: Explanation(
        "the operation is not possible now",
        "a transaction was ended too late, or a message cannot be recalled (it was delivered, or the handle is wrong)",
    ),
    _Code.GO_AWAY: Explanation(
        "the server is stopping and asks to use another connection",
        "an orderly stop",
        "clients repeat the request elsewhere by themselves",
    ),
    _Code.CONTROLLER_FENCED_MASTER_EPOCH: Explanation(
        "the master's epoch is not the current one", _CONTROLLER
    ),
    _Code.CONTROLLER_FENCED_SYNC_STATE_SET_EPOCH: Explanation(
        "the epoch of the set of replicas in sync is not the current one", _CONTROLLER
    ),
    _Code.CONTROLLER_INVALID_MASTER: Explanation("the sender is not the master", _CONTROLLER),
    _Code.CONTROLLER_INVALID_REPLICAS: Explanation("the set of replicas cannot be", _CONTROLLER),
    _Code.CONTROLLER_MASTER_NOT_AVAILABLE: Explanation("no replica can be the master now", _CONTROLLER),
    _Code.CONTROLLER_INVALID_REQUEST: Explanation("the request cannot be", _CONTROLLER),
    _Code.CONTROLLER_BROKER_NOT_ALIVE: Explanation("the broker is not alive", _CONTROLLER),
    _Code.CONTROLLER_NOT_LEADER: Explanation(
        "this controller is not the leader", _CONTROLLER, "ask the leader; clients find it by themselves"
    ),
    _Code.CONTROLLER_BROKER_METADATA_NOT_EXIST: Explanation("the broker is not known", _CONTROLLER),
    _Code.CONTROLLER_INVALID_CLEAN_BROKER_METADATA: Explanation(
        "the broker's entry cannot be removed", _CONTROLLER, "stop the broker first"
    ),
    _Code.CONTROLLER_BROKER_NEED_TO_BE_REGISTERED: Explanation(
        "the broker has to register first", _CONTROLLER
    ),
    _Code.CONTROLLER_MASTER_STILL_EXIST: Explanation("the present master is alive", _CONTROLLER),
    _Code.CONTROLLER_ELECT_MASTER_FAILED: Explanation("no master could be chosen", _CONTROLLER),
    _Code.CONTROLLER_ALTER_SYNC_STATE_SET_FAILED: Explanation(
        "the set of replicas in sync could not be changed", _CONTROLLER
    ),
    _Code.CONTROLLER_BROKER_ID_INVALID: Explanation("the broker id is taken or cannot be", _CONTROLLER),
    _Code.CONTROLLER_JRAFT_INTERNAL_ERROR: Explanation("the controllers do not agree", _CONTROLLER),
    _Code.CONTROLLER_BROKER_LIVE_INFO_NOT_EXISTS: Explanation(
        "the controller has not heard of the broker since it started", _CONTROLLER
    ),
    _Code.USER_NOT_EXIST: Explanation("there is no such user", _UNUSED),
    _Code.POLICY_NOT_EXIST: Explanation("there is no such policy", _UNUSED),
}

_Request = RequestCode
_NOBODY: Final = "not used any more"

REQUESTS: Final[dict[RequestCode, str]] = {
    _Request.SEND_MESSAGE: "store a message (long field names)",
    _Request.PULL_MESSAGE: "read messages of one queue; may be held until some come",
    _Request.QUERY_MESSAGE: "find messages by key or unique key",
    _Request.QUERY_BROKER_OFFSET: _NOBODY,
    _Request.QUERY_CONSUMER_OFFSET: "a group's position in a queue",
    _Request.UPDATE_CONSUMER_OFFSET: "store a group's position in a queue",
    _Request.UPDATE_AND_CREATE_TOPIC: "create or change a topic",
    _Request.UPDATE_AND_CREATE_TOPIC_LIST: "create or change several topics",
    _Request.GET_ALL_TOPIC_CONFIG: "the settings of all topics",
    _Request.GET_TOPIC_CONFIG_LIST: _NOBODY,
    _Request.GET_TOPIC_NAME_LIST: _NOBODY,
    _Request.UPDATE_BROKER_CONFIG: "change settings of a broker",
    _Request.TRIGGER_DELETE_FILES: _NOBODY,
    _Request.GET_BROKER_CONFIG: "the settings of a broker",
    _Request.GET_BROKER_RUNTIME_INFO: "how a broker is doing",
    _Request.SEARCH_OFFSET_BY_TIMESTAMP: "the first message of a queue stored at or after a time",
    _Request.GET_MAX_OFFSET: "where the next message of a queue will be",
    _Request.GET_MIN_OFFSET: "the first message of a queue that is still there",
    _Request.GET_EARLIEST_MSG_STORETIME: "when the first message of a queue was stored",
    _Request.VIEW_MESSAGE_BY_ID: "one message by its place in the log",
    _Request.HEART_BEAT: "a client tells which groups it is in and what they subscribe to",
    _Request.UNREGISTER_CLIENT: "a client leaves a group",
    _Request.CONSUMER_SEND_MSG_BACK: "a consumer could not process a message and wants it again later",
    _Request.END_TRANSACTION: "commit or roll back a transactional message",
    _Request.GET_CONSUMER_LIST_BY_GROUP: "the client ids of a consumer group",
    _Request.CHECK_TRANSACTION_STATE: "a broker asks a producer how a transaction ended",
    _Request.NOTIFY_CONSUMER_IDS_CHANGED: "a broker tells consumers that members of their group came or went",
    _Request.LOCK_BATCH_MQ: "a consumer takes queues for itself, to consume them in order",
    _Request.UNLOCK_BATCH_MQ: "a consumer gives such queues back",
    _Request.GET_ALL_CONSUMER_OFFSET: "the positions of all groups, for slaves",
    _Request.GET_ALL_DELAY_OFFSET: "how far delayed messages were delivered, for slaves",
    _Request.CHECK_CLIENT_CONFIG: "whether the broker can serve a subscription",
    _Request.GET_CLIENT_CONFIG: _NOBODY,
    _Request.UPDATE_AND_CREATE_ACL_CONFIG: "create or change an account (4.9)",
    _Request.DELETE_ACL_CONFIG: "delete an account (4.9)",
    _Request.GET_BROKER_CLUSTER_ACL_INFO: "the version of the accounts (4.9)",
    _Request.UPDATE_GLOBAL_WHITE_ADDRS_CONFIG: "change the addresses that need no account (4.9)",
    _Request.GET_BROKER_CLUSTER_ACL_CONFIG: "all accounts (4.9)",
    _Request.GET_TIMER_CHECK_POINT: "how far timed messages were delivered, for slaves",
    _Request.GET_TIMER_METRICS: "how many timed messages wait, by topic",
    _Request.PUT_KV_CONFIG: "store a setting at a name server",
    _Request.GET_KV_CONFIG: "read a setting of a name server",
    _Request.DELETE_KV_CONFIG: "delete a setting of a name server",
    _Request.REGISTER_BROKER: "a broker tells a name server its address and its topics",
    _Request.UNREGISTER_BROKER: "a broker takes itself off a name server",
    _Request.GET_ROUTEINFO_BY_TOPIC: "which brokers have a topic, and how many queues",
    _Request.GET_BROKER_CLUSTER_INFO: "all clusters and their brokers",
    _Request.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: "create or change a consumer group",
    _Request.GET_ALL_SUBSCRIPTIONGROUP_CONFIG: "the settings of all consumer groups",
    _Request.GET_TOPIC_STATS_INFO: "the bounds of a topic's queues",
    _Request.GET_CONSUMER_CONNECTION_LIST: "the members of a consumer group and what they subscribe to",
    _Request.GET_PRODUCER_CONNECTION_LIST: "the members of a producer group",
    _Request.WIPE_WRITE_PERM_OF_BROKER: "stop producers from sending to a broker",
    _Request.GET_ALL_TOPIC_LIST_FROM_NAMESERVER: "the names of all topics",
    _Request.DELETE_SUBSCRIPTIONGROUP: "delete a consumer group",
    _Request.GET_CONSUME_STATS: "how far a consumer group is",
    _Request.SUSPEND_CONSUMER: _NOBODY,
    _Request.RESUME_CONSUMER: _NOBODY,
    _Request.RESET_CONSUMER_OFFSET_IN_CONSUMER: _NOBODY,
    _Request.RESET_CONSUMER_OFFSET_IN_BROKER: _NOBODY,
    _Request.ADJUST_CONSUMER_THREAD_POOL: _NOBODY,
    _Request.WHO_CONSUME_THE_MESSAGE: _NOBODY,
    _Request.DELETE_TOPIC_IN_BROKER: "delete a topic on a broker",
    _Request.DELETE_TOPIC_IN_NAMESRV: "delete a topic's route at a name server",
    _Request.REGISTER_TOPIC_IN_NAMESRV: "tell a name server a topic's route",
    _Request.GET_KVLIST_BY_NAMESPACE: "all settings of a namespace at a name server",
    _Request.RESET_CONSUMER_CLIENT_OFFSET: "a broker tells consumers to go on elsewhere",
    _Request.GET_CONSUMER_STATUS_FROM_CLIENT: "a broker asks a consumer for its positions",
    _Request.INVOKE_BROKER_TO_RESET_OFFSET: "set a group's positions to a time or an offset",
    _Request.INVOKE_BROKER_TO_GET_CONSUMER_STATUS: "have a broker ask its consumers for their positions",
    _Request.GET_TOPICS_BY_CLUSTER: "the topics of a cluster",
    _Request.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST: "create or change several consumer groups",
    _Request.QUERY_TOPIC_CONSUME_BY_WHO: "the groups that read a topic",
    _Request.REGISTER_FILTER_SERVER: _NOBODY,
    _Request.REGISTER_MESSAGE_FILTER_CLASS: _NOBODY,
    _Request.QUERY_CONSUME_TIME_SPAN: "how far behind in time a group is",
    _Request.GET_SYSTEM_TOPIC_LIST_FROM_NS: "the names that clusters and brokers reserve",
    _Request.GET_SYSTEM_TOPIC_LIST_FROM_BROKER: "the topics that a broker reserves",
    _Request.CLEAN_EXPIRED_CONSUMEQUEUE: "delete queue files whose messages are gone",
    _Request.GET_CONSUMER_RUNNING_INFO: "ask a consumer, through its broker, how it runs",
    _Request.QUERY_CORRECTION_OFFSET: "compare the positions of groups",
    _Request.CONSUME_MESSAGE_DIRECTLY: "have a consumer, through its broker, process one message",
    _Request.SEND_MESSAGE_V2: "store a message (one-letter field names)",
    _Request.GET_UNIT_TOPIC_LIST: "the topics that are cut into units",
    _Request.GET_HAS_UNIT_SUB_TOPIC_LIST: "the topics with subscriptions by unit",
    _Request.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST: "the topics without units, with subscriptions by unit",
    _Request.CLONE_GROUP_OFFSET: "copy a group's positions to another group",
    _Request.VIEW_BROKER_STATS_DATA: "one statistic of a broker",
    _Request.CLEAN_UNUSED_TOPIC: "delete queue files of topics that are gone",
    _Request.GET_BROKER_CONSUME_STATS: "how far all groups are",
    _Request.UPDATE_NAMESRV_CONFIG: "change settings of a name server",
    _Request.GET_NAMESRV_CONFIG: "the settings of a name server",
    _Request.SEND_BATCH_MESSAGE: "store several messages of one queue at once",
    _Request.QUERY_CONSUME_QUEUE: "entries of a queue file",
    _Request.QUERY_DATA_VERSION: "whether a name server has a broker's newest topics",
    _Request.RESUME_CHECK_HALF_MESSAGE: "have a given-up transaction checked again",
    _Request.SEND_REPLY_MESSAGE: "answer a request message (long field names)",
    _Request.SEND_REPLY_MESSAGE_V2: "answer a request message (one-letter field names)",
    _Request.PUSH_REPLY_MESSAGE_TO_CLIENT: "a broker brings a requester its answer",
    _Request.ADD_WRITE_PERM_OF_BROKER: "let producers send to a broker again",
    _Request.GET_ALL_PRODUCER_INFO: "the members of all producer groups",
    _Request.DELETE_EXPIRED_COMMITLOG: "delete log files that are over their age",
    _Request.QUERY_TOPICS_BY_CONSUMER: "the topics in which a group has a position",
    _Request.QUERY_SUBSCRIPTION_BY_CONSUMER: "what a group subscribes to of a topic",
    _Request.GET_TOPIC_CONFIG: "the settings of a topic",
    _Request.GET_SUBSCRIPTIONGROUP_CONFIG: "the settings of a consumer group",
    _Request.UPDATE_AND_GET_GROUP_FORBIDDEN: "forbid a group to read a topic, or allow it again",
    _Request.CHECK_ROCKSDB_CQ_WRITE_PROGRESS: "compare queues kept in two formats",
    _Request.EXPORT_ROCKSDB_CONFIG_TO_JSON: "write settings kept in a database as JSON",
    _Request.LITE_PULL_MESSAGE: "read messages of one queue, for pull consumers",
    _Request.RECALL_MESSAGE: "take a timed message back before it is delivered",
    _Request.QUERY_ASSIGNMENT: "have the broker share out the queues of a group",
    _Request.SET_MESSAGE_REQUEST_MODE: "have a group pull or pop",
    _Request.GET_ALL_MESSAGE_REQUEST_MODE: "which groups pull and which pop, for slaves",
    _Request.UPDATE_AND_CREATE_STATIC_TOPIC: "create or change a topic whose queues can move between brokers",
    _Request.GET_BROKER_MEMBER_GROUP: "the master and slaves of one broker name",
    _Request.ADD_BROKER: "start a broker inside a broker container",
    _Request.REMOVE_BROKER: "stop a broker inside a broker container",
    _Request.BROKER_HEARTBEAT: "a broker is still there",
    _Request.NOTIFY_MIN_BROKER_ID_CHANGE: "a name server tells slaves which of them acts for the master",
    _Request.EXCHANGE_BROKER_HA_INFO: "master and slave tell each other their replication addresses",
    _Request.GET_BROKER_HA_STATUS: "how replication is doing",
    _Request.RESET_MASTER_FLUSH_OFFSET: "tell a slave how far its master's log is safe",
    _Request.GET_BROKER_EPOCH_CACHE: "which master wrote which part of the log",
    _Request.NOTIFY_BROKER_ROLE_CHANGED: "a controller tells a broker its new role",
    _Request.UPDATE_COLD_DATA_FLOW_CTR_CONFIG: "limit how much old data a group may read",
    _Request.REMOVE_COLD_DATA_FLOW_CTR_CONFIG: "lift such a limit",
    _Request.GET_COLD_DATA_FLOW_CTR_INFO: "who reads how much old data",
    _Request.SET_COMMITLOG_READ_MODE: "read the log with or without read-ahead",
    _Request.AUTH_CREATE_USER: "create a user",
    _Request.AUTH_UPDATE_USER: "change a user",
    _Request.AUTH_DELETE_USER: "delete a user",
    _Request.AUTH_GET_USER: "one user",
    _Request.AUTH_LIST_USER: "all users",
    _Request.AUTH_CREATE_ACL: "give a user permissions",
    _Request.AUTH_UPDATE_ACL: "change a user's permissions",
    _Request.AUTH_DELETE_ACL: "take permissions from a user",
    _Request.AUTH_GET_ACL: "the permissions of one user",
    _Request.AUTH_LIST_ACL: "the permissions of all users",
    _Request.POP_MESSAGE: "take messages of any queue; unacknowledged ones come again",
    _Request.ACK_MESSAGE: "acknowledge a popped message",
    _Request.PEEK_MESSAGE: "look at messages without taking them",
    _Request.CHANGE_MESSAGE_INVISIBLETIME: "change when a popped message comes again",
    _Request.NOTIFICATION: "whether there are messages to pop",
    _Request.POLLING_INFO: "how many pops are waiting",
    _Request.POP_ROLLBACK: "change how pops are recorded",
    _Request.BATCH_ACK_MESSAGE: "acknowledge several popped messages",
}
