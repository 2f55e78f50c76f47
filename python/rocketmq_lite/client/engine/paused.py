"""Failed messages that are handed out again here, each at its time; those of a queue that is no longer ours are dropped."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Generic, TypeVar

from rocketmq_lite.client.engine.process_queue import DeliveryEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rocketmq_lite.client.engine.process_queue import Delivery

__all__ = ["Paused"]

T = TypeVar("T")


class Paused(Generic[T]):
    """The failed messages of an inbox, the one that is due first in front."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Delivery[T]]] = []
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[Delivery[T]]:
        return (delivery for _, _, delivery in self._heap)

    def add(self, delivery: Delivery[T], until: float) -> None:
        """Keep a message back until the monotonic time ``until``."""
        self._sequence += 1
        heapq.heappush(self._heap, (until, self._sequence, delivery))

    def take_due(self, now: float) -> Delivery[T] | None:
        """The next message whose time has come, waiting again; ``None`` when there is none."""
        if not self._heap or self._heap[0][0] > now:
            return None
        delivery = heapq.heappop(self._heap)[2]
        delivery.apply(DeliveryEvent.RESUME)
        return delivery

    def next_due(self) -> float | None:
        """When the next message may be handed out again, or ``None``."""
        while self._heap and not self._heap[0][2].queue.is_ours:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
