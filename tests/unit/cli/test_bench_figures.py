from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rocketmq_lite.cli.bench_figures import Goal, Latencies, Meter

MICROSECOND = 1e-6


@given(st.lists(st.floats(min_value=1e-6, max_value=3600), min_size=1))
def test_the_median_is_kept_to_one_part_in_128(seconds: list[float]) -> None:
    latencies = Latencies()
    for each in seconds:
        latencies.add(each)
    found = latencies.microseconds()
    assert found is not None
    assert found["p50"] == pytest.approx(statistics.median_low(seconds) / MICROSECOND, rel=1 / 128, abs=0.1)
    assert found["max"] == pytest.approx(max(seconds) / MICROSECOND, rel=1e-6, abs=0.1)
    assert found["p50"] <= found["p99"] <= found["p999"] <= found["max"]


def test_percentiles_are_those_of_their_rank() -> None:
    latencies = Latencies()
    for each in range(1, 1001):
        latencies.add(each * MICROSECOND)
    assert latencies.microseconds() == {
        "p50": pytest.approx(500, rel=1 / 128),
        "p99": pytest.approx(990, rel=1 / 128),
        "p999": pytest.approx(999, rel=1 / 128),
        "max": 1000.0,
    }


def test_nothing_taken_in_has_no_latency() -> None:
    assert Latencies().microseconds() is None


def test_a_meter_counts_from_the_first_begun_to_the_last_done() -> None:
    meter = Meter()
    assert meter.rate == 0
    meter.begin(10.0)
    meter.begin(11.0)
    meter.count(12.0, 300)
    meter.count(14.0, 100)
    meter.latencies.add(0.5)
    assert meter.record(size=1000) == {
        "messages": 400,
        "seconds": 4.0,
        "messages_per_second": 100,
        "megabytes_per_second": 0.1,
        "latency_us": dict.fromkeys(("p50", "p99", "p999", "max"), pytest.approx(500_000, rel=1 / 128)),
    }


def test_a_number_is_given_out_once() -> None:
    goal = Goal(5, math.inf)
    assert [goal.take(0.0, 2) for _ in range(4)] == [2, 2, 1, 0]


def test_a_time_is_kept() -> None:
    goal = Goal(None, 10.0)
    assert goal.take(9.9, 32) == 32
    assert goal.take(10.0, 32) == 0
