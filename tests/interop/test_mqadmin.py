"""Apache's mqadmin against a running broker: it gets what it asks for, and what it changes takes effect."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from tests.interop import mqadmin as printed
from tests.interop.messages import tagged
from tests.interop.mqadmin import MqAdminError
from tests.support.polling import poll_until
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.judge import Judge
    from tests.interop.mqadmin import MqAdmin
    from tests.interop.servers import Cluster

GET_ALL_SUBSCRIPTION_GROUPS = 201
PUT_TIMES = [
    *("[<=0ms]", "[0~10ms]", "[10~50ms]", "[50~100ms]", "[100~200ms]", "[200~500ms]", "[500ms~1s]"),
    *("[1~2s]", "[2~3s]", "[3~4s]", "[4~5s]", "[5~10s]", "[10s~]"),
]
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


def test_cluster_list_has_a_row_for_the_broker(mqadmin: MqAdmin, single: Cluster, tmp_path: Path) -> None:
    (row,) = printed.rows(mqadmin.run("clusterList"))

    assert row["Cluster Name"] == single.name
    assert row["Broker Name"] == single.broker.name
    assert row["BID"] == "0"
    assert row["Addr"] == single.broker.address
    assert row["Version"].startswith("V5")
    assert re.fullmatch(r"\d+\.\d\d\(\d+,\d+ms\)", row["InTPS(LOAD)"])
    assert re.fullmatch(r"\d+\.\d\d\(\d+,\d+ms\|\d+,\d+ms\)", row["OutTPS(LOAD)"])
    assert row["Timer(Progress)"] == "0-0(0.0w, 0.0, 0.0)"
    assert row["PCWait(ms)"].isdigit()
    assert float(row["Hour"]) >= 0
    # The brokers keep their files on the disk that holds tmp_path. Apache counts whole percents, rounded up.
    disk = shutil.disk_usage(tmp_path)
    assert abs(float(row["SPACE"]) - disk.used / (disk.used + disk.free)) < 0.02
    assert row["ACTIVATED"] == "true"


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


def test_delete_topic_leaves_nothing_of_it(mqadmin: MqAdmin, single: Cluster, topic: str) -> None:
    deleted = mqadmin.run("deleteTopic", "-t", topic, "-c", single.name)

    assert deleted.splitlines() == [
        f"delete topic [{topic}] from cluster [{single.name}] success.",
        f"delete topic [{topic}] from NameServer success.",
    ]
    assert topic not in printed.topic_names(mqadmin.run("topicList"))
    with pytest.raises(MqAdminError) as refused:
        mqadmin.run("topicRoute", "-t", topic)
    assert refused.value.code == 17


def test_broker_status_counts_what_was_stored(
    judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str
) -> None:
    # Apache's broker counts one message before there is any.
    judge.produce(single.namesrv, topic, tagged(["first"]), mode="sync", group=f"{topic}-producer")
    before = printed.totals(mqadmin.run("brokerStatus", "-b", single.broker.address))
    judge.produce(single.namesrv, topic, tagged(["t"] * 5), mode="sync", group=f"{topic}-producer")
    after = printed.totals(mqadmin.run("brokerStatus", "-b", single.broker.address))

    assert int(after["msgPutTotalTodayNow"]) - int(before["msgPutTotalTodayNow"]) == 5
    assert int(after["putMessageTimesTotal"]) - int(before["putMessageTimesTotal"]) == 5
    assert int(after["commitLogMaxOffset"]) > int(before["commitLogMaxOffset"])
    assert after["bootTimestamp"] == before["bootTimestamp"]
    assert after["brokerActive"] == "true"
    assert after["brokerVersionDesc"].startswith("V5")
    assert 0 < float(after["commitLogDiskRatio"]) <= 1
    assert re.fullmatch(r"Total : .*, Free : .*\.", after["commitLogDirCapacity"])
    assert re.fullmatch(r"\[ \d+ days, \d+ hours, \d+ minutes, \d+ seconds \]", after["runtime"])
    for rates in ("putTps", "getFoundTps", "getMissTps", "getTotalTps"):
        assert all(float(rate) >= 0 for rate in after[rates].split())
    for took in ("putLatency99", "putLatency999", "putMessageEntireTimeMax", "getMessageEntireTimeMax"):
        assert float(after[took]) >= 0
    groups = [group.partition(":")[0] for group in after["putMessageDistributeTime"].split()]
    # Apache's broker has none before its first minute is over.
    assert groups == PUT_TIMES or (single.kind == "apache" and groups == ["null"])


def test_broker_status_tells_how_far_delay_levels_are(mqadmin: MqAdmin, single: Cluster, topic: str) -> None:
    with RawClient(single.broker.address) as client:
        assert client.send(topic, b"in two hours", properties="DELAY\x0118\x02").code == 0
    # A broker begins to keep a level's place, and makes its queue longer, a moment after the send was answered.
    shown = poll_until(
        lambda: printed.totals(mqadmin.run("brokerStatus", "-b", single.broker.address)),
        lambda shown: not shown.get("scheduleMessageOffset_18", "0,0").endswith(",0"),
        within=60,
    )
    delivered, end = map(int, shown["scheduleMessageOffset_18"].split(","))
    assert delivered < end


def test_topic_status_shows_each_queue(judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str) -> None:
    sent = judge.produce(single.namesrv, topic, tagged(["t"] * 10), mode="sync", group=f"{topic}-producer")
    output = mqadmin.run("topicStatus", "-t", topic)

    count = Counter(event["queueId"] for event in sent)
    assert {row["QID"]: row["Max Offset"] for row in printed.rows(output)} == {
        str(queue): str(count[queue]) for queue in range(4)
    }
    for row in printed.rows(output):
        assert row["Broker Name"] == single.broker.name
        assert row["Min Offset"] == "0"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", row["Last Updated"])
    assert float(printed.totals(output)["Topic Put TPS"]) >= 0


def _group(single: Cluster, group: str) -> dict[str, object]:
    with RawClient(single.broker.address) as client:
        answer = client.call(GET_ALL_SUBSCRIPTION_GROUPS, {})
    table: dict[str, dict[str, object]] = json.loads(answer.body)["subscriptionGroupTable"]
    return table[group]
