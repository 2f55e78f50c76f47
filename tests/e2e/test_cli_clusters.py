"""`rmq cluster` as a stranger uses it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from tests.support.cli import rmq
from tests.support.processes import broker, name_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.processes import Server

pytestmark = [pytest.mark.slow]


def test_the_brokers_with_their_load(server: Server, namesrv: str) -> None:
    (row,) = rmq("cluster", "ls", namesrv=namesrv).json()
    assert row.pop("started_at") > "2020"
    assert 0 <= row.pop("disk_used") <= 1
    assert row.pop("put_tps") >= 0
    assert row.pop("get_tps") >= 0
    assert row == {
        "cluster": "DefaultCluster",
        "broker": "broker-a",
        "id": 0,
        "address": server.ready["broker"],
        "version": "5.3.3",
        "error": None,
    }
    heading, _, line = rmq("cluster", "ls", "--output", "table", namesrv=namesrv).out.splitlines()[:3]
    assert heading.split()[:5] == ["cluster", "broker", "id", "address", "version"]
    assert line.split()[:2] == ["DefaultCluster", "broker-a"]


def test_one_broker_in_full(server: Server, namesrv: str) -> None:
    (shown,) = rmq("cluster", "show", "broker-a", namesrv=namesrv).json()["brokers"]
    assert (shown["cluster"], shown["broker"], shown["id"]) == ("DefaultCluster", "broker-a", 0)
    assert shown["address"] == server.ready["broker"]
    assert shown["error"] is None
    assert shown["settings"]["brokerName"] == "broker-a"
    assert shown["runtime"]["brokerVersionDesc"] == "V5_3_3"
    assert rmq("cluster", "show", namesrv=namesrv).json()["brokers"][0]["settings"] == shown["settings"]
    table = rmq("cluster", "show", "broker-a", "--output", "table", namesrv=namesrv).out
    assert f"broker-a 0 at {server.ready['broker']} in DefaultCluster" in table
    assert "flushDiskType" in table


def test_no_such_broker(namesrv: str) -> None:
    run = rmq("cluster", "show", "broker-z", namesrv=namesrv)
    assert run.code == 1
    assert "no broker 'broker-z' is registered" in run.err
    assert "broker-a" in run.err


def test_a_broker_that_does_not_answer_says_so(tmp_path: Path) -> None:
    with name_server(tmp_path / "namesrv") as names:
        namesrv = names.ready["namesrv"]
        with broker(tmp_path / "a", "broker-a", namesrv), broker(tmp_path / "b", "broker-b", namesrv) as gone:
            gone.process.send_signal(signal.SIGSTOP)  # a dead one would be off the list at once
            alive, dead = rmq("cluster", "ls", "--timeout", "1", namesrv=namesrv).json()
            assert (alive["broker"], alive["error"]) == ("broker-a", None)
            assert dead["broker"] == "broker-b"
            assert gone.ready["broker"] in dead["error"]
            assert dead["version"] is None
            (shown,) = rmq("cluster", "show", "broker-b", "--timeout", "1", namesrv=namesrv).json()["brokers"]
            assert (shown["runtime"], shown["settings"]) == ({}, {})
            assert gone.ready["broker"] in shown["error"]


def test_no_broker_at_all(tmp_path: Path) -> None:
    with name_server(tmp_path) as names:
        run = rmq("cluster", "ls", "--output", "table", namesrv=names.ready["namesrv"])
        assert run.code == 0
        assert "no broker is registered" in run.err
        assert "rmq broker" in run.err
