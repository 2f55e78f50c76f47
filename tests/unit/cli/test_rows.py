"""The pure parts of what commands print and take."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rocketmq_lite.cli.cluster import _number, _up_for, _version
from rocketmq_lite.cli.explain import _find
from rocketmq_lite.cli.failures import UsageFault
from rocketmq_lite.cli.group_rows import (
    blocked_lines,
    blocked_record,
    queues_text,
    skipped_lines,
    skipped_record,
)
from rocketmq_lite.cli.message_get import _place
from rocketmq_lite.cli.message_text import body_record
from rocketmq_lite.cli.render import time_text
from rocketmq_lite.cli.system_names import reserved_topics
from rocketmq_lite.client.administration.group_reports import QueueLag
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import BlockedQueue, BrokerData, ClusterInfo, SkippedOffsets


def test_queues_in_few_words() -> None:
    queues = [
        MessageQueue("t", "a", 0),
        MessageQueue("t", "a", 1),
        MessageQueue("t", "b", 0),
        MessageQueue("u", "a", 3),
    ]
    assert queues_text(tuple(queues)) == "t a/0,1 b/0\nu a/3"
    assert queues_text(()) == ""
    assert queues_text(None) is None


@pytest.mark.parametrize(
    ("text", "digits", "number"),
    [("1.25 2.0 3.0", 1, 1.2), ("0.13941", 3, 0.139), ("", 1, None), (None, 1, None), ("x", 1, None)],
)
def test_figures(text: str | None, digits: int, number: float | None) -> None:
    assert _number(text, digits=digits) == number


def test_versions() -> None:
    assert _version("V5_3_3") == "5.3.3"
    assert _version(None) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(30, "0m"), (7 * 60, "7m"), (5 * 3600 + 12 * 60, "5h 12m"), (100 * 3600, "4d 4h"), (-5, "0m")],
)
def test_how_long_ago(seconds: int, text: str) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert _up_for(int(now.timestamp() - seconds) * 1000, now) == text
    assert _up_for(0, now) is None


def test_times() -> None:
    assert time_text(1_700_000_000_123) == "2023-11-14T22:13:20.123+00:00"
    assert time_text(0) is time_text(-1) is None


def test_places() -> None:
    assert _place("orders/broker-a/2/42") == (MessageQueue("orders", "broker-a", 2), 42)
    assert _place("7F0000010000B69B0000000000000000") is None
    for text in ("a/b", "a/b/c/d", "a/b/0/-1", "a/b/0/1/2"):
        with pytest.raises(UsageFault):
            _place(text)


def test_codes_by_number_and_name() -> None:
    responses, requests = _find("10")
    assert [each.name for each in responses + requests] == ["FLUSH_DISK_TIMEOUT", "SEND_MESSAGE"]
    assert _find(" pull_message ")[1][0].value == 11
    with pytest.raises(UsageFault) as caught:
        _find("PULL_MESAGE")
    assert "PULL_MESSAGE" in caught.value.hint


def test_bodies() -> None:
    assert body_record("ünï".encode()) == {"body": "ünï"}
    assert body_record(b"\xff") == {"body_base64": "/w=="}


def test_what_users_may_leave_alone() -> None:
    reserved = reserved_topics(ClusterInfo({"b": BrokerData("C", "b")}, {"C": ("b",)}))
    assert all(map(reserved, ("C", "b", "C_REPLY_TOPIC", "%RETRY%g", "%DLQ%g", "TBW102", "rmq_sys_x")))
    assert not any(map(reserved, ("orders", "D", "D_REPLY_TOPIC")))


def lag_of(**changes: object) -> QueueLag:
    known = QueueLag(
        queue=MessageQueue("t", "a", 0),
        broker_offset=9,
        consumer_offset=3,
        last_stored_ms=0,
        client_id="c",
        blocked=None,
        blocked_known=True,
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def test_what_holds_queues_up() -> None:
    head = BlockedQueue(
        MessageQueue("t", "a", 0), offset=3, attempts=2, since=1_700_000_000_123, error="E: x", stands=True
    )
    assert blocked_lines([lag_of(), lag_of(blocked=head), lag_of(client_id="java", blocked_known=False)]) == [
        "t a/0 waits for offset 3: 2 attempts failed since 2023-11-14T22:13:20.123+00:00, it is tried no more; E: x",
        "whether a failing message holds up java is not known",
    ]
    assert blocked_lines([lag_of(client_id="java", blocked_known=False, consumer_offset=9)]) == []
    assert blocked_record(lag_of(blocked=head))["blocked"] == {
        "offset": 3,
        "attempts": 2,
        "since": "2023-11-14T22:13:20.123+00:00",
        "error": "E: x",
        "stands": True,
    }


def test_what_a_group_lost() -> None:
    lost = lag_of(skipped=SkippedOffsets(begin=5, end=1_205, timestamp=1_700_000_000_123))
    [line] = skipped_lines([lag_of(), lost])
    assert line == (
        "t a/0 fell behind what the broker keeps: 1,200 messages from offset 5 on are lost, it went on at 1205"
        " at 2023-11-14T22:13:20.123+00:00"
    )
    assert skipped_record(lag_of()) == {"skipped": None}
    assert skipped_record(lost)["skipped"] == {
        "from": 5,
        "to": 1_205,
        "at": "2023-11-14T22:13:20.123+00:00",
    }
