"""`rmq msg` as a stranger uses it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from tests.support.cli import rmq
from tests.support.processes import Program, up

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow]


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


def test_tail_by_a_condition(namesrv: str) -> None:
    for price in ("1", "7", "free"):
        sent = rmq("msg", "send", "priced", f"costs {price}", "--property", f"price={price}", namesrv=namesrv)
        assert sent.code == 0, sent.err
    start = ("msg", "tail", "priced", "--from", "earliest", "--count", "1")
    tailed = rmq(*start, "--where", "price > 1", namesrv=namesrv)
    assert tailed.code == 0, tailed.err
    assert tailed.json()["body"] == "costs 7"
    mistaken = rmq(*start, "--where", "price > (1", namesrv=namesrv)
    assert (mistaken.code, mistaken.out) == (1, "")
    assert "line 1, column 11: expected an operator or ), found the end" in mistaken.err
    both = rmq(*start, "--where", "price > 1", "--tag", "a", namesrv=namesrv)
    assert both.code == 2
    assert "TAGS = 'paid'" in both.err


def test_send_reads_standard_input_and_files(namesrv: str, tmp_path: Path) -> None:
    assert rmq("msg", "send", "inputs", "-", stdin=b"from stdin", namesrv=namesrv).code == 0
    (tmp_path / "body").write_bytes(b"from file")
    assert rmq("msg", "send", "inputs", "--file", str(tmp_path / "body"), namesrv=namesrv).code == 0
    tailed = rmq("msg", "tail", "inputs", "--from", "earliest", "--count", "2", namesrv=namesrv)
    assert {line.split('"body": ')[1].split('"')[1] for line in tailed.out.splitlines()} == {
        "from stdin",
        "from file",
    }


def test_tail_ends_silently_with_its_reader(namesrv: str) -> None:
    rmq("msg", "send", "piped", "first", namesrv=namesrv)
    arguments = ["msg", "tail", "piped", "--from", "earliest", "-n", namesrv]
    command = [sys.executable, "-m", "rocketmq_lite", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tail:
        assert tail.stdout is not None
        assert b"first" in tail.stdout.readline()
        tail.stdout.close()
        assert tail.wait(60) == 0
        assert tail.stderr is not None
        assert tail.stderr.read() == b""


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


def test_a_message_is_handed_to_a_consumer(namesrv: str) -> None:
    receipt = rmq("msg", "send", "handed", "hello", namesrv=namesrv).json()
    place = f"handed/{receipt['broker']}/{receipt['queue']}/{receipt['offset']}"
    arguments = ["msg", "tail", "handed", "--group", "hands", "--from", "earliest", "--count", "2"]
    with Program([*arguments, "-n", namesrv]) as tail:
        tail.out.wait_for("hello")
        handed = rmq("msg", "consume", place, "--group", "hands", namesrv=namesrv)
        assert handed.code == 0, handed.err
        told = handed.json()
        assert tail.process.wait(60) == 0
        assert tail.out.wait_for_end().count('"hello"') == 2
    assert (told["message_id"], told["group"], told["result"]) == (
        receipt["message_id"],
        "hands",
        "CR_SUCCESS",
    )
    nobody = rmq("msg", "consume", place, "--group", "hands", namesrv=namesrv)
    assert (nobody.code, nobody.out) == (1, "")
    assert "nobody of group hands is online" in nobody.err


def test_a_message_by_its_ids_and_its_place(namesrv: str) -> None:
    arguments = ["msg", "send", "found", "hello", "--tag", "a", "--key", "k1", "--property", "n=1"]
    receipt = rmq(*arguments, namesrv=namesrv).json()
    place = f"found/{receipt['broker']}/{receipt['queue']}/{receipt['offset']}"
    shown = [
        rmq("msg", "get", receipt["offset_message_id"], namesrv=namesrv),
        rmq("msg", "get", receipt["message_id"], "--topic", "found", namesrv=namesrv),
        rmq("msg", "get", place, namesrv=namesrv),
    ]
    assert [each.code for each in shown] == [0, 0, 0], [each.err for each in shown]
    assert shown[0].json() == shown[1].json() == shown[2].json()
    message = shown[0].json()
    assert (message["body"], message["tag"], message["keys"]) == ("hello", "a", ["k1"])
    assert message["properties"] == {"n": "1"}
    assert message["system_properties"]["UNIQ_KEY"] == receipt["message_id"] == message["message_id"]
    assert message["offset_message_id"] == receipt["offset_message_id"]
    assert (message["queue"], message["offset"]) == (receipt["queue"], receipt["offset"])
    assert message["born_at"] <= message["stored_at"]
    assert message["store_host"].startswith("127.0.0.1:")
    table = rmq("msg", "get", place, "--output", "table", namesrv=namesrv).out
    assert dict(line.split(maxsplit=1) for line in table.splitlines())["body"] == "hello"


def test_a_body_that_is_no_text(namesrv: str) -> None:
    receipt = rmq("msg", "send", "bytes", "-", stdin=b"\xff\x00", namesrv=namesrv).json()
    message = rmq("msg", "get", receipt["offset_message_id"], namesrv=namesrv).json()
    assert message["body_base64"] == "/wA="
    assert "body" not in message


@pytest.mark.parametrize(
    ("message", "code", "complaint"),
    [
        ("found/broker-a/0/4711", 1, "no message at offset 4711"),
        ("found/broker-z/0/0", 1, "broker-z"),
        ("found/broker-a/0", 2, "T/BROKER/QUEUE/OFFSET"),
        ("found/broker-a/x/0", 2, "T/BROKER/QUEUE/OFFSET"),
        ("0" * 32, 1, "no offset message id"),
        ("rubbish", 1, "no offset message id"),
    ],
)
def test_messages_that_are_not_found(namesrv: str, message: str, code: int, complaint: str) -> None:
    rmq("msg", "send", "found", "x", namesrv=namesrv)
    run = rmq("msg", "get", message, namesrv=namesrv)
    assert run.code == code
    assert complaint in run.err
    assert "Traceback" not in run.err


def test_a_producers_id_that_the_topic_does_not_have(namesrv: str) -> None:
    rmq("msg", "send", "found", "x", namesrv=namesrv)
    run = rmq("msg", "get", "0" * 32, "--topic", "found", namesrv=namesrv)
    assert run.code == 1
    assert "in topic found" in run.err


def test_find_prints_the_messages_of_a_key(namesrv: str) -> None:
    for body in ("one", "two"):
        assert (
            rmq("msg", "send", "keyed", body, "--key", "order-42", "--key", body, namesrv=namesrv).code == 0
        )
    found = rmq("msg", "find", "keyed", "--key", "order-42", namesrv=namesrv)
    assert [json.loads(line)["body"] for line in found.out.splitlines()] == ["one", "two"]
    assert (found.code, found.err) == (0, "")
    table = rmq("msg", "find", "keyed", "--key", "two", "--output", "table", namesrv=namesrv)
    assert table.out.endswith("(order-42 two) two\n")
    none = rmq("msg", "find", "keyed", "--key", "three", namesrv=namesrv)
    assert (none.code, none.out, none.err) == (0, "", "")
