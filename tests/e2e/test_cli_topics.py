"""`rmq topic` as a stranger uses it."""

from __future__ import annotations

import pytest
from tests.support.cli import rmq

pytestmark = [pytest.mark.slow]


def test_topic_life(namesrv: str) -> None:
    created = rmq("topic", "create", "life", "--queues", "3", namesrv=namesrv)
    assert created.code == 0, created.err
    listed = rmq("topic", "ls", "-n", namesrv)
    assert "life" in [row["topic"] for row in listed.json()]
    shown = rmq("topic", "show", "life", namesrv=namesrv).json()
    assert [row["queue"] for row in shown["queues"]] == [0, 1, 2]
    route = rmq("topic", "route", "life", namesrv=namesrv).json()
    assert route["queues"][0]["write_queues"] == 3
    assert rmq("topic", "rm", "life", "--yes", namesrv=namesrv).code == 0
    assert "life" not in [row["topic"] for row in rmq("topic", "ls", namesrv=namesrv).json()]


def test_removing_a_topic_shows_its_plan_and_asks(namesrv: str) -> None:
    assert rmq("topic", "create", "kept", namesrv=namesrv).code == 0
    refused = rmq("topic", "rm", "kept", stdin=b"n\n", namesrv=namesrv)
    assert refused.code == 1
    assert "kept" in refused.err
    assert "broker-a" in refused.err
    assert "kept" in [row["topic"] for row in rmq("topic", "ls", namesrv=namesrv).json()]


def test_no_such_topic(namesrv: str) -> None:
    run = rmq("topic", "show", "nowhere", namesrv=namesrv)
    assert run.code == 1
    assert "nowhere" in run.err
    assert "rmq topic create nowhere" in run.err


def test_altering_a_topic_keeps_what_is_not_given(namesrv: str) -> None:
    assert rmq("topic", "create", "altered", "--queues", "4", namesrv=namesrv).code == 0
    altered = rmq("topic", "alter", "altered", "--perm", "r", namesrv=namesrv)
    assert altered.json() == {
        "topic": "altered",
        "brokers": [{"broker": "broker-a", "read_queues": 4, "write_queues": 4, "perm": "r"}],
    }
    rmq("topic", "alter", "altered", "--queues", "6", "--perm", "rw", namesrv=namesrv)
    route = rmq("topic", "route", "altered", namesrv=namesrv).json()
    assert route["queues"] == [{"broker": "broker-a", "read_queues": 6, "write_queues": 6, "perm": "rw"}]
    table = rmq("topic", "alter", "altered", "--write-queues", "5", "--output", "table", namesrv=namesrv)
    assert table.out.splitlines()[0].split() == ["broker", "read_queues", "write_queues", "perm"]
    assert table.out.splitlines()[-1].split() == ["broker-a", "6", "5", "rw"]


def test_taking_queues_away_from_consumers_shows_its_plan_and_asks(namesrv: str) -> None:
    assert rmq("topic", "create", "fewer", "--queues", "4", namesrv=namesrv).code == 0
    refused = rmq("topic", "alter", "fewer", "--queues", "2", stdin=b"n\n", namesrv=namesrv)
    assert refused.code == 1
    assert "from number 2 on" in refused.err
    assert "broker-a" in refused.err
    assert len(rmq("topic", "show", "fewer", namesrv=namesrv).json()["queues"]) == 4
    assert rmq("topic", "alter", "fewer", "--queues", "2", "--yes", namesrv=namesrv).code == 0
    assert len(rmq("topic", "show", "fewer", namesrv=namesrv).json()["queues"]) == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "nothing to change"),
        (["--queues", "2", "--read-queues", "3"], "--queues stands for"),
        (["--perm", "x"], "--perm x is no permission"),
        (["--queues", "0"], "--queues"),
    ],
)
def test_alterations_that_cannot_be_meant(namesrv: str, arguments: list[str], complaint: str) -> None:
    run = rmq("topic", "alter", "altered", *arguments, namesrv=namesrv)
    assert run.code == 2
    assert complaint in run.err


def test_rocketmqs_own_topics_are_listed_when_asked_for(namesrv: str) -> None:
    shown = {row["topic"]: row["system"] for row in rmq("topic", "ls", "--system", namesrv=namesrv).json()}
    assert shown["TBW102"]
    assert shown["DefaultCluster_REPLY_TOPIC"]
    listed = rmq("topic", "ls", namesrv=namesrv).json()
    assert not any(row["system"] for row in listed)
    assert "TBW102" not in [row["topic"] for row in listed]
