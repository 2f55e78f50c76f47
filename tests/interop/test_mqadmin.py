"""Apache's mqadmin against a running broker: it gets what it asks for, and what it changes takes effect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.interop import mqadmin as printed
from tests.interop.judge import Sending
from tests.interop.mqadmin import MqAdminError
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from tests.interop.judge import Judge
    from tests.interop.mqadmin import MqAdmin
    from tests.interop.servers import Cluster

GET_ALL_SUBSCRIPTION_GROUPS = 201
# What the client makes of an answer without a message.
NO_MESSAGE = 208


@pytest.fixture
def judge(json_judge: Judge) -> Judge:
    """The tool itself writes JSON headers; that the client can do both is shown elsewhere."""
    return json_judge


def test_topic_list_names_what_was_created(mqadmin: MqAdmin, topic: str) -> None:
    names = printed.topic_names(mqadmin.run("topicList"))

    assert topic in names
    assert "TBW102" in names
    assert len(names) == len(set(names))


def test_topic_route_names_broker_and_queues(mqadmin: MqAdmin, single: Cluster, topic: str) -> None:
    route = printed.route(mqadmin.run("topicRoute", "-t", topic))

    (broker,) = route["brokerDatas"]
    assert broker["cluster"] == single.name
    assert broker["brokerName"] == single.broker.name
    assert broker["brokerAddrs"] == {"0": single.broker.address}
    (queues,) = route["queueDatas"]
    assert queues == {
        "brokerName": single.broker.name,
        "perm": 6,
        "readQueueNums": 4,
        "topicSysFlag": 0,
        "writeQueueNums": 4,
    }
    assert route["filterServerTable"] == {}


def test_topic_route_of_no_topic(mqadmin: MqAdmin, name: str) -> None:
    with pytest.raises(MqAdminError, match="No topic route info") as refused:
        mqadmin.run("topicRoute", "-t", name)

    assert refused.value.code == 17


def test_cluster_list_has_a_row_for_the_broker(mqadmin: MqAdmin, single: Cluster) -> None:
    (row,) = printed.cluster_rows(mqadmin.run("clusterList"))

    assert row["cluster"] == single.name
    assert row["broker"] == single.broker.name
    assert row["id"] == "0"
    assert row["address"] == single.broker.address
    assert row["version"].startswith("V5")
    assert row["activated"] == "true"


def test_update_topic_creates_and_changes(mqadmin: MqAdmin, single: Cluster, name: str) -> None:
    created = mqadmin.run("updateTopic", "-c", single.name, "-t", name, "-r", "6", "-w", "5")
    route = printed.route(mqadmin.run("topicRoute", "-t", name))
    assert printed.changed_addresses(created) == {single.broker.address}
    assert [route["queueDatas"][0][key] for key in ("readQueueNums", "writeQueueNums", "perm")] == [6, 5, 6]

    changed = mqadmin.run(
        "updateTopic", "-b", single.broker.address, "-t", name, "-r", "8", "-w", "8", "-p", "4"
    )
    route = printed.route(mqadmin.run("topicRoute", "-t", name))
    assert printed.changed_addresses(changed) == {single.broker.address}
    assert [route["queueDatas"][0][key] for key in ("readQueueNums", "writeQueueNums", "perm")] == [8, 8, 4]


def test_update_sub_group_creates_and_changes(mqadmin: MqAdmin, single: Cluster, name: str) -> None:
    created = mqadmin.run("updateSubGroup", "-c", single.name, "-g", name)
    assert printed.changed_addresses(created) == {single.broker.address}
    assert _group(single, name)["retryMaxTimes"] == 16

    changed = mqadmin.run("updateSubGroup", "-b", single.broker.address, "-g", name, "-r", "3", "-s", "false")
    assert printed.changed_addresses(changed) == {single.broker.address}
    assert [_group(single, name)[key] for key in ("retryMaxTimes", "consumeEnable")] == [3, False]


def test_query_by_id_shows_the_message(judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str) -> None:
    message = Sending(b"the body", tag="paid", keys="key-1 key-2", properties={"amount": "12"})
    (sent,) = judge.produce(single.namesrv, topic, [message], mode="sync", group=f"{topic}-producer")

    shown = printed.message(mqadmin.run("queryMsgById", "-i", sent["offsetMsgId"], "-t", topic))

    # The tool keeps the body in a file of its own choosing, named by the message.
    body = Path(shown.pop("Message Body Path"))
    assert body.name == sent["msgId"]
    assert body.read_bytes() == message.body
    body.unlink()
    assert shown["OffsetID"] == sent["offsetMsgId"]
    assert shown["Topic"] == topic
    assert shown["Tags"] == "[paid]"
    assert shown["Keys"] == "[key-1 key-2]"
    assert shown["Queue ID"] == str(sent["queueId"])
    assert shown["Queue Offset"] == str(sent["queueOffset"])
    assert shown["Reconsume Times"] == "0"
    assert shown["Store Host"] == single.broker.address
    assert f"UNIQ_KEY={sent['msgId']}" in shown["Properties"]
    assert "amount=12" in shown["Properties"]


def test_query_by_key_and_unique_key_find_the_message(
    judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str
) -> None:
    wanted = Sending(b"the body", tag="paid", keys="key-1 key-2")
    other = Sending(b"another", tag="paid", keys="key-2")
    first, second = judge.produce(
        single.namesrv, topic, [wanted, other], mode="sync", group=f"{topic}-producer"
    )

    def rows(key: str) -> list[tuple[str, str, str]]:
        return printed.key_rows(mqadmin.run("queryMsgByKey", "-t", topic, "-k", key))

    row_of = {
        message["msgId"]: (message["msgId"], str(message["queueId"]), str(message["queueOffset"]))
        for message in (first, second)
    }
    assert rows("key-1") == [row_of[first["msgId"]]]
    assert set(rows("key-2")) == set(row_of.values())
    with pytest.raises(MqAdminError) as missed:
        rows("no-such-key")
    assert missed.value.code == NO_MESSAGE

    shown = printed.message(mqadmin.run("queryMsgByUniqueKey", "-t", topic, "-i", first["msgId"]))

    body = Path(shown.pop("Message Body Path"))
    assert body.read_bytes() == wanted.body
    body.unlink()
    assert shown["Topic"] == topic
    assert shown["Keys"] == "[key-1 key-2]"
    assert shown["Queue Offset"] == str(first["queueOffset"])


def _group(single: Cluster, group: str) -> dict[str, object]:
    with RawClient(single.broker.address) as client:
        answer = client.call(GET_ALL_SUBSCRIPTION_GROUPS, {})
    table: dict[str, dict[str, object]] = json.loads(answer.body)["subscriptionGroupTable"]
    return table[group]
