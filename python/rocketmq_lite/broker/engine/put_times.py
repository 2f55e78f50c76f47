"""How long sends took in the last minute, from counts that only grow: Apache's ``putMessageDistributeTime`` and percentiles.

The engine counts sends in classes of milliseconds. What is asked for is the growth since the sample that is a minute old, as
``rates`` has it.
"""

from __future__ import annotations

import bisect
import math
from collections import deque
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

Counts = list[tuple[int, int]]
"""The first millisecond of each class, in order, and the sends in it."""

WINDOW: Final = 60.0  # seconds; Apache begins anew every minute
_GROUPS: Final = {
    "<=0ms": 1,
    "0~10ms": 10,
    "10~50ms": 50,
    "50~100ms": 100,
    "100~200ms": 200,
    "200~500ms": 500,
    "500ms~1s": 1_000,
    "1~2s": 2_000,
    "2~3s": 3_000,
    "3~4s": 4_000,
    "4~5s": 5_000,
    "5~10s": 10_000,
    "10s~": math.inf,
}
"""Apache's groups, by their names there: the first millisecond that belongs to the next one."""


class PutTimes:
    """Remembers counts for as long as the window."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, Counts]] = deque()

    def sample(self, now: float, counts: Sequence[tuple[int, int]]) -> None:
        """Take the counts as they are now."""
        self._samples.append((now, list(counts)))
        while len(self._samples) > 2 and self._samples[1][0] <= now - WINDOW:  # noqa: PLR2004 - both ends
            self._samples.popleft()

    def distribution(self) -> str:
        """How many sends took how long, as Apache writes it."""
        totals = dict.fromkeys(_GROUPS, 0)
        names, ends = list(_GROUPS), list(_GROUPS.values())
        for first, count in self._recent():
            totals[names[bisect.bisect_right(ends, first)]] += count
        return "".join(f"[{name}]:{count} " for name, count in totals.items())

    def percentile(self, part: float) -> float:
        """Milliseconds that so many of the sends did not exceed; 0 without any."""
        recent = self._recent()
        sums = list(accumulate((count for _, count in recent), initial=0))
        wanted = sums[-1] * part
        for (first, count), (before, upto) in zip(recent, pairwise(sums), strict=True):
            if count and upto >= wanted:
                return first + (self._width(first) * (wanted - before) / count)
        return 0.0

    def _recent(self) -> Counts:
        """What the counts grew by within the window."""
        if not self._samples:
            return []
        (_, old), (_, new) = self._samples[0], self._samples[-1]
        return [(first, count - before) for (first, count), (_, before) in zip(new, old, strict=True)]

    def _width(self, first: int) -> int:
        """Milliseconds of a class; none of the last one, which has no end."""
        edges = [edge for edge, _ in self._samples[-1][1]]
        after = bisect.bisect_right(edges, first)
        return edges[after] - first if after < len(edges) else 0
