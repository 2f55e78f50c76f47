"""The mechanism of bodies: tolerant reading, exact writing; and the registration body in all its forms."""

from __future__ import annotations

import struct
import zlib

import pytest

from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.bodies import (
    BrokerData,
    ClusterInfo,
    ConsumerData,
    DataVersion,
    HeartbeatData,
    KVTable,
    ProducerData,
    QueueData,
    RegisterBrokerBody,
    SubscriptionData,
    SubscriptionGroupConfig,
    TopicConfig,
    TopicList,
    TopicRouteData,
)

ROUTE = TopicRouteData(
    queue_datas=(QueueData("b", 8, 8, 6),),
    broker_datas=(BrokerData("C", "b", {0: "10.0.0.1:1", 1: "10.0.0.2:1"}),),
)
BODY = RegisterBrokerBody(
    DataVersion(1, 0, 1_700_000_000_000),
    {"A": TopicConfig("A", 8, 8), "B": TopicConfig("B", 1, 2, 4, "MULTI_TAG", attributes={"k": "v"})},
)


def test_members_are_written_in_order_and_nothing_for_none() -> None:
    assert ROUTE.encode() == (
        b'{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:1",1:"10.0.0.2:1"},"brokerName":"b","cluster":"C",'
        b'"enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"b","perm":6,'
        b'"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}'
    )
    assert ROUTE.encode(standard=True) == ROUTE.encode().replace(b"{0:", b'{"0":').replace(b",1:", b',"1":')


