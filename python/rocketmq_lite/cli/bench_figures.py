"""What a bench counts, and what it says in the end. Pure: times are arguments, in seconds that never go back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

_SIGNIFICANT_BITS: Final = 8
"""Of a latency so many bits are kept: it is off by less than one part in 128, and a day fits into a few kilobytes."""


class Latencies:
    """How long things took, in bounded memory."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._longest = 0

    def add(self, seconds: float) -> None:
        """Take one in."""
        nanoseconds = int(seconds * 1e9)
        dropped = max(0, nanoseconds.bit_length() - _SIGNIFICANT_BITS)
        self._counts[nanoseconds >> dropped << dropped] += 1
        self._longest = max(self._longest, nanoseconds)

    def microseconds(self) -> dict[str, float] | None:
        """Percentiles by name and the longest; None when nothing was taken in."""
        total = self._counts.total()
        if not total:
            return None
        found = {
            name: self._at(share * total) for name, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))
        }
        return {name: round(value / 1000, 1) for name, value in (found | {"max": self._longest}).items()}

    def _at(self, rank: float) -> int:
        passed = 0
        for value, count in sorted(self._counts.items()):
            passed += count
            if passed >= rank:
                return value
        return self._longest


@dataclass(slots=True)
class Meter:
    """What was done so far.

    Attributes:
        messages: Acknowledged, or consumed.
        latencies: Of requests, or from producer to consumer.
        begun: When the first was begun; None before.
        ended: When the last one counted was done.
    """

    messages: int = 0
    latencies: Latencies = field(default_factory=Latencies)
    begun: float | None = None
    ended: float = 0.0

    def begin(self, now: float) -> None:
        """The first one is begun; later calls change nothing."""
        if self.begun is None:
            self.begun = self.ended = now

    def count(self, now: float, messages: int = 1) -> None:
        """So many more are done."""
        self.messages += messages
        self.ended = now

    @property
    def seconds(self) -> float:
        """From the first to the last."""
        return 0.0 if self.begun is None else self.ended - self.begun

    @property
    def rate(self) -> float:
        """Messages a second; 0 while nothing can be said."""
        return self.messages / self.seconds if self.seconds > 0 else 0.0

    def record(self, size: int) -> dict[str, object]:
        """What a person or a program is told, for bodies of `size` bytes."""
        return {
            "messages": self.messages,
            "seconds": round(self.seconds, 3),
            "messages_per_second": round(self.rate),
            "megabytes_per_second": round(self.rate * size / 1e6, 1),
            "latency_us": self.latencies.microseconds(),
        }


@dataclass(slots=True)
class Goal:
    """How much is to be done: a number of messages, or until a moment."""

    count: int | None
    deadline: float

    def take(self, now: float, wanted: int = 1) -> int:
        """How many of `wanted` messages may be begun now; 0 when it is enough."""
        if self.count is None:
            return wanted if now < self.deadline else 0
        taken = min(self.count, wanted)
        self.count -= taken
        return taken
