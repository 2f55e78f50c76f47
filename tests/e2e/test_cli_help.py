"""What `rmq` says about itself and about codes, and what the shell offers after a Tab."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
from tests.support.cli import rmq

pytestmark = [pytest.mark.slow]


def test_help_names_every_command_in_panels() -> None:
    run = rmq("--help")
    assert run.code == 0
    places = [run.out.index(word) for word in ("Servers", "Messages", "Administration", " Help ")]
    assert places == sorted(places)
    commands = ("up", "namesrv", "broker", "msg", "topic", "group", "producer", "cluster", "explain")
    found = [run.out.index(f"│ {command} ", places[0]) for command in commands]
    assert found == sorted(found)
    assert "rmq up" in run.out


@pytest.mark.parametrize("noun", ["topic", "group", "producer", "cluster", "msg"])
def test_a_noun_alone_shows_its_commands(noun: str) -> None:
    assert "Commands" in rmq(noun).out + rmq(noun).err


# --- explain


def test_a_number_may_be_a_response_and_a_request() -> None:
    response, request = rmq("explain", "14").json()
    assert (response["kind"], response["name"]) == ("response", "SERVICE_NOT_AVAILABLE")
    assert response.keys() == {"kind", "code", "name", "meaning", "cause", "advice", "retryable"}
    assert response["retryable"]
    assert (request["kind"], request["name"]) == ("request", "QUERY_CONSUMER_OFFSET")
    assert request["answered_by"] == "broker"


@pytest.mark.parametrize("name", ["SYSTEM_BUSY", "system_busy", "2"])
def test_a_code_by_name_or_number(name: str) -> None:
    explained = rmq("explain", name).json()[0]
    assert (explained["code"], explained["name"]) == (2, "SYSTEM_BUSY")


def test_an_explanation_for_a_person_is_the_errors_hint() -> None:
    run = rmq("explain", "TOPIC_NOT_EXIST", "--output", "table")
    assert run.code == 0
    assert run.out.startswith("17 TOPIC_NOT_EXIST (a response)\n")
    assert "rmq topic create" in run.out
    asked = rmq("explain", "GET_CONSUMER_RUNNING_INFO", "--output", "table").out
    assert "broker or client" in asked


@pytest.mark.parametrize(
    ("code", "hint"),
    [("TOPIC_NOT_EXISTS", "TOPIC_NOT_EXIST"), ("4711", "TOPIC_NOT_EXIST"), ("DURABLE", "give a number")],
)
def test_what_is_no_code(code: str, hint: str) -> None:
    run = rmq("explain", code)
    assert run.code == 2
    assert f"{code} is no code" in run.err
    assert hint in run.err


# --- completion


def complete(*words: str) -> list[str]:
    """What the shell gets for a line that ends in the last of these words."""
    environment = {k: v for k, v in os.environ.items() if k not in {"ROCKETMQ_NAMESRV", "NAMESRV_ADDR"}}
    environment |= {
        "_RMQ_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["rmq", *words]),
        "COMP_CWORD": str(len(words)),
    }
    command = [sys.executable, "-m", "rocketmq_lite"]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
    assert done.stderr == b""
    return done.stdout.decode().split()


def completed(*words: str) -> list[str]:
    """The same, tried again while nothing comes: a loaded machine may answer later than a user's patience."""
    return next((found for _ in range(20) if (found := complete(*words))), [])


def test_names_are_completed(namesrv: str) -> None:
    for topic in ("orders", "orders-late", "quotes"):
        rmq("topic", "create", topic, namesrv=namesrv)
    rmq("group", "create", "billing", namesrv=namesrv)
    assert completed("-n", namesrv, "topic", "show", "ord") == ["orders", "orders-late"]
    assert completed("msg", "tail", "-n", namesrv, "q") == ["quotes"]
    assert completed("-n", namesrv, "topic", "show", "TBW") == ["TBW102"]
    assert completed("-n", namesrv, "group", "lag", "bil") == ["billing"]
    assert completed("-n", namesrv, "cluster", "show", "bro") == ["broker-a"]
    assert completed("-n", namesrv, "group", "create", "g", "--cluster", "D") == ["DefaultCluster"]
    assert complete("explain", "TOPIC_N") == ["TOPIC_NOT_EXIST"]
    assert complete("explain", "topic_n") == ["topic_not_exist"]
    assert complete("group", "cli") == ["clients"]


def test_without_a_cluster_nothing_is_offered_and_nothing_said() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        assert complete("-n", f"127.0.0.1:{probe.getsockname()[1]}", "topic", "show", "o") == []


def test_a_server_that_accepts_and_says_nothing_does_not_hang_the_shell() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert complete("-n", f"127.0.0.1:{silent.getsockname()[1]}", "topic", "show", "o") == []


def test_the_completion_script_is_shown() -> None:
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [sys.executable, "-m", "rocketmq_lite", "--show-completion", "bash"]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
    assert done.returncode == 0
    assert b"_RMQ_COMPLETE=complete_bash" in done.stdout
