"""`rmq bench` on a real cluster: what it prints, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from typing import Any

import pytest
from tests.support.cli import rmq
from tests.support.processes import Program

pytestmark = [pytest.mark.slow]

MEASURED = {"messages", "seconds", "messages_per_second", "megabytes_per_second", "latency_us", "interrupted"}


def left_behind(namesrv: str) -> list[str]:
    """What a bench made for itself and did not remove."""
    topics, groups = rmq("topic", "ls", namesrv=namesrv), rmq("group", "ls", namesrv=namesrv)
    assert (topics.code, groups.code) == (0, 0), topics.err + groups.err
    names = [row["topic"] for row in topics.json()] + [row["group"] for row in groups.json()]
    return [name for name in names if "rmq-bench-" in name]


def bench(*arguments: str, namesrv: str) -> dict[str, Any]:
    """What it reports."""
    done = rmq("bench", *arguments, namesrv=namesrv)
    assert (done.code, done.err) == (0, "")
    report: dict[str, Any] = done.json()
    assert not report["interrupted"]
    return report


@pytest.mark.parametrize("batch", [1, 32])
def test_produce_sends_as_many_as_it_says(namesrv: str, batch: int) -> None:
    created = rmq("topic", "create", f"produced-{batch}", namesrv=namesrv)
    assert created.code == 0, created.err
    options = ("--topic", f"produced-{batch}", "--count", "500", "--size", "100", "--batch", str(batch))
    report = bench("produce", *options, "--outstanding", "8", namesrv=namesrv)
    assert report.keys() == {"kind", "topic", "size", "outstanding", "batch"} | MEASURED
    assert (report["kind"], report["messages"], report["batch"]) == ("produce", 500, batch)
    assert 0 < report["latency_us"]["p50"] <= report["latency_us"]["max"]
    stored = rmq("topic", "show", f"produced-{batch}", namesrv=namesrv).json()["queues"]
    assert sum(queue["max_offset"] for queue in stored) == 500


def test_produce_stops_after_a_time(namesrv: str) -> None:
    report = bench("produce", "--seconds", "0.3", namesrv=namesrv)
    assert report["messages"] > 0
    assert report["seconds"] >= 0.3
    assert left_behind(namesrv) == []


def test_consume_takes_all_that_it_sent(namesrv: str) -> None:
    report = bench("consume", "--count", "2000", "--size", "10", namesrv=namesrv)
    assert report.keys() == {"kind", "topic", "size"} | MEASURED
    assert report["messages"] == 2000
    assert report["latency_us"] is None
    assert left_behind(namesrv) == []


def test_consume_takes_what_a_topic_holds_and_leaves_it(namesrv: str) -> None:
    sent = rmq("msg", "send", "held", "a body", "--count", "30", namesrv=namesrv)
    assert sent.code == 0, sent.err
    assert bench("consume", "--topic", "held", namesrv=namesrv)["messages"] == 30
    assert bench("consume", "--topic", "held", "--count", "10", namesrv=namesrv)["messages"] == 10


def test_an_empty_topic_cannot_be_consumed(namesrv: str) -> None:
    created = rmq("topic", "create", "empty", namesrv=namesrv)
    assert created.code == 0, created.err
    done = rmq("bench", "consume", "--topic", "empty", namesrv=namesrv)
    assert done.code == 2
    assert "rmq bench produce --topic empty" in done.err


def test_end_to_end_sees_every_message_once_at_the_rate(namesrv: str) -> None:
    report = bench("e2e", "--count", "100", "--rate", "500", namesrv=namesrv)
    assert report.keys() == {"kind", "topic", "size", "rate"} | MEASURED
    assert report["messages"] == 100
    assert report["seconds"] >= 99 / 500
    assert report["latency_us"]["p50"] > 0
    assert left_behind(namesrv) == []


def test_a_body_too_small_for_a_time_is_refused(namesrv: str) -> None:
    done = rmq("bench", "e2e", "--size", "7", namesrv=namesrv)
    assert done.code == 2
    assert "at least 8" in done.err


def test_ctrl_c_prints_what_was_measured_and_tidies_up(namesrv: str) -> None:
    arguments = ["bench", "produce", "--seconds", "1000", "--outstanding", "1", "-n", namesrv]
    with Program(arguments) as program:
        while not left_behind(namesrv):
            pass
        code, out, _ = program.interrupt(signal.SIGINT)
    assert code == 130
    report = json.loads(out)
    assert report["interrupted"]
    assert report["kind"] == "produce"
    assert left_behind(namesrv) == []


def test_a_terminal_sees_how_far_it_is(namesrv: str) -> None:
    controller, terminal = pty.openpty()
    arguments = ["bench", "produce", "--seconds", "1", "-n", namesrv]
    with subprocess.Popen(
        [sys.executable, "-m", "rocketmq_lite", *arguments], stdout=subprocess.PIPE, stderr=terminal
    ) as program:
        out, _ = program.communicate(timeout=60)
        os.close(terminal)
        shown = b""
        try:
            while piece := os.read(controller, 65536):
                shown += piece
        except OSError:  # what a terminal says when its other side is closed
            pass
        os.close(controller)
    assert json.loads(out)["messages"] > 0
    assert b"messages, " in shown
