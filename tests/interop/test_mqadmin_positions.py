"""Apache's mqadmin setting and comparing positions of groups, of its own clients and of ours."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
from tests.interop import mqadmin as printed
from tests.interop.messages import STORED
from tests.interop.servers import REQUEST_SECONDS
from tests.interop.taking import acknowledged, ids, polled

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from tests.interop.judge import Event, Judge
    from tests.interop.mqadmin import MqAdmin
    from tests.interop.servers import Cluster

SECONDS = 60.0


@pytest.fixture
def judge(json_judge: Judge) -> Judge:
    """The tool itself writes JSON headers; that the client can do both is shown elsewhere."""
    return json_judge


@pytest.fixture
def consumed(judge: Judge, single: Cluster, topic: str, stored: list[Event]) -> str:
    """A group that has consumed all of them and gone."""
    group = f"{topic}-group"
    with judge.consuming(single.namesrv, topic, group=group) as consumer:
        consumer.take(len(stored))
        assert consumer.finish() == []
    return group


def ends(events: list[Event]) -> dict[int, int]:
    """The end of each queue that was empty before."""
    return dict(Counter(int(event["queueId"]) for event in events))


def left(mqadmin: MqAdmin, group: str, topic: str) -> dict[int, int]:
    """What is still to be consumed of each queue."""
    rows = printed.rows(mqadmin.run("consumerProgress", "-g", group))
    return {int(row["QID"]): int(row["Diff"]) for row in rows if row["Topic"] == topic}


def reset_to(output: str) -> dict[int, int]:
    """resetOffsetByTime: where each queue goes on."""
    return {int(row["queueId"]): int(row["offset"]) for row in printed.rows(output)}


def test_a_group_that_is_away_is_reset(
    mqadmin: MqAdmin, topic: str, consumed: str, stored: list[Event]
) -> None:
    start = mqadmin.run("resetOffsetByTime", "-g", consumed, "-t", topic, "-s", "0")
    assert reset_to(start) == dict.fromkeys(range(4), 0)
    assert left(mqadmin, consumed, topic) == ends(stored)
    end = mqadmin.run("resetOffsetByTime", "-g", consumed, "-t", topic, "-s", "-1")
    assert reset_to(end) == ends(stored)
    assert left(mqadmin, consumed, topic) == dict.fromkeys(range(4), 0)


def test_one_queue_is_reset_to_an_offset(
    mqadmin: MqAdmin, single: Cluster, topic: str, consumed: str, stored: list[Event]
) -> None:
    arguments = ["-g", consumed, "-t", topic, "-s", "0", "-b", single.broker.address, "-q", "2", "-o", "1"]
    mqadmin.run("resetOffsetByTime", *arguments)
    assert left(mqadmin, consumed, topic) == {0: 0, 1: 0, 2: ends(stored)[2] - 1, 3: 0}


def test_a_java_consumer_that_is_online_goes_on_where_it_is_told(
    judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str, stored: list[Event]
) -> None:
    group = f"{topic}-group"
    with judge.consuming(single.namesrv, topic, group=group) as consumer:
        first = consumer.take(STORED)
        mqadmin.run("resetOffsetByTime", "-g", group, "-t", topic, "-s", "0")
        again = consumer.take(STORED)
        assert consumer.finish() == []
    assert sorted(each["msgId"] for each in again) == sorted(each["msgId"] for each in first)
    assert left(mqadmin, group, topic) == dict.fromkeys(range(4), 0)


@pytest.mark.parametrize("style", ["consumer", "puller"])
async def test_our_consumers_go_on_where_they_are_told(
    mqadmin: MqAdmin, single: Cluster, topic: str, stored: list[Event], style: str
) -> None:
    group = f"{topic}-group"
    expected = sorted(str(event["msgId"]) for event in stored)
    with trio.fail_after(SECONDS):
        async with rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client:
            if style == "consumer":
                async with client.consumer(group, topic, start="earliest") as messages:
                    assert ids(await acknowledged(messages, STORED)) == expected
                    await _reset(mqadmin, group, topic)
                    assert ids(await acknowledged(messages, STORED)) == expected
            else:
                async with client.puller(group, topic, start="earliest") as puller:
                    assert ids(await polled(puller, STORED, done=True)) == expected
                    await _reset(mqadmin, group, topic)
                    assert ids(await polled(puller, STORED, done=True)) == expected
    assert left(mqadmin, group, topic) == dict.fromkeys(range(4), 0)


def test_a_group_gets_the_positions_of_another(
    mqadmin: MqAdmin, single: Cluster, topic: str, consumed: str
) -> None:
    heir = f"{topic}-heir"
    mqadmin.run("updateSubGroup", "-c", single.name, "-g", heir)
    # consumerProgress finds the group's brokers by this topic, which the first consumer makes.
    mqadmin.run("updateTopic", "-c", single.name, "-t", f"%RETRY%{heir}", "-r", "1", "-w", "1")
    output = mqadmin.run("cloneGroupOffset", "-s", consumed, "-d", heir, "-t", topic, "-o", "true")
    assert "clone group offset success" in output
    assert left(mqadmin, heir, topic) == dict.fromkeys(range(4), 0)


def test_broker_consume_stats_has_a_row_for_each_queue(
    mqadmin: MqAdmin, single: Cluster, topic: str, consumed: str, stored: list[Event]
) -> None:
    # It leaves out queues of which nothing is consumed.
    output = mqadmin.run("brokerConsumeStats", "-b", single.broker.address, "-o", "false")
    rows = {int(row["QID"]): row for row in printed.rows(output) if row["Topic"] == topic}
    assert {queue: int(row["Consumer Offset"]) for queue, row in rows.items()} == ends(stored)
    assert {row["Diff"] for row in rows.values()} == {"0"}
    assert {row["Group"] for row in rows.values()} == {consumed}
    assert int(printed.totals(output)["Diff Total"]) >= 0


def test_settings_of_a_broker_change(mqadmin: MqAdmin, single: Cluster) -> None:
    broker = ["-b", single.broker.address]
    before = printed.settings(mqadmin.run("getBrokerConfig", *broker))["deleteFileBatchMax"]
    output = mqadmin.run("updateBrokerConfig", *broker, "-k", "deleteFileBatchMax", "-v", "7")
    assert f"update broker config success, {single.broker.address}" in output
    assert printed.settings(mqadmin.run("getBrokerConfig", *broker))["deleteFileBatchMax"] == "7"
    mqadmin.run("updateBrokerConfig", *broker, "-k", "deleteFileBatchMax", "-v", before)


async def _reset(mqadmin: MqAdmin, group: str, topic: str) -> None:
    run = partial(mqadmin.run, "resetOffsetByTime", "-g", group, "-t", topic, "-s", "0")
    assert reset_to(await trio.to_thread.run_sync(run)) == dict.fromkeys(range(4), 0)
