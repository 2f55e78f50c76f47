"""What each request to a name server is answered, without a connection."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import Any

import pytest

from rocketmq_lite.clock import TrioClock
from rocketmq_lite.config import NameServerSettings
from rocketmq_lite.nameserver.engine.kv import KVConfig
from rocketmq_lite.nameserver.engine.routes import RouteTable
from rocketmq_lite.nameserver.handlers import NameServerHandlers
from rocketmq_lite.nameserver.kv_handlers import KVHandlers
from rocketmq_lite.protocol.bodies import (
    DataVersion,
    QueueData,
    RegisterBrokerBody,
    TopicConfig,
    TopicRouteData,
)
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.framing import json_loads
from rocketmq_lite.protocol.headers.route import (
    RegisterBrokerRequestHeader,
    UnregisterBrokerRequestHeader,
)
from rocketmq_lite.protocol.registry import REGISTRY, Role
from rocketmq_lite.transport.dispatch import respond, table_handler
from rocketmq_lite.transport.server import Peer

TOPICS = {name: TopicConfig(name, 4, 4) for name in ("T", "U")}
BODY = RegisterBrokerBody(DataVersion(3, 0, 9), TOPICS)
HEADER = RegisterBrokerRequestHeader("a", "10.0.0.1:1", "C", "10.0.0.1:2", 0, enable_acting_master=False)


class NameServer:
    """The handlers, asked as a server would ask them."""

    def __init__(self, **settings: object) -> None:
        self.saves = 0
        kv = KVConfig()
        others = NameServerHandlers(
            routes=RouteTable(),
            kv=kv,
            clock=TrioClock(),
            settings=NameServerSettings(**settings),  # type: ignore[arg-type]
        )
        self.handlers = {**others.table(), **KVHandlers(kv, self.save).table()}

    async def save(self) -> None:
        self.saves += 1

    async def ask(self, code: int, body: bytes = b"", /, *, version: Any = 479, **fields: str) -> Command:
        request = Command(code, opaque=9, version=version, fields=fields, body=body)
        answer = await respond(table_handler(self.handlers), Peer(1, "10.0.0.1:5"), request)
        assert answer is not None
        assert (answer.opaque, answer.is_response) == (9, True)
        return answer

    async def register(self, body: bytes = BODY.encode(), **changes: object) -> Command:
        header = replace(HEADER, **changes)  # type: ignore[arg-type]
        return await self.ask(RequestCode.REGISTER_BROKER, body, **header.to_fields())


@pytest.fixture
def server() -> NameServer:
    return NameServer()


async def test_it_answers_all_that_the_registry_says(server: NameServer) -> None:
    ours = {code for code, spec in REGISTRY.items() if Role.NAME_SERVER in spec.answered_by}
    assert set(server.handlers) == ours


async def test_a_registration_and_its_route(server: NameServer) -> None:
    answer = await server.register()
    assert (answer.code, dict(answer.fields), answer.body) == (0, {}, b"")
    found = await server.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, topic="T")
    route = TopicRouteData.decode(found.body)
    assert route.queue_datas == (QueueData("a", 4, 4, 6),)
    assert route.broker_datas[0].broker_addrs == {0: "10.0.0.1:1"}


@pytest.mark.parametrize("lies", [True, False])
async def test_a_compressed_body_is_told_by_its_first_byte(server: NameServer, lies: bool) -> None:
    answer = await server.register(BODY.encode_compressed(), compressed=not lies)
    assert answer.code == 0
    topics = await server.ask(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER)
    assert json_loads(topics.body) == {"topicList": ["T", "U"]}


async def test_a_registration_without_a_body_has_no_topics(server: NameServer) -> None:
    assert (await server.register(b"")).code == 0
    topics = await server.ask(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER)
    assert json_loads(topics.body) == {"topicList": []}


async def test_a_broker_before_3_0_11_registers_the_topic_table_alone(server: NameServer) -> None:
    table = {"dataVersion": {"counter": 1}, "topicConfigTable": {"T": TOPICS["T"].to_json()}}
    body = json.dumps({**table, "topicConfigTable": {n: t.to_json() for n, t in TOPICS.items()}}).encode()
    fields = replace(HEADER, enable_acting_master=None).to_fields()
    answer = await server.ask(RequestCode.REGISTER_BROKER, body, version=36, **fields)
    assert answer.code == 0
    assert (await server.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, topic="U")).code == 0


async def test_the_checksum_counts_unless_it_is_zero(server: NameServer) -> None:
    right = zlib.crc32(BODY.encode()) & 0x7FFF_FFFF
    wrong = await server.register(body_crc32=right ^ 1)
    assert (wrong.code, wrong.remark) == (1, "crc32 not match")
    assert (await server.register(body_crc32=0)).code == 0
    assert (await server.register(body_crc32=right)).code == 0


async def test_a_partial_first_registration_is_refused_and_leaves_the_name(server: NameServer) -> None:
    one = RegisterBrokerBody(DataVersion(), {"T": TOPICS["T"]})
    answer = await server.register(one.encode())
    assert (answer.code, answer.remark) == (1, "register broker failed")
    info = await server.ask(RequestCode.GET_BROKER_CLUSTER_INFO)
    assert json_loads(info.body) == {
        "brokerAddrTable": {
            "a": {"brokerAddrs": {}, "brokerName": "a", "cluster": "C", "enableActingMaster": False}
        },
        "clusterAddrTable": {"C": ["a"]},
    }


async def test_a_number_that_java_could_not_hold_is_refused(server: NameServer) -> None:
    assert (await server.register(broker_id=10**30)).code == 1
    assert (await server.ask(RequestCode.GET_BROKER_CLUSTER_INFO)).code == 0


@pytest.mark.parametrize(
    "body", [b"x", b"[]", b"\x78\x9c", zlib.compress(b"\x7f\xff\xff\xff"), b'{"filterServerList":3}']
)
async def test_a_body_that_is_none_is_refused(server: NameServer, body: bytes) -> None:
    assert (await server.register(body)).code == 1


async def test_a_slave_is_told_where_its_master_is(server: NameServer) -> None:
    await server.register()
    answer = await server.register(broker_id=1, broker_addr="10.0.0.2:1")
    assert answer.fields == {"masterAddr": "10.0.0.1:1", "haServerAddr": "10.0.0.1:2"}


async def test_unregistering_takes_the_topics_along(server: NameServer) -> None:
    await server.register()
    header = UnregisterBrokerRequestHeader("a", "10.0.0.1:1", "C", 0)
    assert (await server.ask(RequestCode.UNREGISTER_BROKER, **header.to_fields())).code == 0
    assert (await server.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, topic="T")).code == 17


async def test_data_versions_are_compared(server: NameServer) -> None:
    fields = {"brokerName": "a", "brokerAddr": "10.0.0.1:1", "clusterName": "C", "brokerId": "0"}
    code = RequestCode.QUERY_DATA_VERSION
    unknown = await server.ask(code, DataVersion().encode(), **fields)
    assert (unknown.fields, unknown.body) == ({"changed": "true"}, b"")
    await server.register()
    equal = await server.ask(code, DataVersion(3, 0, 9).encode(), **fields)
    assert (equal.fields, equal.body) == (
        {"changed": "false"},
        b'{"counter":3,"stateVersion":0,"timestamp":9}',
    )
    assert (await server.ask(code, DataVersion(3, 0, 8).encode(), **fields)).fields == {"changed": "true"}


async def test_who_reads_standard_json_gets_it(server: NameServer) -> None:
    await server.register()
    code = RequestCode.GET_ROUTEINFO_BY_TOPIC
    classic, standard = b'"brokerAddrs":{0:"10.0.0.1:1"}', b'"brokerAddrs":{"0":"10.0.0.1:1"}'
    assert classic in (await server.ask(code, version=400, topic="T")).body
    assert standard in (await server.ask(code, version=401, topic="T")).body
    asked = await server.ask(code, version=317, topic="T", acceptStandardJsonOnly="true")
    assert standard in asked.body


async def test_a_route_that_is_not_there(server: NameServer) -> None:
    text = "No topic route info in name server for the topic: "
    named = await server.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, topic="nope")
    assert (named.code, named.remark) == (17, text + "nope")
    nameless = await server.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC)
    assert (nameless.code, nameless.remark) == (17, text + "null")


async def test_a_zone_is_asked_for_by_mode_and_name(server: NameServer) -> None:
    fields = HEADER.to_fields() | {"__ZONE_NAME": "z1"}
    await server.ask(RequestCode.REGISTER_BROKER, BODY.encode(), **fields)
    code = RequestCode.GET_ROUTEINFO_BY_TOPIC

    async def names(**zone: str) -> list[str]:
        route = TopicRouteData.decode((await server.ask(code, topic="T", **zone)).body)
        return [broker.broker_name for broker in route.broker_datas]

    assert await names(__ZONE_MODE="true", __ZONE_NAME="z1") == ["a"]
    assert await names(__ZONE_MODE="true", __ZONE_NAME="z2") == []
    assert await names(__ZONE_MODE="false", __ZONE_NAME="z2") == ["a"]
    assert await names(__ZONE_MODE="true", __ZONE_NAME=" ") == ["a"]


async def test_lists_of_topics(server: NameServer) -> None:
    await server.register()
    by_cluster = await server.ask(RequestCode.GET_TOPICS_BY_CLUSTER, cluster="C")
    assert json_loads(by_cluster.body) == {"topicList": ["T", "U"]}
    system = await server.ask(RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS)
    assert json_loads(system.body) == {"brokerAddr": "10.0.0.1:1", "topicList": ["C", "a"]}
    assert json_loads((await server.ask(RequestCode.GET_UNIT_TOPIC_LIST)).body) == {"topicList": []}


async def test_lists_can_be_switched_off() -> None:
    server = NameServer(enable_all_topic_list=False, enable_topic_list=False)
    for code, fields in (
        (RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER, {}),
        (RequestCode.GET_TOPICS_BY_CLUSTER, {"cluster": "C"}),
        (RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS, {}),
        (RequestCode.GET_UNIT_TOPIC_LIST, {}),
    ):
        answer = await server.ask(code, **fields)
        assert (answer.code, answer.remark) == (1, "disable")


async def test_the_members_of_a_group(server: NameServer) -> None:
    await server.register()
    code = RequestCode.GET_BROKER_MEMBER_GROUP
    known = await server.ask(code, clusterName="C", brokerName="a")
    assert (
        known.body == b'{"brokerMemberGroup":{"brokerAddrs":{0:"10.0.0.1:1"},"brokerName":"a","cluster":"C"}}'
    )
    unknown = await server.ask(code, clusterName="C", brokerName="x")
    assert unknown.code == 0
    assert b'"brokerAddrs":{}' in unknown.body


async def test_deleting_a_topic_and_getting_it_back(server: NameServer) -> None:
    await server.register()
    await server.ask(RequestCode.DELETE_TOPIC_IN_NAMESRV, topic="T", clusterName="other")
    assert (await server.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, topic="T")).code == 0
    await server.ask(RequestCode.DELETE_TOPIC_IN_NAMESRV, topic="T")
    assert (await server.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, topic="T")).code == 17
    await server.register()
    assert (await server.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, topic="T")).code == 0


async def test_write_permission_and_its_counts(server: NameServer) -> None:
    await server.register()
    wiped = await server.ask(RequestCode.WIPE_WRITE_PERM_OF_BROKER, brokerName="a")
    assert wiped.fields == {"wipeTopicCount": "2"}
    added = await server.ask(RequestCode.ADD_WRITE_PERM_OF_BROKER, brokerName="a")
    assert added.fields == {"addTopicCount": "2"}
    nobody = await server.ask(RequestCode.WIPE_WRITE_PERM_OF_BROKER, brokerName="x")
    assert (nobody.code, nobody.fields) == (0, {"wipeTopicCount": "0"})


async def test_one_topic_registered_alone(server: NameServer) -> None:
    await server.register()
    body = TopicRouteData(queue_datas=(QueueData("a", 1, 1, 6),)).encode()
    await server.ask(RequestCode.REGISTER_TOPIC_IN_NAMESRV, body, topic="N")
    assert (await server.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, topic="N")).code == 0


async def test_kv_configuration(server: NameServer) -> None:
    put = await server.ask(RequestCode.PUT_KV_CONFIG, namespace="N", key="k", value="v")
    assert (put.code, server.saves) == (0, 1)
    assert (await server.ask(RequestCode.GET_KV_CONFIG, namespace="N", key="k")).fields == {"value": "v"}
    missing = await server.ask(RequestCode.GET_KV_CONFIG, namespace="N", key="x")
    assert (missing.code, missing.remark) == (22, "No config item, Namespace: N Key: x")
    assert (await server.ask(RequestCode.GET_KVLIST_BY_NAMESPACE, namespace="X")).code == 22
    assert (await server.ask(RequestCode.DELETE_KV_CONFIG, namespace="N", key="x")).code == 0
    assert (await server.ask(RequestCode.DELETE_KV_CONFIG, namespace="N", key="k")).code == 0
    emptied = await server.ask(RequestCode.GET_KVLIST_BY_NAMESPACE, namespace="N")
    assert (emptied.code, emptied.body) == (0, b'{"table":{}}')


async def test_order_topics_are_told_to_brokers_and_clients() -> None:
    server = NameServer(order_message_enable=True)
    fields = {"namespace": "ORDER_TOPIC_CONFIG", "key": "T", "value": "a:4"}
    await server.ask(RequestCode.PUT_KV_CONFIG, **fields)
    assert (await server.register()).body == b'{"table":{"T":"a:4"}}'
    route = TopicRouteData.decode((await server.ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, topic="T")).body)
    assert route.order_topic_conf == "a:4"


async def test_settings_are_shown_and_changed(server: NameServer) -> None:
    shown = await server.ask(RequestCode.GET_NAMESRV_CONFIG)
    assert b"enableTopicList=true\n" in shown.body
    changed = await server.ask(RequestCode.UPDATE_NAMESRV_CONFIG, b"enableTopicList=false\nwhatever=1\n")
    assert changed.code == 0
    assert (await server.ask(RequestCode.GET_TOPICS_BY_CLUSTER, cluster="C")).code == 1
    assert (await server.ask(RequestCode.UPDATE_NAMESRV_CONFIG)).code == 0
    refused = await server.ask(RequestCode.UPDATE_NAMESRV_CONFIG, b"kvConfigPath=/tmp/x\n")
    assert refused.code == 16


async def test_a_heartbeat_is_answered_and_harmless_for_strangers(server: NameServer) -> None:
    fields = {"clusterName": "C", "brokerAddr": "10.0.0.1:1", "brokerName": "a"}
    assert (await server.ask(RequestCode.BROKER_HEARTBEAT, **fields)).code == 0
    await server.register()
    assert (await server.ask(RequestCode.BROKER_HEARTBEAT, **fields)).code == 0
