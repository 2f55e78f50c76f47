"""Failed messages that are handed out again here, each at its time; those of a queue that is no longer ours are dropped."""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rocketmq_lite.client.engine.process_queue import Delivery

__all__ = ["Paused"]


class Paused:
    """The failed messages of an inbox, the one that is due first in front.

    Attributes:
        soonest: When the first is due, one of a lost queue too; infinity without any.
    """

    def __init__(self) -> None:
        self.soonest = math.inf
        self._heap: list[tuple[float, int, Delivery]] = []
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[Delivery]:
        return (delivery for _, _, delivery in self._heap)

    def add(self, delivery: Delivery, until: float) -> None:
        """Keep a message back until the monotonic time ``until``."""
        self._sequence += 1
        heapq.heappush(self._heap, (until, self._sequence, delivery))
        self.soonest = self._heap[0][0]

    def take_due(self, now: float) -> Delivery | None:
        """Hand out the next message whose time has come; ``None`` when there is none."""
        while self.soonest <= now:
            delivery = self._pop()
            delivery.resume()
            if delivery.hand_out():
                return delivery
        return None

    def next_due(self) -> float | None:
        """When the next message may be handed out again, or ``None``."""
        while self._heap and not self._heap[0][2].queue.is_ours:
            self._pop()
        return self._heap[0][0] if self._heap else None

    def _pop(self) -> Delivery:
        delivery = heapq.heappop(self._heap)[2]
        self.soonest = self._heap[0][0] if self._heap else math.inf
        return delivery