@pytest.mark.parametrize(
    "text",
    [
        b"""{"queueDatas":[{"brokerName":"b","perm":"6","readQueueNums":8.0,"writeQueueNums":8,"new":[1]}],
        "brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:1",1:"10.0.0.2:1"},"brokerName":"b","cluster":"C"}],}""",
        b"""{'queueDatas':[{'brokerName':'b','perm':6,'readQueueNums':8,'writeQueueNums':'8'}],
        'orderTopicConf':null, 'filterServerTable':null,
        'brokerDatas':[{'brokerAddrs':{0:'10.0.0.1:1',1:'10.0.0.2:1'},'brokerName':'b','cluster':'C',
        'enableActingMaster':'false'}]}""",
    ],
)
def test_other_peoples_json_is_read(text: bytes) -> None:
    assert TopicRouteData.decode(text) == ROUTE


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b'{"queueDatas":3}',
        b'{"queueDatas":[3]}',
        b'{"queueDatas":[{}]}',
        b'{"queueDatas":[{"brokerName":{}}]}',
        b'{"queueDatas":[{"brokerName":"b","perm":"x"}]}',
        b'{"queueDatas":[{"brokerName":"b","perm":1e999}]}',
        b'{"queueDatas":[{"brokerName":"b","perm":99999999999999999999}]}',
        b'{"brokerDatas":[{"brokerName":"b","cluster":"c","brokerAddrs":{"x":"y"}}]}',
        b'{"brokerDatas":[{"brokerName":"b","cluster":"c","brokerAddrs":{{"a":1}:"y"}}]}',
    ],
)
def test_what_is_no_route_is_refused(text: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        TopicRouteData.decode(text)


def test_a_heartbeat_as_java_writes_it() -> None:
    subscription = SubscriptionData("T", "TagA", ("TagA",), (2_598_919,), 1_700_000_000_000)
    heartbeat = HeartbeatData(
        "10.0.0.9@4711#1", (ProducerData("PG"),), (ConsumerData("G", subscription_data_set=(subscription,)),)
    )
    assert heartbeat.encode() == (
        b'{"clientID":"10.0.0.9@4711#1","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",'
        b'"consumeType":"CONSUME_PASSIVELY","groupName":"G","messageModel":"CLUSTERING",'
        b'"subscriptionDataSet":[{"classFilterMode":false,"codeSet":[2598919],"expressionType":"TAG",'
        b'"subString":"TagA","subVersion":1700000000000,"tagsSet":["TagA"],"topic":"T"}],"unitMode":false}],'
        b'"heartbeatFingerprint":0,"producerDataSet":[{"groupName":"PG"}],"withoutSub":false}'
    )
    assert HeartbeatData.decode(heartbeat.encode()) == heartbeat
    assert HeartbeatData.decode(b'{"clientID":"x"}') == HeartbeatData("x")


def test_a_groups_defaults_are_apaches() -> None:
    assert SubscriptionGroupConfig("G").encode() == (
        b'{"attributes":{},"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,'
        b'"consumeFromMinEnable":true,"consumeMessageOrderly":false,"consumeTimeoutMinute":15,"groupName":"G",'
        b'"groupRetryPolicy":{"type":"CUSTOMIZED"},"groupSysFlag":0,"notifyConsumerIdsChangedEnable":true,'
        b'"retryMaxTimes":16,"retryQueueNums":1,"whichBrokerWhenConsumeSlowly":1}'
    )


def test_tables_and_lists() -> None:
    info = ClusterInfo({"b": ROUTE.broker_datas[0]}, {"C": ("b",)})
    assert ClusterInfo.decode(info.encode()) == info
    assert KVTable({"k": "v"}).encode() == b'{"table":{"k":"v"}}'
    assert KVTable.decode(b'{"table":{"k":3,"l":true}}') == KVTable({"k": "3", "l": "true"})
    assert TopicList(("T",)).encode() == b'{"topicList":["T"]}'
    assert TopicList(("T",), "10.0.0.1:1").encode() == b'{"brokerAddr":"10.0.0.1:1","topicList":["T"]}'


def test_a_version_counts_up() -> None:
    assert DataVersion(4, 1, 5).next(9) == DataVersion(5, 1, 9)


# --- registration -----------------------------------------------------------------------------------


def test_a_registration_is_the_same_plain_and_compressed() -> None:
    assert RegisterBrokerBody.decode(BODY.encode(), version=479) == BODY
    assert BODY.encode_compressed()[:2] == b"\x78\xda"
    assert RegisterBrokerBody.decode(BODY.encode_compressed(), version=479) == BODY
    assert RegisterBrokerBody.decode(b"", version=479) == RegisterBrokerBody()


def test_the_compressed_form_of_one_topic_is_the_documented_one() -> None:
    one = RegisterBrokerBody(
        DataVersion(1, 0, 1_700_000_000_000), {"TopicTest": TopicConfig("TopicTest", 8, 8)}
    )
    content = zlib.decompress(one.encode_compressed())
    assert len(content) == 107
    assert content[60:97] == b"\0\0\0\1\0\0\0\x1dTopicTest 8 8 6 SINGLE_TAG {}"
    assert content[97:] == b"\0\0\0\2[]\0\0\0\0"


def compressed(*parts: bytes) -> bytes:
    return zlib.compress(b"".join(parts))


def sized(part: bytes) -> bytes:
    return struct.pack(">i", len(part)) + part


VERSION = sized(DataVersion().encode())


def test_a_4_9_broker_has_five_parts_and_no_mappings() -> None:
    body = compressed(VERSION, b"\0\0\0\1", sized(b"T 8 8 6 SINGLE_TAG"), sized(b"[]"))
    read = RegisterBrokerBody.decode(body, version=411)
    assert read.topics == {"T": TopicConfig("T", 8, 8)}
    with pytest.raises(LocalProtocolError):
        RegisterBrokerBody.decode(body, version=413)


def test_mappings_are_skipped() -> None:
    body = compressed(VERSION, b"\0\0\0\0", sized(b"[]"), b"\0\0\0\1", sized(b'{"topic":"T"}'))
    assert RegisterBrokerBody.decode(body, version=479).topics == {}


@pytest.mark.parametrize(
    "body",
    [
        b"\x78",
        b"\x78\xda garbage",
        compressed(b""),
        compressed(b"\xff\xff\xff\xff"),
        compressed(sized(b"[]"), b"\0\0\0\0", sized(b"[]"), b"\0\0\0\0"),
        compressed(VERSION, b"\x7f\xff\xff\xff"),
        compressed(VERSION, b"\0\0\0\1", sized(b"T 8")),
        compressed(VERSION, b"\0\0\0\1", sized(b"T 8 8 six SINGLE_TAG")),
        compressed(VERSION, b"\0\0\0\1", sized(b"T 8 8 99999999999 SINGLE_TAG")),
        compressed(VERSION, b"\0\0\0\1", sized(b"T 8 8 6 SINGLE_TAG []")),
        compressed(VERSION, b"\0\0\0\1", sized(b"\xff\xfe")),
        compressed(b"\0" * (65 * 1024 * 1024)),
    ],
)
def test_a_damaged_registration_is_refused(body: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        RegisterBrokerBody.decode(body, version=479)
