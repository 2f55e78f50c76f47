"""Requests about brokers, topics and settings: from command to engine and back. What each code means is in namesrv.md."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rocketmq_lite.errors import BrokerError
from rocketmq_lite.nameserver.engine.kv import ORDER_TOPIC_NAMESPACE
from rocketmq_lite.nameserver.engine.routes import BrokerKey
from rocketmq_lite.nameserver.engine.settings import shown_settings, updated_settings
from rocketmq_lite.protocol.bodies import (
    BrokerMemberGroup,
    DataVersion,
    KVTable,
    RegisterBrokerBody,
    TopicList,
    TopicRouteData,
)
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.framing import json_dumps
from rocketmq_lite.protocol.headers.route import (
    AddWritePermResponseHeader,
    BrokerHeartbeatRequestHeader,
    BrokerNameRequestHeader,
    ClusterRequestHeader,
    DeleteTopicInNamesrvRequestHeader,
    GetBrokerMemberGroupRequestHeader,
    GetRouteInfoRequestHeader,
    QueryDataVersionRequestHeader,
    QueryDataVersionResponseHeader,
    RegisterBrokerRequestHeader,
    RegisterBrokerResponseHeader,
    UnregisterBrokerRequestHeader,
    WipeWritePermResponseHeader,
)
from rocketmq_lite.protocol.headers.topic import TopicRequestHeader
from rocketmq_lite.protocol.properties_text import dump_properties, load_properties

if TYPE_CHECKING:
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.config import NameServerSettings
    from rocketmq_lite.nameserver.engine.kv import KVConfig
    from rocketmq_lite.nameserver.engine.routes import RouteTable
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler
    from rocketmq_lite.transport.server import Peer

__all__ = ["NameServerHandlers"]

STANDARD_JSON_SINCE: Final = 401
"""4.9.4: clients from this version on read routes as standard JSON."""

_CRC_MASK: Final = 0x7FFF_FFFF

_UNIT: Final = 1
_UNIT_SUB: Final = 2

# Which of a topic's two unit bits a list looks at, and how it wants them.
_UNIT_LISTS: Final[dict[int, tuple[int, int]]] = {
    RequestCode.GET_UNIT_TOPIC_LIST: (_UNIT, _UNIT),
    RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST: (_UNIT_SUB, _UNIT_SUB),
    RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST: (_UNIT | _UNIT_SUB, _UNIT_SUB),
}


def _disabled() -> BrokerError:
    return BrokerError(ResponseCode.SYSTEM_ERROR, "disable")


class NameServerHandlers:
    """Answers requests from the tables.

    Args:
        routes: Brokers and topics.
        kv: KV configuration, which says what topics are ordered.
    """

    def __init__(
        self,
        *,
        routes: RouteTable,
        kv: KVConfig,
        clock: Clock,
        settings: NameServerSettings,
    ) -> None:
        self._routes = routes
        self._kv = kv
        self._clock = clock
        self._settings = settings

    def table(self) -> dict[int, Handler[Peer]]:
        """Which handler answers which code."""
        return {
            RequestCode.REGISTER_BROKER: self.register,
            RequestCode.UNREGISTER_BROKER: self.unregister,
            RequestCode.QUERY_DATA_VERSION: self.query_data_version,
            RequestCode.BROKER_HEARTBEAT: self.broker_heartbeat,
            RequestCode.GET_BROKER_MEMBER_GROUP: self.member_group,
            RequestCode.REGISTER_TOPIC_IN_NAMESRV: self.register_topic,
            RequestCode.GET_ROUTEINFO_BY_TOPIC: self.route,
            RequestCode.GET_BROKER_CLUSTER_INFO: self.cluster_info,
            RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER: self.all_topics,
            RequestCode.GET_TOPICS_BY_CLUSTER: self.topics_of_cluster,
            RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS: self.system_names,
            RequestCode.GET_UNIT_TOPIC_LIST: self.unit_topics,
            RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST: self.unit_topics,
            RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST: self.unit_topics,
            RequestCode.DELETE_TOPIC_IN_NAMESRV: self.delete_topic,
            RequestCode.WIPE_WRITE_PERM_OF_BROKER: self.wipe_write_permission,
            RequestCode.ADD_WRITE_PERM_OF_BROKER: self.add_write_permission,
            RequestCode.UPDATE_NAMESRV_CONFIG: self.update_settings,
            RequestCode.GET_NAMESRV_CONFIG: self.show_settings,
        }

    # --- brokers -----------------------------------------------------------------------------

    async def register(self, peer: Peer, request: Command) -> Command:
        """103: a broker and its topics."""
        header = RegisterBrokerRequestHeader.from_fields(request.fields)
        if header.body_crc32 and zlib.crc32(request.body) & _CRC_MASK != header.body_crc32:
            raise BrokerError(ResponseCode.SYSTEM_ERROR, "crc32 not match")
        registration = self._routes.register(
            header,
            RegisterBrokerBody.decode(request.body, version=request.version),
            zone=request.fields.get("__ZONE_NAME"),
            connection=peer.id,
            now=self._clock.mono(),
            drop_unlisted=self._settings.delete_topic_with_registration,
        )
        if not registration.accepted:
            raise BrokerError(ResponseCode.SYSTEM_ERROR, "register broker failed")
        answer = RegisterBrokerResponseHeader(registration.master_address, registration.ha_address)
        return request.answer(fields=answer.to_fields(), body=self._order_topics())

    def _order_topics(self) -> bytes:
        if not self._settings.return_order_topic_config:
            return b""
        table = self._kv.namespace(ORDER_TOPIC_NAMESPACE)
        return b"" if table is None else KVTable(table).encode()

    async def unregister(self, _peer: Peer, request: Command) -> Command:
        """104: a broker goes."""
        header = UnregisterBrokerRequestHeader.from_fields(request.fields)
        key = BrokerKey(header.cluster_name, header.broker_addr)
        self._routes.unregister(key, header.broker_name)
        return request.answer()

    async def query_data_version(self, _peer: Peer, request: Command) -> Command:
        """322: whether a broker's topics are newer than what is known."""
        header = QueryDataVersionRequestHeader.from_fields(request.fields)
        offered = DataVersion.decode(request.body) if request.body else DataVersion()
        key = BrokerKey(header.cluster_name, header.broker_addr)
        known = self._routes.data_version(key, now=self._clock.mono())
        return request.answer(
            fields=QueryDataVersionResponseHeader(changed=known != offered).to_fields(),
            body=b"" if known is None else known.encode(),
        )

    async def broker_heartbeat(self, _peer: Peer, request: Command) -> Command:
        """904: a sign of life."""
        header = BrokerHeartbeatRequestHeader.from_fields(request.fields)
        key = BrokerKey(header.cluster_name, header.broker_addr)
        self._routes.heard_of(key, now=self._clock.mono())
        return request.answer()

    async def member_group(self, _peer: Peer, request: Command) -> Command:
        """901: the members of a replica group."""
        header = GetBrokerMemberGroupRequestHeader.from_fields(request.fields)
        group = BrokerMemberGroup(
            cluster=header.cluster_name,
            broker_name=header.broker_name,
            broker_addrs=self._routes.member_group(header.broker_name),
        )
        return request.answer(body=json_dumps({"brokerMemberGroup": group.to_json()}))

    async def register_topic(self, _peer: Peer, request: Command) -> Command:
        """217: one topic of brokers that are known."""
        topic = TopicRequestHeader.from_fields(request.fields).topic
        self._routes.add_queues(topic, TopicRouteData.decode(request.body).queue_datas)
        return request.answer()

    # --- clients -----------------------------------------------------------------------------

    async def route(self, _peer: Peer, request: Command) -> Command:
        """105: where a topic's queues are."""
        header = GetRouteInfoRequestHeader.from_fields(request.fields)
        by_zone = request.fields.get("__ZONE_MODE", "").lower() == "true"
        zone = request.fields.get("__ZONE_NAME", "").strip() if by_zone else ""
        route = self._routes.route(header.topic, zone=zone or None)
        if route is None:
            raise BrokerError(
                ResponseCode.TOPIC_NOT_EXIST,
                f"No topic route info in name server for the topic: {header.topic}",
            )
        if self._settings.order_message_enable:
            route = replace(route, order_topic_conf=self._kv.get(ORDER_TOPIC_NAMESPACE, header.topic))
        standard = request.version >= STANDARD_JSON_SINCE or bool(header.accept_standard_json_only)
        return request.answer(body=route.encode(standard=standard))

    async def cluster_info(self, _peer: Peer, request: Command) -> Command:
        """106: every replica group."""
        return request.answer(body=self._routes.cluster_info().encode())

    async def all_topics(self, _peer: Peer, request: Command) -> Command:
        """206: every topic."""
        if not self._settings.enable_all_topic_list:
            raise _disabled()
        return request.answer(body=TopicList(self._routes.topics()).encode())

    async def topics_of_cluster(self, _peer: Peer, request: Command) -> Command:
        """224: the topics of a cluster."""
        if not self._settings.enable_topic_list:
            raise _disabled()
        cluster = ClusterRequestHeader.from_fields(request.fields).cluster
        return request.answer(body=TopicList(self._routes.topics_of_cluster(cluster)).encode())

    async def system_names(self, _peer: Peer, request: Command) -> Command:
        """304: names that are reserved because clusters and brokers have them."""
        if not self._settings.enable_topic_list:
            raise _disabled()
        names, address = self._routes.system_names()
        return request.answer(body=TopicList(names, address).encode())

    async def unit_topics(self, _peer: Peer, request: Command) -> Command:
        """311, 312, 313: topics that belong to a unit, or that units subscribe to."""
        if not self._settings.enable_topic_list:
            raise _disabled()
        mask, wanted = _UNIT_LISTS[request.code]
        return request.answer(body=TopicList(self._routes.topics_by_flags(mask, wanted)).encode())

    # --- administrators ----------------------------------------------------------------------

    async def delete_topic(self, _peer: Peer, request: Command) -> Command:
        """216: forget a topic."""
        header = DeleteTopicInNamesrvRequestHeader.from_fields(request.fields)
        self._routes.remove_topic(header.topic, cluster=header.cluster_name or None)
        return request.answer()

    async def wipe_write_permission(self, _peer: Peer, request: Command) -> Command:
        """205: no more sends to a broker."""
        name = BrokerNameRequestHeader.from_fields(request.fields).broker_name
        count = self._routes.wipe_write_permission(name)
        return request.answer(fields=WipeWritePermResponseHeader(count).to_fields())

    async def add_write_permission(self, _peer: Peer, request: Command) -> Command:
        """327: sends to a broker again."""
        name = BrokerNameRequestHeader.from_fields(request.fields).broker_name
        count = self._routes.add_write_permission(name)
        return request.answer(fields=AddWritePermResponseHeader(count).to_fields())

    async def update_settings(self, _peer: Peer, request: Command) -> Command:
        """318: settings as properties text; what is not ours to change is ignored."""
        self._settings = updated_settings(self._settings, load_properties(request.body))
        return request.answer()

    async def show_settings(self, _peer: Peer, request: Command) -> Command:
        """319: the settings as properties text."""
        return request.answer(body=dump_properties(shown_settings(self._settings)))
