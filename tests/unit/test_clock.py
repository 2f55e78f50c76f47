"""Clocks: wall time moves with Trio's, or with the machine's."""

from __future__ import annotations

import time

import trio
import trio.testing

from rocketmq_lite.clock import SystemClock, TrioClock


async def test_wall_time_moves_with_the_mock_clock(autojump_clock: trio.testing.MockClock) -> None:
    clock = TrioClock(1000)
    began = clock.wall_ms(), clock.mono()
    await trio.sleep(3600)
    assert (clock.wall_ms() - began[0], clock.mono() - began[1]) == (3_600_000, 3600)


async def test_the_system_clock_is_the_machines() -> None:
    clock = SystemClock()
    assert abs(clock.wall_ms() - time.time_ns() // 1_000_000) < 1000
    assert clock.mono() <= trio.current_time()
