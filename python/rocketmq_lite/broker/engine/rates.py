"""Messages a second over the last ten seconds, minute and ten minutes, from counters that only grow.

One sample a second costs little, but a broker that nobody asks about should do nothing at all: the counters are sampled
every ten seconds, and the moment of a question is a sample of its own.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOWS: Final = (10.0, 60.0, 600.0)
SAMPLE_SECONDS: Final = 10.0


class Rates:
    """Remembers samples of counters for as long as the longest window."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, int]]] = deque()

    def sample(self, now: float, counters: Mapping[str, int]) -> None:
        """Take the counters as they are now."""
        self._samples.append((now, dict(counters)))
        while len(self._samples) > 2 and self._samples[1][0] <= now - WINDOWS[-1]:  # noqa: PLR2004 - both ends
            self._samples.popleft()

    def rates(self, counter: str) -> tuple[float, float, float]:
        """What the counter grew by a second, over each window up to the last sample."""
        ten, sixty, six_hundred = (self._rate(counter, window) for window in WINDOWS)
        return ten, sixty, six_hundred

    def text(self, counter: str) -> str:
        """The three rates as Apache prints them."""
        return " ".join(str(rate) for rate in self.rates(counter))

    def _rate(self, counter: str, window: float) -> float:
        if not self._samples:
            return 0.0
        end, last = self._samples[-1]
        begin, first = self._samples[0]
        for moment, counters in reversed(self._samples):
            begin, first = moment, counters
            if moment <= end - window:
                break
        return (last[counter] - first[counter]) / (end - begin) if end > begin else 0.0
