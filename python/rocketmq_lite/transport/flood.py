"""Complaints about peers: the first is told at once, those that follow are counted and told with a later one.

Whoever sends garbage over a thousand connections does not fill the disk with log lines. (The broker's message engine
has the same rule for its own connections.)
"""

from __future__ import annotations

import math
from typing import Final

__all__ = ["INTERVAL", "Flood"]

INTERVAL: Final = 60.0
"""Seconds between two lines of one kind."""


class Flood:
    """When a kind of complaint may be told again, and how many were not."""

    def __init__(self) -> None:
        self._quiet_until = -math.inf
        self._untold = 0

    def admit(self, now: float) -> str | None:
        """What to add to the line, or ``None`` when it is not to be written."""
        if now < self._quiet_until:
            self._untold += 1
            return None
        self._quiet_until = now + INTERVAL
        untold, self._untold = self._untold, 0
        return f" ({untold} more since the last such line)" if untold else ""
