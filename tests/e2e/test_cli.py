"""The commands as a stranger uses them: what they print, their JSON, their errors and exit codes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from tests.support.cli import rmq
from tests.support.processes import Program, Server, broker, name_server, up
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with up(tmp_path_factory.mktemp("cli")) as running:
        yield running


@pytest.fixture
def namesrv(server: Server) -> str:
    return server.ready["namesrv"]


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


def test_global_options_before_and_after_the_subcommand(namesrv: str) -> None:
    before = rmq("--namesrv", namesrv, "--output", "json", "topic", "ls")
    after = rmq("topic", "ls", "--namesrv", namesrv, "--output", "json")
    assert before.code == after.code == 0
    assert before.out == after.out


def test_send_and_tail(namesrv: str) -> None:
    sent = rmq(
        "msg", "send", "talk", "hello", "--tag", "a", "--key", "k1", "--property", "n=1", namesrv=namesrv
    )
    assert sent.code == 0, sent.err
    receipt = sent.json()
    assert receipt["status"] == "SEND_OK"
    rmq("msg", "send", "talk", "other", "--tag", "b", namesrv=namesrv)
    tailed = rmq("msg", "tail", "talk", "--from", "earliest", "--tag", "a", "--count", "1", namesrv=namesrv)
    assert tailed.code == 0, tailed.err
    message = tailed.json()
    assert message["body"] == "hello"
    assert message["tag"] == "a"
    assert message["keys"] == ["k1"]
    assert message["properties"] == {"n": "1"}
    assert message["message_id"] == receipt["message_id"]


def test_send_reads_standard_input_and_files(namesrv: str, tmp_path: Path) -> None:
    assert rmq("msg", "send", "inputs", "-", stdin=b"from stdin", namesrv=namesrv).code == 0
    (tmp_path / "body").write_bytes(b"from file")
    assert rmq("msg", "send", "inputs", "--file", str(tmp_path / "body"), namesrv=namesrv).code == 0
    tailed = rmq("msg", "tail", "inputs", "--from", "earliest", "--count", "2", namesrv=namesrv)
    assert {line.split('"body": ')[1].split('"')[1] for line in tailed.out.splitlines()} == {
        "from stdin",
        "from file",
    }


def test_no_name_server_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
        run = rmq("topic", "ls", "-n", address)
    assert run.code == 1
    assert address in run.err
    assert "rmq up" in run.err
    assert "Traceback" not in run.err


def test_no_such_topic(namesrv: str) -> None:
    run = rmq("topic", "show", "nowhere", namesrv=namesrv)
    assert run.code == 1
    assert "nowhere" in run.err
    assert "rmq topic create nowhere" in run.err


def test_port_in_use(server: Server, tmp_path: Path) -> None:
    port = server.ready["broker"].rpartition(":")[2]
    run = rmq("up", "--data", str(tmp_path), "--namesrv-port", "0", "--broker-port", port)
    assert run.code == 1
    assert port in run.err
    assert "--broker-port" in run.err
    assert "Traceback" not in run.err


def test_data_directory_in_use(tmp_path: Path) -> None:
    with up(tmp_path / "data"):
        run = rmq("up", "--data", str(tmp_path / "data"), "--namesrv-port", "0", "--broker-port", "0")
    assert run.code == 1
    assert str(tmp_path / "data") in run.err
    assert "in use" in run.err
    assert "Traceback" not in run.err


def test_listening_everywhere_tells_the_advertised_host(tmp_path: Path) -> None:
    with up(tmp_path, "--host", "0.0.0.0", "--advertise", "127.0.0.1") as server:
        assert server.ready["namesrv"].startswith("127.0.0.1:")
        assert server.ready["broker"].startswith("127.0.0.1:")
        assert rmq("msg", "send", "t", "x", namesrv=server.ready["namesrv"]).code == 0
        code, _, err = server.interrupt(signal.SIGTERM)
    assert (code, err) == (0, "")


def test_an_advertised_address_that_leads_elsewhere_is_a_loud_warning(tmp_path: Path) -> None:
    with up(tmp_path, "--advertise", "127.0.0.1:1") as server:
        assert server.ready["broker"] == "127.0.0.1:1"
        warning = server.err.wait_for("does not lead to this broker")
        assert "WARNING" in warning
        assert "nothing listens there" in server.err.wait_for("why: ")
        assert "--advertise HOST[:PORT]" in server.err.wait_for("try: ")


def test_every_address_needs_an_advertised_one(tmp_path: Path) -> None:
    run = rmq("up", "--data", str(tmp_path), "--host", "0.0.0.0")
    assert run.code == 2
    assert "--advertise" in run.err


def test_wrong_flags_end_with_usage() -> None:
    assert rmq("topic", "create").code == 2
    assert rmq("topic", "create", "t", "--quees", "3").code == 2
    assert rmq("no-such-command").code == 2


def test_ctrl_c_stops_in_order(tmp_path: Path) -> None:
    with up(tmp_path / "data") as server:
        with RawClient(server.ready["broker"]) as client:
            assert client.send("left", b"behind").code == 0
        code, out, err = server.interrupt(signal.SIGINT)
    assert code == 130, err
    assert "msg send hello" in out
    assert "msg tail hello" in out
    assert "Traceback" not in err
    assert not (tmp_path / "data" / "store" / "abort").exists()


def test_sigterm_is_a_clean_stop(tmp_path: Path) -> None:
    with up(tmp_path / "data") as server:
        code, _, err = server.interrupt(signal.SIGTERM)
    assert code == 0, err
    assert err == ""


def test_a_closed_pipe_is_silent(namesrv: str) -> None:
    command = [sys.executable, "-m", "rocketmq_lite", "topic", "ls", "-n", namesrv]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=20) == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


def test_tail_is_left_with_ctrl_c(namesrv: str) -> None:
    rmq("msg", "send", "endless", "first", namesrv=namesrv)
    with Program(["msg", "tail", "endless", "--from", "earliest", "-n", namesrv]) as tail:
        tail.out.wait_for("first")
        code, _, err = tail.interrupt()
    assert code == 130
    assert err == ""


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_ends_a_tail_whose_servers_are_silent(tmp_path: Path, presses: int) -> None:
    with up(tmp_path) as server:
        rmq("msg", "send", "endless", "first", namesrv=server.ready["namesrv"])
        arguments = ["msg", "tail", "endless", "--from", "earliest", "-n", server.ready["namesrv"]]
        with Program(arguments) as tail:
            tail.out.wait_for("first")
            server.process.send_signal(signal.SIGSTOP)  # nothing answers the good-byes
            if presses == 2:
                tail.process.send_signal(signal.SIGINT)
                time.sleep(0.2)  # two at once would count as one, and nothing tells that the first was seen
            code, _, err = tail.interrupt()
        assert code == 130
        assert "Traceback" not in err


def test_three_brokers_in_one_cluster(tmp_path: Path) -> None:
    with name_server(tmp_path / "namesrv") as namesrv_server:
        namesrv = namesrv_server.ready["namesrv"]
        assert set(namesrv_server.ready) == {"pid", "namesrv"}
        brokers = [broker(tmp_path / name, f"broker-{name}", namesrv) for name in "abc"]
        with brokers[0], brokers[1], brokers[2]:
            assert rmq("topic", "create", "wide", "--queues", "2", namesrv=namesrv).code == 0
            route = rmq("topic", "route", "wide", namesrv=namesrv).json()
            assert [row["broker"] for row in route["queues"]] == ["broker-a", "broker-b", "broker-c"]
            sent = rmq("msg", "send", "wide", "x", "--count", "6", namesrv=namesrv)
            assert sent.code == 0, sent.err
            shown = rmq("topic", "show", "wide", namesrv=namesrv).json()
            assert [(row["max_offset"] - row["min_offset"]) for row in shown["queues"]] == [1] * 6
