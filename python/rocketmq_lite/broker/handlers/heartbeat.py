"""Clients: their heartbeats and good-byes, and who is there.

Surprise: a heartbeat never fails because of one of its groups. A consumer group that does not exist and may not be created
is left out, as Apache's broker does; the client finds out when it pulls.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rocketmq_lite.broker.engine.clients import ConsumerGroupView, Member
from rocketmq_lite.errors import BrokerError, StoreError
from rocketmq_lite.protocol.bodies import HeartbeatData
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.framing import json_dumps
from rocketmq_lite.protocol.headers.heartbeat import (
    GetConsumerConnectionListRequestHeader,
    GetConsumerListByGroupRequestHeader,
    GetProducerConnectionListRequestHeader,
    UnregisterClientRequestHeader,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rocketmq_lite.broker.catalog import Catalog
    from rocketmq_lite.broker.engine.clients import ClientTable
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.broker.presence import Presence
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.protocol.bodies import ConsumerData
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler

_log: Final = logging.getLogger(__name__)
_UNIT_SUBSCRIPTION_FLAG: Final = 2


class HeartbeatHandlers:
    """Heartbeats, good-byes and lists of clients."""

    def __init__(self, *, catalog: Catalog, clients: ClientTable, presence: Presence, clock: Clock) -> None:
        self._catalog = catalog
        self._clients = clients
        self._presence = presence
        self._clock = clock

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {
            RequestCode.HEART_BEAT: self.heartbeat,
            RequestCode.UNREGISTER_CLIENT: self.unregister,
            RequestCode.GET_CONSUMER_LIST_BY_GROUP: self.consumer_list,
            RequestCode.GET_CONSUMER_CONNECTION_LIST: self.consumer_connections,
            RequestCode.GET_PRODUCER_CONNECTION_LIST: self.producer_connections,
        }

    async def heartbeat(self, caller: Caller, request: Command) -> Command:
        """A client says which groups it belongs to and what they subscribe to."""
        heartbeat = HeartbeatData.decode(request.body)
        known = [consumer for consumer in heartbeat.consumer_data_set if await self._ensure_group(consumer)]
        member = Member(caller.conn, heartbeat.client_id, caller.address, request.language, request.version)
        outcome = self._clients.heartbeat(
            member, replace(heartbeat, consumer_data_set=tuple(known)), now=self._clock.mono()
        )
        self._presence.apply(outcome.changes)
        wants = heartbeat.heartbeat_fingerprint == 0 or outcome.wants_subscriptions
        return request.answer(
            fields={"IS_SUPPORT_HEART_BEAT_V2": "true", "IS_SUB_CHANGE": "true" if wants else "false"}
        )

    async def unregister(self, caller: Caller, request: Command) -> Command:
        """A client leaves a group."""
        header = UnregisterClientRequestHeader.from_fields(request.fields)
        self._presence.apply(
            self._clients.unregister(
                caller.conn, consumer_group=header.consumer_group, producer_group=header.producer_group
            )
        )
        return request.answer()

    async def consumer_list(self, _caller: Caller, request: Command) -> Command:
        """The client ids of a consumer group."""
        group = GetConsumerListByGroupRequestHeader.from_fields(request.fields).consumer_group
        ids = self._clients.client_ids(group)
        if not ids:
            raise BrokerError(ResponseCode.SYSTEM_ERROR, f"no consumer for this group, {group}")
        return request.answer(body=json_dumps({"consumerIdList": list(ids)}))

    async def consumer_connections(self, _caller: Caller, request: Command) -> Command:
        """The connections and subscriptions of a consumer group."""
        group = GetConsumerConnectionListRequestHeader.from_fields(request.fields).consumer_group
        view = self._clients.consumer_group(group)
        if view is None:
            raise BrokerError(ResponseCode.CONSUMER_NOT_ONLINE, f"the consumer group[{group}] not online")
        return request.answer(body=json_dumps(_consumer_connection(view)))

    async def producer_connections(self, _caller: Caller, request: Command) -> Command:
        """The connections of a producer group."""
        group = GetProducerConnectionListRequestHeader.from_fields(request.fields).producer_group
        members = self._clients.producers(group)
        if not members:
            raise BrokerError(ResponseCode.SYSTEM_ERROR, f"the producer group[{group}] not exist")
        return request.answer(body=json_dumps({"connectionSet": _connections(members)}))

    async def _ensure_group(self, consumer: ConsumerData) -> bool:
        """Create what the group needs; a disk that refuses to write it down does not cut off the group."""
        sys_flag = _UNIT_SUBSCRIPTION_FLAG if consumer.unit_mode else 0
        try:
            group = await self._catalog.ensure_group(consumer.group_name)
            await self._catalog.ensure_retry_topic(group, sys_flag=sys_flag)
        except BrokerError as refusal:
            _log.info("a heartbeat's group was left out: %s", refusal.remark)
            return False
        except StoreError as error:
            _log.error("group %s exists, but that was not written: %s", consumer.group_name, error)
        return True


def _consumer_connection(view: ConsumerGroupView) -> dict[str, object]:
    return {
        "connectionSet": _connections(view.members),
        "consumeFromWhere": view.consume_from_where,
        "consumeType": view.consume_type,
        "messageModel": view.message_model,
        "subscriptionTable": {topic: each.to_json() for topic, each in view.subscriptions.items()},
    }


def _connections(members: Iterable[Member]) -> list[dict[str, object]]:
    return [
        {
            "clientAddr": member.address,
            "clientId": member.client_id,
            "language": member.language,
            "version": member.version,
        }
        for member in members
    ]
