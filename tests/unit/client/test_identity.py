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


def ms(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() * 1000)


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
        (ms(2026, 3, 15, 12), ms(2026, 3, 1), ms(2026, 4, 1)),
        (ms(2026, 12, 31, 23, 59), ms(2026, 12, 1), ms(2027, 1, 1)),
        (ms(2028, 2, 29), ms(2028, 2, 1), ms(2028, 3, 1)),
        (ms(2026, 3, 1), ms(2026, 3, 1), ms(2026, 4, 1)),
    ],
)
def test_months(utc, now, start, end):
    assert (month_start_ms(now), month_start_ms(now, following=True)) == (start, end)


def test_months_are_local(monkeypatch, utc):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    assert month_start_ms(ms(2026, 4, 10)) == ms(
        2026, 3, 31, 22
    )  # summer time, though February had winter time
    assert month_start_ms(ms(2026, 3, 31, 12)) == ms(2026, 2, 28, 23)


def test_the_layout_of_a_message_id(utc):
    clock = FixedClock(ms(2026, 3, 2, 0, 0, 1))
    identity = Identity(clock, address="192.168.1.10", instance="x")
    first, second = identity.next_message_id(), identity.next_message_id()
    assert len(first) == 32
    assert first[:8] == "C0A8010A"
    assert int(first[8:12], 16) == os.getpid() & 0xFFFF
    assert int(first[20:28], 16) == 24 * 3600 * 1000 + 1000
    assert int(second[28:], 16) == int(first[28:], 16) + 1
    clock.now = ms(2026, 4, 1, 0, 0, 2)
    assert int(identity.next_message_id()[20:28], 16) == 2000


def test_client_ids():
    clock = FixedClock(ms(2026, 3, 2))
    assert Identity(clock, address="10.0.0.1", instance="a").client_id == "10.0.0.1@a"
    made_up = [Identity(clock, address="10.0.0.1").client_id for _ in range(2)]
    assert made_up[0] != made_up[1]
    assert made_up[0].startswith(f"10.0.0.1@{os.getpid()}#")


def test_this_machine_has_an_address():
    assert len(own_address().split(".")) == 4
