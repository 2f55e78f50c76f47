"""Apache's client and tools against three masters in one cluster."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from tests.interop import mqadmin as printed
from tests.interop.judge import Sending
from tests.interop.messages import bodies
from tests.interop.mqadmin import MqAdmin

if TYPE_CHECKING:
    from tests.interop.judge import Judge
    from tests.interop.servers import Cluster

QUEUES = 4
MESSAGES = [Sending(f"body {number}".encode(), tag="t", keys=str(number)) for number in range(120)]


@pytest.fixture
def judge(binary_judge: Judge) -> Judge:
    """That both types of headers work is shown against one broker."""
    return binary_judge


@pytest.fixture
def spread(judge: Judge, three: Cluster, name: str) -> str:
    """A new topic of four queues on each of the three brokers."""
    judge.create_topic(three.namesrv, three.name, name, queues=QUEUES)
    return name


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_all_queues_of_all_brokers_are_used(judge: Judge, three: Cluster, spread: str, mode: str) -> None:
    with judge.consuming(three.namesrv, spread, group=f"{spread}-group") as consumer:
        sent = judge.produce(three.namesrv, spread, MESSAGES, mode=mode, group=f"{spread}-producer")
        received = consumer.take(len(MESSAGES))
        late = consumer.finish()

    queues = {(broker.name, queue) for broker in three.brokers for queue in range(QUEUES)}
    assert {event["status"] for event in sent} == {"SEND_OK"}
    assert Counter((event["broker"], event["queueId"]) for event in sent).keys() == queues
    assert Counter((event["broker"], event["queueId"]) for event in sent) == Counter(
        (message["broker"], message["queueId"]) for message in received
    )
    assert bodies(received) == sorted(message.body for message in MESSAGES)
    assert late == []


def test_one_way_messages_reach_all_brokers(judge: Judge, three: Cluster, spread: str) -> None:
    judge.produce(three.namesrv, spread, MESSAGES, mode="oneway", group=f"{spread}-producer")
    with judge.consuming(three.namesrv, spread, group=f"{spread}-group") as consumer:
        received = consumer.take(len(MESSAGES))

    assert {message["broker"] for message in received} == {broker.name for broker in three.brokers}
    assert bodies(received) == sorted(message.body for message in MESSAGES)


def test_a_group_goes_on_where_it_was_left_on_every_broker(judge: Judge, three: Cluster, spread: str) -> None:
    for _ in range(2):
        judge.produce(three.namesrv, spread, MESSAGES, mode="sync", group=f"{spread}-producer")
        with judge.consuming(three.namesrv, spread, group=f"{spread}-group") as consumer:
            received = consumer.take(len(MESSAGES))
            assert consumer.finish() == []
        assert bodies(received) == sorted(message.body for message in MESSAGES)


def test_mqadmin_sees_the_whole_cluster(admin_tool: Judge, three: Cluster, name: str) -> None:
    mqadmin = MqAdmin(admin_tool, three.namesrv)
    everywhere = {broker.name: broker.address for broker in three.brokers}

    rows = printed.rows(mqadmin.run("clusterList"))
    changed = mqadmin.run("updateTopic", "-c", three.name, "-t", name, "-r", "2", "-w", "2")
    route = printed.route(mqadmin.run("topicRoute", "-t", name))
    grouped = mqadmin.run("updateSubGroup", "-c", three.name, "-g", name)

    assert {row["Broker Name"]: row["Addr"] for row in rows} == everywhere
    assert printed.changed_addresses(changed) == set(everywhere.values())
    assert {data["brokerName"]: data["brokerAddrs"]["0"] for data in route["brokerDatas"]} == everywhere
    assert {data["brokerName"]: data["writeQueueNums"] for data in route["queueDatas"]} == dict.fromkeys(
        everywhere, 2
    )
    assert printed.changed_addresses(grouped) == set(everywhere.values())
    assert name in printed.topic_names(mqadmin.run("topicList"))
