"""`rmq up`, `rmq namesrv` and `rmq broker`: how they start, refuse to, and stop."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from tests.support.cli import rmq
from tests.support.processes import Server, broker, name_server, up
from tests.support.raw_client import RawClient

from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.properties_text import load_properties

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow]


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


@pytest.mark.parametrize(("sig", "expected"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_a_second_signal_ends_at_once(tmp_path: Path, sig: signal.Signals, expected: int) -> None:
    with (
        name_server(tmp_path / "namesrv") as registry,
        broker(tmp_path / "broker", "broker-a", registry.ready["namesrv"]) as running,
    ):
        registry.process.send_signal(signal.SIGSTOP)  # the broker's good-bye gets no answer
        running.process.send_signal(sig)
        running.wait_until_it_stops()
        assert running.interrupt(sig)[0] == expected
    assert (tmp_path / "broker" / "store" / "abort").exists(), "it did not wait for the rest"


def test_a_broker_by_its_file(tmp_path: Path) -> None:
    conf = tmp_path / "broker.conf"
    conf.write_text(
        "brokerName=broker-f\nlistenPort=1\nfileReservedTime=48\nbrokerNam=typo\n"
        f"storePathRootDir={tmp_path / 'kept'}\nmappedFileSizeCommitLog=1048576\n"
    )
    ready = tmp_path / "ready.json"
    with Server(["broker", "-c", str(conf), "--port", "0"], ready) as server:
        with RawClient(server.ready["broker"]) as client:
            settings = load_properties(client.call(RequestCode.GET_BROKER_CONFIG, {}).body)
            assert client.send("filed", b"x").code == 0
        warning = server.err.wait_for("did you mean brokerName?")
        code, _, err = server.interrupt(signal.SIGTERM)
    assert code == 0, err
    assert f"{conf}:4: brokerNam is not known" in warning
    assert settings["brokerName"] == "broker-f"
    assert settings["fileReservedTime"] == "48"
    assert settings["listenPort"] == server.ready["broker"].rpartition(":")[2]
    assert (tmp_path / "kept" / "commitlog" / f"{0:020}").stat().st_size == 1_048_576


def test_a_file_that_says_what_cannot_be(tmp_path: Path) -> None:
    conf = tmp_path / "broker.conf"
    conf.write_text("fileReservedTime=long\n")
    run = rmq("broker", "-c", str(conf), "--port", "0", "--data", str(tmp_path))
    assert run.code == 1
    assert f"{conf}:1: fileReservedTime cannot be 'long'" in run.err
    assert "try: give a whole number" in run.err


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
