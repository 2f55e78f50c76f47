"""From samples to what can be said: medians, and whether an aim is met. Pure.

A sample is what one round of one entrant showed, a figure by name:

    rate              messages a second
    p50_us p99_us p999_us   microseconds from the send to its acknowledgement (paced: to the consumer)
    server_cpu_us client_cpu_us   microseconds of processor time a message, user and system
    server_rss_mb client_rss_mb   resident memory at the end, files that are mapped included
    server_anon_mb    of it what is no file's
    start_ms          from the start of the process to the first acknowledged send
    idle_cpu_percent  of one core
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Sample = Mapping[str, float]
    Samples = Mapping[str, Sequence[Sample]]

UNITS = {
    "rate": "/s",
    "p50_us": "µs",
    "p99_us": "µs",
    "p999_us": "µs",
    "server_cpu_us": "µs",
    "client_cpu_us": "µs",
    "server_rss_mb": "MB",
    "server_anon_mb": "MB",
    "client_rss_mb": "MB",
    "start_ms": "ms",
    "idle_cpu_percent": "%",
}


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over all rounds."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Aim:
    """What an entrant's median is held against.

    Attributes:
        entrant: Whose figure.
        figure: Which.
        at_least: The least it may be.
        at_most: The most it may be.
        times: The bound is a multiple of this entrant's figure of the same run.
        above: The bound counts from this entrant's figure of the same run.
    """

    entrant: str
    figure: str
    at_least: float | None = None
    at_most: float | None = None
    times: str | None = None
    above: str | None = None

    def __str__(self) -> str:
        bound, word = (self.at_least, "≥") if self.at_least is not None else (self.at_most, "≤")
        unit = UNITS[self.figure]
        if self.times:
            return f"{self.figure} {word} {bound:g} times {self.times}"
        return f"{self.figure} {word} {bound:,g} {unit}" + (f" above {self.above}" if self.above else "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """An aim and what came of it; `met` is None when there is nothing to hold it against."""

    aim: Aim
    found: float | None
    bound: float | None
    met: bool | None


def spread(samples: Sequence[Sample], figure: str) -> Spread | None:
    """Median, least and most of a figure; None when no round showed it."""
    values = [sample[figure] for sample in samples if figure in sample]
    return Spread(statistics.median(values), min(values), max(values)) if values else None


def judge(aim: Aim, samples: Samples) -> Verdict:
    """Whether an aim is met by the medians."""
    own = _median(samples, aim.entrant, aim.figure)
    other = _median(samples, aim.times or aim.above, aim.figure)
    if own is None or (other is None and (aim.times or aim.above)):
        return Verdict(aim, own, None, None)
    found = own - other if aim.above and other is not None else own
    factor = other if aim.times and other is not None else 1.0
    if aim.at_least is not None:
        return Verdict(aim, found, aim.at_least * factor, found >= aim.at_least * factor)
    at_most = aim.at_most if aim.at_most is not None else 0.0
    return Verdict(aim, found, at_most * factor, found <= at_most * factor)


def _median(samples: Samples, entrant: str | None, figure: str) -> float | None:
    found = spread(samples.get(entrant, ()), figure) if entrant else None
    return found.median if found else None
