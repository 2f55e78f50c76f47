"""Apache's mqadmin asking who consumes and produces, and how far a group is."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from tests.interop import mqadmin as printed
from tests.interop.messages import tagged
from tests.interop.mqadmin import MqAdminError

if TYPE_CHECKING:
    from tests.interop.judge import Judge
    from tests.interop.mqadmin import MqAdmin
    from tests.interop.servers import Cluster

# A producer's heartbeats are a second apart.
_HEARTBEAT_SECONDS = 30


@pytest.fixture
def judge(json_judge: Judge) -> Judge:
    """The tool itself writes JSON headers; that the client can do both is shown elsewhere."""
    return json_judge


def test_consumer_progress_counts_what_is_left(
    judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str
) -> None:
    group, producer = f"{topic}-group", f"{topic}-producer"
    sent = judge.produce(single.namesrv, topic, tagged(["t"] * 10), mode="sync", group=producer)
    with judge.consuming(single.namesrv, topic, group=group) as consumer:
        consumer.take(10)
        consumer.finish()
    left = judge.produce(single.namesrv, topic, tagged(["t"] * 3), mode="sync", group=producer)
    output = mqadmin.run("consumerProgress", "-g", group)
    rows = {int(row["QID"]): row for row in printed.rows(output) if row["Topic"] == topic}

    done, more = (Counter(event["queueId"] for event in events) for events in (sent, left))
    assert rows.keys() == {0, 1, 2, 3}
    for queue, row in rows.items():
        assert row["Broker Name"] == single.broker.name
        assert int(row["Broker Offset"]) == done[queue] + more[queue]
        assert int(row["Consumer Offset"]) == done[queue]
        assert int(row["Diff"]) == more[queue]
        assert row["LastTime"][:2] == "20"
    totals = printed.totals(output)
    assert totals["Consume Diff Total"] == "3"
    assert float(totals["Consume TPS"]) >= 0


def test_consumer_progress_of_all_groups(judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str) -> None:
    group = f"{topic}-group"
    with judge.consuming(single.namesrv, topic, group=group) as consumer:
        # What was consumed shows that the broker knows its member.
        judge.produce(single.namesrv, topic, tagged(["t"] * 4), mode="sync", group=f"{topic}-producer")
        consumer.take(4)
        rows = {row["Group"]: row for row in printed.rows(mqadmin.run("consumerProgress"))}

    assert rows[group]["Count"] == "1"
    assert rows[group]["Version"] == "V5_5_0"
    assert rows[group]["Type"] == "PUSH"
    assert rows[group]["Model"] == "CLUSTERING"


def test_consumer_connection_shows_members_and_subscriptions(
    judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str
) -> None:
    group = f"{topic}-group"
    with judge.consuming(single.namesrv, topic, group=group, expression="paid || open") as consumer:
        judge.produce(single.namesrv, topic, tagged(["paid"] * 4), mode="sync", group=f"{topic}-producer")
        consumer.take(4)
        output = mqadmin.run("consumerConnection", "-g", group)
        consumer.finish()
    with pytest.raises(MqAdminError) as refused:
        mqadmin.run("consumerConnection", "-g", group)

    members, subscriptions = output.split("Below is subscription:")
    (member,) = printed.rows(members)
    assert "@judge-" in member["ClientId"]
    assert member["ClientAddr"].startswith("127.0.0.1:")
    assert (member["Language"], member["Version"]) == ("JAVA", "V5_5_0")
    assert printed.subscriptions(subscriptions) == {
        topic: "paid || open",
        f"%RETRY%{group}": "*",
    }
    totals = printed.totals(subscriptions)
    assert totals["ConsumeType"] == "CONSUME_PASSIVELY"
    assert totals["MessageModel"] == "CLUSTERING"
    assert totals["ConsumeFromWhere"] == "CONSUME_FROM_FIRST_OFFSET"
    assert refused.value.code == 206


def test_producer_connection_shows_who_is_there(
    judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str
) -> None:
    group = f"{topic}-producer"
    with pytest.raises(MqAdminError, match="not exist") as refused:
        mqadmin.run("producerConnection", "-g", group, "-t", topic)
    with judge.producing(single.namesrv, topic, group=group):
        output = _once_known(mqadmin, group, topic)

    assert refused.value.code == 1
    (number, client_id, address, language, version) = output.split()
    assert number == "0001"
    assert "@judge-" in client_id
    assert address.startswith("127.0.0.1:")
    assert (language, version) == ("JAVA", "V5_5_0")


def _once_known(mqadmin: MqAdmin, group: str, topic: str) -> str:
    deadline = time.monotonic() + _HEARTBEAT_SECONDS
    while True:
        try:
            return mqadmin.run("producerConnection", "-g", group, "-t", topic)
        except MqAdminError:
            if time.monotonic() > deadline:
                raise
