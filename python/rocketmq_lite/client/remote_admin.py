"""One typed function for each request that administrators make; see `remote` for the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.asking import ask, reading, refusal
from rocketmq_lite.client.remote_queues import QueueRemote
from rocketmq_lite.errors import BrokerError, RemoteProtocolError
from rocketmq_lite.protocol.bodies import (
    ClusterInfo,
    ConsumeMessageDirectlyResult,
    ConsumerConnection,
    ConsumerRunningInfo,
    ConsumeStats,
    KVTable,
    ProducerConnection,
    SubscriptionGroupTable,
    TopicConfig,
    TopicList,
    TopicStats,
)
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.framing import decode_messages
from rocketmq_lite.protocol.headers.group import (
    DeleteSubscriptionGroupRequestHeader,
    GetConsumeStatsRequestHeader,
    InvokeBrokerToResetOffsetRequestHeader,
    QueryTopicsByConsumerRequestHeader,
)
from rocketmq_lite.protocol.headers.heartbeat import (
    ConsumeMessageDirectlyResultRequestHeader,
    GetConsumerConnectionListRequestHeader,
    GetConsumerRunningInfoRequestHeader,
    GetProducerConnectionListRequestHeader,
)
from rocketmq_lite.protocol.headers.pull import (
    PullMessageRequestHeader,
    PullSysFlag,
    QueryMessageRequestHeader,
    ViewMessageRequestHeader,
)
from rocketmq_lite.protocol.headers.route import DeleteTopicInNamesrvRequestHeader
from rocketmq_lite.protocol.headers.topic import TopicRequestHeader
from rocketmq_lite.protocol.properties_text import dump_properties, load_properties
from rocketmq_lite.protocol.reserved import TOOLS_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import ConsumeOffset, SubscriptionGroupConfig, TopicOffset
    from rocketmq_lite.protocol.framing import RawMessage
    from rocketmq_lite.protocol.headers.topic import CreateTopicRequestHeader

__all__ = ["AdminRemote"]

_RELAYED_TIMEOUT: Final = 12.0
"""Seconds for what a broker passes on to a client: it gives the client 10."""
_FOREVER_MS: Final = 1 << 62


class AdminRemote(QueueRemote):
    """The requests of one administrator; those about one queue are in `QueueRemote`.

    Args:
        pool: Its connections.
    """

    # --- the cluster ------------------------------------------------------------------------------------

    async def cluster(self, address: str) -> ClusterInfo:
        """106: all brokers of all clusters."""
        answer = await ask(self._pool, address, RequestCode.GET_BROKER_CLUSTER_INFO)
        with reading(address):
            return ClusterInfo.decode(answer.body)

    async def runtime(self, address: str) -> dict[str, str]:
        """28: how a broker is doing."""
        answer = await ask(self._pool, address, RequestCode.GET_BROKER_RUNTIME_INFO)
        with reading(address):
            return KVTable.decode(answer.body).table

    async def settings(self, address: str) -> dict[str, str]:
        """26: a broker's settings."""
        answer = await ask(self._pool, address, RequestCode.GET_BROKER_CONFIG)
        with reading(address):
            return load_properties(answer.body)

    async def change_settings(self, address: str, changes: Mapping[str, str]) -> None:
        """25: change a broker's settings."""
        await ask(self._pool, address, RequestCode.UPDATE_BROKER_CONFIG, body=dump_properties(changes))

    async def name_server_settings(self, address: str) -> dict[str, str]:
        """319: a name server's settings."""
        answer = await ask(self._pool, address, RequestCode.GET_NAMESRV_CONFIG)
        with reading(address):
            return load_properties(answer.body)

    async def change_name_server_settings(self, address: str, changes: Mapping[str, str]) -> None:
        """318: change a name server's settings; it ignores what it does not know."""
        await ask(self._pool, address, RequestCode.UPDATE_NAMESRV_CONFIG, body=dump_properties(changes))

    # --- topics -----------------------------------------------------------------------------------------

    async def topics(self, address: str) -> tuple[str, ...]:
        """206: the names of all topics."""
        answer = await ask(self._pool, address, RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER)
        with reading(address):
            return TopicList.decode(answer.body).topic_list

    async def create_topic(self, address: str, header: CreateTopicRequestHeader) -> None:
        """17: create or change a topic on one broker, which tells the name servers before it answers."""
        await ask(self._pool, address, RequestCode.UPDATE_AND_CREATE_TOPIC, header)

    async def topic_config(self, address: str, topic: str) -> TopicConfig:
        """351: a topic's settings on one broker."""
        answer = await ask(self._pool, address, RequestCode.GET_TOPIC_CONFIG, TopicRequestHeader(topic))
        with reading(address):
            return TopicConfig.decode(answer.body)

    async def delete_topic_in_broker(self, address: str, topic: str) -> None:
        """215: delete a topic on one broker."""
        await ask(self._pool, address, RequestCode.DELETE_TOPIC_IN_BROKER, TopicRequestHeader(topic))

    async def delete_topic_in_name_server(self, address: str, topic: str, cluster: str | None) -> None:
        """216: forget a topic's route, or the part of it that is one cluster's."""
        header = DeleteTopicInNamesrvRequestHeader(topic=topic, cluster_name=cluster)
        await ask(self._pool, address, RequestCode.DELETE_TOPIC_IN_NAMESRV, header)

    async def topic_stats(self, address: str, topic: str) -> dict[MessageQueue, TopicOffset]:
        """202: the bounds of a topic's queues on one broker."""
        answer = await ask(self._pool, address, RequestCode.GET_TOPIC_STATS_INFO, TopicRequestHeader(topic))
        with reading(address):
            return TopicStats.decode(answer.body).offset_table

    # --- groups and clients -----------------------------------------------------------------------------

    async def groups(self, address: str) -> dict[str, SubscriptionGroupConfig]:
        """201: the settings of all consumer groups of a broker."""
        answer = await ask(self._pool, address, RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG)
        with reading(address):
            return SubscriptionGroupTable.decode(answer.body).subscription_group_table

    async def put_group(self, address: str, group: SubscriptionGroupConfig) -> None:
        """200: create or change a consumer group on one broker."""
        await ask(self._pool, address, RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, body=group.encode())

    async def delete_group(self, address: str, group: str) -> None:
        """207: a broker forgets a consumer group and its positions."""
        header = DeleteSubscriptionGroupRequestHeader(group_name=group, clean_offset=True)
        await ask(self._pool, address, RequestCode.DELETE_SUBSCRIPTIONGROUP, header)

    async def consume_stats(
        self, address: str, group: str, topic: str | None
    ) -> dict[MessageQueue, ConsumeOffset]:
        """208: how far a group is in the queues of one broker."""
        header = GetConsumeStatsRequestHeader(consumer_group=group, topic=topic)
        answer = await ask(self._pool, address, RequestCode.GET_CONSUME_STATS, header)
        with reading(address):
            return ConsumeStats.decode(answer.body).offset_table

    async def topics_of_group(self, address: str, group: str) -> tuple[str, ...]:
        """343: the topics in which a group has a position at one broker."""
        header = QueryTopicsByConsumerRequestHeader(group)
        answer = await ask(self._pool, address, RequestCode.QUERY_TOPICS_BY_CONSUMER, header)
        with reading(address):
            return TopicList.decode(answer.body).topic_list

    async def set_position(self, address: str, group: str, queue: MessageQueue, offset: int) -> None:
        """222: set a group's position in one queue; its members go on there."""
        header = InvokeBrokerToResetOffsetRequestHeader(
            topic=queue.topic, group=group, is_force=True, queue_id=queue.queue_id, offset=offset
        )
        await ask(self._pool, address, RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, header)

    async def consumer_connection(self, address: str, group: str) -> ConsumerConnection | None:
        """203: the members of a consumer group at one broker; ``None`` when nobody is there."""
        header = GetConsumerConnectionListRequestHeader(group)
        try:
            answer = await ask(self._pool, address, RequestCode.GET_CONSUMER_CONNECTION_LIST, header)
        except BrokerError as error:
            if error.code == ResponseCode.CONSUMER_NOT_ONLINE:
                return None
            raise
        with reading(address):
            return ConsumerConnection.decode(answer.body)

    async def producer_connection(self, address: str, group: str) -> ProducerConnection:
        """204: the members of a producer group at one broker; none when nobody is there."""
        header = GetProducerConnectionListRequestHeader(group)
        try:
            answer = await ask(self._pool, address, RequestCode.GET_PRODUCER_CONNECTION_LIST, header)
        except BrokerError as error:
            if error.code == ResponseCode.SYSTEM_ERROR:  # brokers have no code of its own for it
                return ProducerConnection()
            raise
        with reading(address):
            return ProducerConnection.decode(answer.body)

    async def running_info(self, address: str, group: str, client_id: str) -> ConsumerRunningInfo:
        """307: what a consumer says of itself, through a broker that it is connected to."""
        header = GetConsumerRunningInfoRequestHeader(group, client_id)
        request = Command(RequestCode.GET_CONSUMER_RUNNING_INFO, fields=header.to_fields())
        answer = await self._pool.call(address, request, timeout=_RELAYED_TIMEOUT)
        if answer.code != ResponseCode.SUCCESS:
            raise refusal(address, answer)
        with reading(address):
            return ConsumerRunningInfo.decode(answer.body)

    async def consume_directly(
        self, address: str, group: str, client_id: str, message_id: str
    ) -> ConsumeMessageDirectlyResult:
        """309: have a consumer work on a message of a broker that it is connected to."""
        header = ConsumeMessageDirectlyResultRequestHeader(group, client_id, message_id)
        request = Command(RequestCode.CONSUME_MESSAGE_DIRECTLY, fields=header.to_fields())
        answer = await self._pool.call(address, request, timeout=_RELAYED_TIMEOUT)
        if answer.code != ResponseCode.SUCCESS:
            raise refusal(address, answer)
        with reading(address):
            return ConsumeMessageDirectlyResult.decode(answer.body)

    # --- messages ---------------------------------------------------------------------------------------

    async def view_message(self, address: str, offset: int) -> RawMessage:
        """33: the message at a place in a broker's commit log."""
        answer = await ask(
            self._pool, address, RequestCode.VIEW_MESSAGE_BY_ID, ViewMessageRequestHeader(offset=offset)
        )
        with reading(address):
            messages = decode_messages(answer.body)
        if len(messages) != 1:
            raise RemoteProtocolError(f"{address} answered with {len(messages)} messages instead of one")
        return messages[0]

    async def query_unique_key(self, address: str, topic: str, key: str) -> list[RawMessage]:
        """12: the messages of a topic with that unique key (or with another of the same hash)."""
        return await self._query(address, topic, key, limit=32, extra={"_UNIQUE_KEY_QUERY": "true"})

    async def query_key(self, address: str, topic: str, key: str, *, limit: int) -> list[RawMessage]:
        """12: the newest messages of a topic with that key (or with another of the same hash), in the order of the log."""
        return await self._query(address, topic, key, limit=limit, extra={})

    async def _query(
        self, address: str, topic: str, key: str, *, limit: int, extra: Mapping[str, str]
    ) -> list[RawMessage]:
        header = QueryMessageRequestHeader(
            topic=topic, key=key, max_num=limit, begin_timestamp=0, end_timestamp=_FOREVER_MS
        )
        fields = {**header.to_fields(), **extra}
        answer = await self._pool.call(address, Command(RequestCode.QUERY_MESSAGE, fields=fields))
        if answer.code == ResponseCode.QUERY_NOT_FOUND:
            return []
        if answer.code != ResponseCode.SUCCESS:
            raise refusal(address, answer)
        with reading(address):
            return decode_messages(answer.body)

    async def read_at(self, address: str, queue: MessageQueue, offset: int) -> RawMessage | None:
        """11: the message at a queue offset, or ``None``; no group's position changes."""
        header = PullMessageRequestHeader(
            consumer_group=TOOLS_GROUP,
            topic=queue.topic,
            queue_id=queue.queue_id,
            queue_offset=offset,
            max_msg_nums=1,
            sys_flag=PullSysFlag.SUBSCRIPTION,
            commit_offset=0,
            suspend_timeout_millis=0,
            subscription="*",
            broker_name=queue.broker_name,
        )
        answer = await self._pool.call(address, Command(RequestCode.PULL_MESSAGE, fields=header.to_fields()))
        if answer.code in {
            ResponseCode.PULL_NOT_FOUND,
            ResponseCode.PULL_RETRY_IMMEDIATELY,
            ResponseCode.PULL_OFFSET_MOVED,
        }:
            return None
        if answer.code != ResponseCode.SUCCESS:
            raise refusal(address, answer)
        with reading(address):
            messages = decode_messages(answer.body)
        return next((each for each in messages if each.queue_offset == offset), None)
