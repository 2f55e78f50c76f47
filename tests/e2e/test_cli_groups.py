"""`rmq group` and `rmq producer` as a stranger uses them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.support.cli import rmq
from tests.support.processes import Program, Server
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow]

HEART_BEAT = 34


@pytest.fixture
def online(namesrv: str) -> Iterator[Program]:
    """A member of the group `online` that has consumed three messages of topic `read`."""
    rmq("topic", "create", "read", "--queues", "2", namesrv=namesrv)
    arguments = ["msg", "tail", "read", "--group", "online", "--from", "earliest", "-n", namesrv]
    with Program(arguments) as tail:
        for number in range(3):
            rmq("msg", "send", "read", f"message {number}", namesrv=namesrv)
            tail.out.wait_for(f"message {number}")
        yield tail


def test_group_life(namesrv: str) -> None:
    created = rmq("group", "create", "life", "--retries", "3", "--no-broadcast", namesrv=namesrv)
    assert created.code == 0, created.err
    settings = {
        "broker": "broker-a",
        "consume": True,
        "broadcast": False,
        "orderly": False,
        "retries": 3,
        "retry_queues": 1,
    }
    assert created.json() == {"group": "life", "brokers": [settings]}
    altered = rmq("group", "alter", "life", "--no-consume", namesrv=namesrv)
    assert altered.json() == {"group": "life", "brokers": [settings | {"consume": False}]}
    shown = rmq("group", "show", "life", namesrv=namesrv)
    assert shown.json() == {
        "group": "life",
        "members": 0,
        "consume_type": None,
        "message_model": None,
        "brokers": [settings | {"consume": False}],
        "subscriptions": [],
        "problems": [],
    }
    listed = {row["group"]: row for row in rmq("group", "ls", namesrv=namesrv).json()}
    assert listed["life"] == {
        "group": "life",
        "system": False,
        "members": 0,
        "message_model": None,
        "brokers": ["broker-a"],
    }
    assert "TOOLS_CONSUMER" not in listed
    everything = {
        row["group"]: row["system"] for row in rmq("group", "ls", "--system", namesrv=namesrv).json()
    }
    assert everything["TOOLS_CONSUMER"]
    removed = rmq("group", "rm", "life", "--yes", namesrv=namesrv)
    assert removed.json() == {"group": "life", "brokers": ["broker-a"]}
    assert "life" not in [row["group"] for row in rmq("group", "ls", namesrv=namesrv).json()]


def test_who_is_in_a_group_and_how_far_it_is(namesrv: str, online: Program) -> None:
    clients = rmq("group", "clients", "online", namesrv=namesrv).json()
    assert (clients["consume_type"], clients["message_model"]) == ("CONSUME_PASSIVELY", "CLUSTERING")
    assert {each["topic"]: each["expression"] for each in clients["subscriptions"]} == {
        "%RETRY%online": "*",
        "read": "*",
    }
    (member,) = clients["members"]
    assert member["language"] == "PYTHON"
    assert member["version"] == "5.3.3"
    assert [each for each in member["queues"] if each["topic"] == "read"] == [
        {"topic": "read", "broker": "broker-a", "queue": number} for number in range(2)
    ]
    lag = rmq("group", "lag", "online", "--topic", "read", namesrv=namesrv).json()
    assert (lag["group"], lag["members"]) == ("online", 1)
    assert [each["queue"] for each in lag["queues"]] == [0, 1]
    assert {each["client_id"] for each in lag["queues"]} == {member["client_id"]}
    assert sum(each["broker_offset"] for each in lag["queues"]) == 3
    for each in lag["queues"]:
        assert each["lag"] == each["broker_offset"] - each["committed"]
    assert lag["total"] == sum(each["lag"] for each in lag["queues"])


def test_a_group_whose_members_have_gone(namesrv: str, online: Program) -> None:
    code, _, err = online.interrupt()
    assert code == 130, err
    rmq("msg", "send", "read", "later", "--count", "4", namesrv=namesrv)
    lag = rmq("group", "lag", "online", "--topic", "read", namesrv=namesrv).json()
    assert (lag["members"], lag["total"]) == (0, 4)
    assert {each["client_id"] for each in lag["queues"]} == {None}
    assert all(each["consumed_until"] for each in lag["queues"] if each["committed"])
    for command in ("lag", "clients", "show"):
        said = rmq("group", command, "online", "--output", "table", namesrv=namesrv)
        assert said.code == 0
        assert "nobody of group online is online" in said.err
    table = rmq("group", "lag", "online", "--topic", "read", "--output", "table", namesrv=namesrv).out
    assert "total lag 4 in 2 queues" in table


def test_tables_of_a_group_that_is_online(namesrv: str, online: Program) -> None:
    clients = rmq("group", "clients", "online", "--output", "table", namesrv=namesrv)
    assert "PYTHON" in clients.out
    assert "they subscribe to" in clients.out
    assert clients.err == ""
    shown = rmq("group", "show", "online", "--output", "table", namesrv=namesrv)
    assert "1 online, CLUSTERING" in shown.out
    listed = rmq("group", "ls", "--output", "table", namesrv=namesrv)
    (line,) = [line.split() for line in listed.out.splitlines() if line.startswith("online")]
    assert line == ["online", "no", "1", "CLUSTERING", "broker-a"]


def test_removing_a_group_shows_its_plan_and_asks(namesrv: str, online: Program) -> None:
    refused = rmq("group", "rm", "online", stdin=b"n\n", namesrv=namesrv)
    assert refused.code == 1
    for part in ("online", "%RETRY%online", "%DLQ%online", "broker-a", "1 of its members are online"):
        assert part in refused.err
    assert "online" in [row["group"] for row in rmq("group", "ls", namesrv=namesrv).json()]


@pytest.mark.parametrize("command", ["show", "lag", "clients", "rm", "alter"])
def test_no_such_group(namesrv: str, command: str) -> None:
    arguments = ["--retries", "3"] if command == "alter" else []
    run = rmq("group", command, "nobody", *arguments, namesrv=namesrv)
    assert run.code == 1
    assert "no broker knows consumer group nobody" in run.err
    assert "rmq group create" in run.err
    assert run.out == ""


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["alter", "g"], "nothing to change"),
        (["create", "g", "--retries", "-1"], "--retries"),
        (["create", "g", "--cluster", "c", "--broker", "b"], "exclude each other"),
        (["create"], "G"),
        (["lag", "g", "--topics", "t"], "--topics"),
    ],
)
def test_wrong_flags_end_with_usage(namesrv: str, arguments: list[str], complaint: str) -> None:
    run = rmq("group", *arguments, namesrv=namesrv)
    assert run.code == 2
    assert complaint in run.err


def test_a_name_that_cannot_be(namesrv: str) -> None:
    run = rmq("group", "create", "a b", namesrv=namesrv)
    assert run.code == 1
    assert "characters" in run.err


def test_who_is_in_a_producer_group(server: Server, namesrv: str) -> None:
    nobody = rmq("producer", "ls", "shop", namesrv=namesrv)
    assert (nobody.code, nobody.json()) == (0, [])
    table = rmq("producer", "ls", "shop", "--output", "table", namesrv=namesrv)
    assert "nobody of producer group shop is online" in table.err
    heartbeat = {"clientID": "till@1", "producerDataSet": [{"groupName": "shop"}], "consumerDataSet": []}
    with RawClient(server.ready["broker"]) as client:
        assert client.call(HEART_BEAT, {}, json.dumps(heartbeat).encode()).code == 0
        (member,) = rmq("producer", "ls", "shop", namesrv=namesrv).json()
        host, port = client.socket.getsockname()
        assert member == {
            "client_id": "till@1",
            "address": f"{host}:{port}",
            "language": "OTHER",
            "version": "5.3.3",
        }


def positions(plan: dict[str, list[dict[str, object]]]) -> dict[object, tuple[object, object]]:
    return {each["queue"]: (each["before"], each["after"]) for each in plan["queues"]}


def consumed(topic: str, group: str, namesrv: str) -> None:
    """A topic with three messages in two queues, all consumed by a group that has gone."""
    rmq("topic", "create", topic, "--queues", "2", namesrv=namesrv)
    rmq("msg", "send", topic, "x", "--count", "3", namesrv=namesrv)
    tail = rmq("msg", "tail", topic, "--group", group, "--from", "earliest", "--count", "3", namesrv=namesrv)
    assert len(tail.out.splitlines()) == 3


def test_setting_a_groups_position(namesrv: str) -> None:
    consumed("reset", "mover", namesrv)
    reset, lag = ["group", "reset", "mover", "reset"], ["group", "lag", "mover", "--topic", "reset"]
    plan = rmq(*reset, "--to-earliest", "--dry-run", namesrv=namesrv).json()
    assert (plan["group"], plan["dry_run"]) == ("mover", True)
    assert {after for _, after in positions(plan).values()} == {0}
    assert sum(each["again"] for each in plan["queues"]) == 3
    refused = rmq(*reset, "--to-earliest", stdin=b"n\n", namesrv=namesrv)
    assert refused.code == 1
    assert "3 messages will be consumed again, 0 will not be consumed" in refused.err
    assert rmq(*lag, namesrv=namesrv).json()["total"] == 0
    done = rmq(*reset, "--to-earliest", "--yes", namesrv=namesrv)
    assert done.json() == plan | {"dry_run": False}
    assert rmq(*lag, namesrv=namesrv).json()["total"] == 3
    one = rmq(*reset, "--to-latest", "--queue", "broker-a/1", "--yes", namesrv=namesrv)
    assert list(positions(one.json())) == [1]
    table = rmq(*reset, "--to-time", "2020-01-01", "--yes", "--output", "table", namesrv=namesrv)
    assert "set 2 positions of group mover" in table.out
    assert rmq(*lag, namesrv=namesrv).json()["total"] == 3


def test_giving_a_group_the_positions_of_another(namesrv: str) -> None:
    consumed("inheritance", "elder", namesrv)
    rmq("group", "create", "heir", namesrv=namesrv)
    cloned = rmq("group", "clone", "elder", "heir", "--yes", namesrv=namesrv)
    assert {before for before, _ in positions(cloned.json()).values()} == {None}
    assert sum(each["after"] for each in cloned.json()["queues"]) == 3
    assert rmq("group", "lag", "heir", namesrv=namesrv).json()["total"] == 0
    nothing = rmq("group", "clone", "heir", "elder", "--topic", "%RETRY%elder", "--dry-run", namesrv=namesrv)
    assert nothing.json()["queues"] == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "where to is not given"),
        (["--to-latest", "--to-offset", "3"], "several places"),
        (["--to-time", "soon"], "--to-time soon is no time"),
        (["--to-latest", "--queue", "first"], "--queue first is no queue"),
    ],
)
def test_where_to_is_one_place(namesrv: str, arguments: list[str], complaint: str) -> None:
    run = rmq("group", "reset", "g", "t", *arguments, namesrv=namesrv)
    assert run.code == 2
    assert complaint in run.err
