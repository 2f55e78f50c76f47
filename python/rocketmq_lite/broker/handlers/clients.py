"""Who is connected and what they subscribe to, and whether a subscription can be served at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.errors import BrokerError, LocalProtocolError
from rocketmq_lite.protocol.bodies import (
    CheckClientConfig,
    Connection,
    ConsumerConnection,
    ConsumerList,
    GroupSubscription,
    ProducerConnection,
    ProducerInfo,
    ProducerTable,
)
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.conditions import SQL92, check_condition
from rocketmq_lite.protocol.headers.group import QuerySubscriptionByConsumerRequestHeader
from rocketmq_lite.protocol.headers.heartbeat import (
    GetConsumerConnectionListRequestHeader,
    GetConsumerListByGroupRequestHeader,
    GetProducerConnectionListRequestHeader,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rocketmq_lite.broker.engine.clients import ClientTable, Member
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.protocol.bodies import SubscriptionData
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler


class ClientHandlers:
    """Requests about the clients that are online."""

    def __init__(self, clients: ClientTable) -> None:
        self._clients = clients

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {
            RequestCode.GET_CONSUMER_LIST_BY_GROUP: self.consumer_list,
            RequestCode.GET_CONSUMER_CONNECTION_LIST: self.consumer_connections,
            RequestCode.GET_PRODUCER_CONNECTION_LIST: self.producer_connections,
            RequestCode.GET_ALL_PRODUCER_INFO: self.all_producers,
            RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER: self.subscription,
            RequestCode.CHECK_CLIENT_CONFIG: self.check,
        }

    async def consumer_list(self, _caller: Caller, request: Command) -> Command:
        """The client ids of a consumer group."""
        group = GetConsumerListByGroupRequestHeader.from_fields(request.fields).consumer_group
        ids = self._clients.client_ids(group)
        if not ids:
            raise BrokerError(ResponseCode.SYSTEM_ERROR, f"no consumer for this group, {group}")
        return request.answer(body=ConsumerList(ids).encode())

    async def consumer_connections(self, _caller: Caller, request: Command) -> Command:
        """The connections and subscriptions of a consumer group."""
        group = GetConsumerConnectionListRequestHeader.from_fields(request.fields).consumer_group
        view = self._clients.consumer_group(group)
        if view is None:
            raise BrokerError(ResponseCode.CONSUMER_NOT_ONLINE, f"the consumer group[{group}] not online")
        found = ConsumerConnection(
            connection_set=_connections(view.members),
            subscription_table=dict(view.subscriptions),
            consume_type=view.consume_type,
            message_model=view.message_model,
            consume_from_where=view.consume_from_where,
        )
        return request.answer(body=found.encode())

    async def producer_connections(self, _caller: Caller, request: Command) -> Command:
        """The connections of a producer group."""
        group = GetProducerConnectionListRequestHeader.from_fields(request.fields).producer_group
        members = self._clients.producers(group)
        if not members:
            raise BrokerError(ResponseCode.SYSTEM_ERROR, f"the producer group[{group}] not exist")
        return request.answer(body=ProducerConnection(_connections(members)).encode())

    async def all_producers(self, _caller: Caller, request: Command) -> Command:
        """The members of all producer groups."""
        groups = self._clients.all_producers().items()
        return request.answer(
            body=ProducerTable({group: tuple(map(_producer, members)) for group, members in groups}).encode()
        )

    async def subscription(self, _caller: Caller, request: Command) -> Command:
        """What a group subscribes to of one topic."""
        header = QuerySubscriptionByConsumerRequestHeader.from_fields(request.fields)
        view = self._clients.consumer_group(header.group)
        found = None if view is None else view.subscriptions.get(header.topic)
        return request.answer(body=GroupSubscription(header.group, header.topic, found).encode())

    async def check(self, _caller: Caller, request: Command) -> Command:
        """Whether a subscription can be served; a consumer asks before it starts."""
        wanted = CheckClientConfig.decode(request.body).subscription_data if request.body else None
        if wanted is not None and wanted.expression_type not in {"", "TAG"}:
            _check_condition(wanted)
        return request.answer()


def _check_condition(wanted: SubscriptionData) -> None:
    if wanted.expression_type != SQL92:
        remark = f"there are no filters of type {wanted.expression_type}"
        raise BrokerError(ResponseCode.SUBSCRIPTION_PARSE_FAILED, remark)
    try:
        check_condition(wanted.sub_string)
    except LocalProtocolError as error:
        remark = f"Invalid MessageSelector. {error}"
        raise BrokerError(ResponseCode.SUBSCRIPTION_PARSE_FAILED, remark) from error


def _connections(members: Iterable[Member]) -> tuple[Connection, ...]:
    return tuple(Connection(each.client_id, each.address, each.language, each.version) for each in members)


def _producer(member: Member) -> ProducerInfo:
    return ProducerInfo(
        member.client_id, f"/{member.address}", member.language, member.version, member.seen_ms
    )
