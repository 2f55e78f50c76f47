"""What all commands have in common: global options, errors, exit codes, a closed pipe."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from tests.support.cli import rmq
from tests.support.processes import Program

pytestmark = [pytest.mark.slow]


def test_global_options_before_and_after_the_subcommand(namesrv: str) -> None:
    before = rmq("--namesrv", namesrv, "--output", "json", "topic", "ls")
    after = rmq("topic", "ls", "--namesrv", namesrv, "--output", "json")
    assert before.code == after.code == 0
    assert before.out == after.out


@pytest.mark.parametrize(
    "command",
    ["topic ls", "group lag g", "producer ls p", "cluster ls", "msg get t/b/0/0"],
)
def test_no_name_server_there(command: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
        run = rmq(*command.split(), "-n", address)
    assert run.code == 1
    assert address in run.err
    assert "rmq up" in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize("command", ["topic ls", "group lag g", "cluster show", "msg get t/b/0/0"])
def test_ctrl_c_ends_a_command_whose_server_is_silent(command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with Program([*command.split(), "-n", address, "--timeout", "60"]) as waiting:
            connection, _ = silent.accept()
            with connection:
                connection.recv(1)
                code, out, err = waiting.interrupt()
    assert (code, out, err) == (130, "", "")


def test_wrong_flags_end_with_usage() -> None:
    assert rmq("topic", "create").code == 2
    assert rmq("topic", "create", "t", "--quees", "3").code == 2
    assert rmq("no-such-command").code == 2


def test_a_closed_pipe_is_silent(namesrv: str) -> None:
    command = [sys.executable, "-m", "rocketmq_lite", "topic", "ls", "-n", namesrv]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=20) == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
