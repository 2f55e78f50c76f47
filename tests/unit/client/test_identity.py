"""Client ids and message ids in Java's layout."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

import pytest

from rocketmq_lite.client.identity import Identity, month_start_ms, own_address


class FixedClock:
    def __init__(self, wall_ms: int) -> None:
        self.now = wall_ms

    def wall_ms(self) -> int:
        return self.now

    def mono(self) -> float:
        return 0.0


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        (ms("2026-03-15 12:00:00"), ms("2026-03-01"), ms("2026-04-01")),
        (ms("2026-12-31 23:59:00"), ms("2026-12-01"), ms("2027-01-01")),
        (ms("2028-02-29"), ms("2028-02-01"), ms("2028-03-01")),
        (ms("2026-03-01"), ms("2026-03-01"), ms("2026-04-01")),
    ],
)
def test_months(utc, now, start, end):
    assert (month_start_ms(now), month_start_ms(now, following=True)) == (start, end)


def test_months_are_local(monkeypatch, utc):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    # In April summer time, one hour further from UTC than when March began.
    assert month_start_ms(ms("2026-04-10")) == ms("2026-03-31 22:00:00")
    assert month_start_ms(ms("2026-03-31 12:00:00")) == ms("2026-02-28 23:00:00")


def test_the_layout_of_a_message_id(utc):
    clock = FixedClock(ms("2026-03-02 00:00:01"))
    identity = Identity(clock, address="192.168.1.10", instance="x")
    first, second = identity.next_message_id(), identity.next_message_id()
    assert len(first) == 32
    assert first[:8] == "C0A8010A"
    assert int(first[8:12], 16) == os.getpid() & 0xFFFF
    assert int(first[20:28], 16) == 24 * 3600 * 1000 + 1000
    assert int(second[28:], 16) == int(first[28:], 16) + 1
    clock.now = ms("2026-04-01 00:00:02")
    assert int(identity.next_message_id()[20:28], 16) == 2000


def test_client_ids():
    clock = FixedClock(ms("2026-03-02"))
    assert Identity(clock, address="10.0.0.1", instance="a").client_id == "10.0.0.1@a"
    made_up = [Identity(clock, address="10.0.0.1").client_id for _ in range(2)]
    assert made_up[0] != made_up[1]
    assert made_up[0].startswith(f"10.0.0.1@{os.getpid()}#")


def test_this_machine_has_an_address():
    assert len(own_address().split(".")) == 4
