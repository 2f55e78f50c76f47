"""The only reader of wall time; everything else is given a :class:`Clock`.

Two kinds of time, never mixed: what is stored or sent uses wall milliseconds, every deadline uses the
monotonic seconds of Trio's own clock (so that ``MockClock`` moves both).
"""

from __future__ import annotations

import time
from typing import Protocol

import trio

__all__ = ["Clock", "SystemClock", "TrioClock", "local_hour", "utc_offset_s"]


class Clock(Protocol):
    """Where code that acts takes its time from."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 in UTC; may jump."""
        ...

    def mono(self) -> float:
        """Seconds that never go back, with an arbitrary zero; compatible with Trio's deadlines."""
        ...


class SystemClock:
    """The machine's wall time with Trio's monotonic time."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 by the machine's clock."""
        return time.time_ns() // 1_000_000

    def mono(self) -> float:
        """Trio's current time."""
        return trio.current_time()


def local_hour(wall_ms: int) -> int:
    """The hour of the machine's local day, 0 to 23."""
    return time.localtime(wall_ms / 1000).tm_hour


def utc_offset_s() -> int:
    """Seconds that the machine's local time is ahead of UTC now."""
    return time.localtime().tm_gmtoff


class TrioClock:
    """Wall time that moves with Trio's clock: under ``MockClock`` an hour passes in no time.

    Args:
        epoch_ms: The wall time at which Trio's clock shows zero. ``MockClock`` starts there.
    """

    def __init__(self, epoch_ms: int = 1_700_000_000_000) -> None:
        self._epoch_ms = epoch_ms

    def wall_ms(self) -> int:
        """The epoch plus what Trio's clock shows."""
        return self._epoch_ms + int(trio.current_time() * 1000)

    def mono(self) -> float:
        """Trio's current time."""
        return trio.current_time()
