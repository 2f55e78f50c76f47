"""What the iteration hands out next: messages that wait, and failed ones whose pause is over.

One inbox serves all queues of a consumer. Order within a queue is the order of offsets, except that a
failed message comes back later. Messages of a queue that is no longer ours are dropped on the way out.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from rocketmq_lite.client.engine.paused import Paused
from rocketmq_lite.client.engine.process_queue import Delivery, DeliveryEvent

__all__ = ["Inbox"]

T = TypeVar("T")


class Inbox(Generic[T]):
    """Deliveries that no user has in hands."""

    def __init__(self) -> None:
        self._waiting: deque[Delivery[T]] = deque()
        self._paused: Paused[T] = Paused()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._paused)

    def put(self, delivery: Delivery[T]) -> None:
        """Append a message that was just pulled."""
        self._waiting.append(delivery)

    def pause(self, delivery: Delivery[T], until: float) -> None:
        """Keep a failed message back until the monotonic time ``until``."""
        self._paused.add(delivery, until)

    def finished(self, delivery: Delivery[T]) -> bool:  # noqa: ARG002 - OrderedInbox needs to be told
        """A message is done; returns whether another one may be taken only because of that: never."""
        return False

    def take(self, now: float) -> Delivery[T] | None:
        """Hand out the next message, or ``None`` when nothing is due; failed ones go first."""
        while (delivery := self._pop(now)) is not None:
            if delivery.queue.is_ours:
                delivery.apply(DeliveryEvent.HAND_OUT)
                return delivery
        return None

    def next_due(self) -> float | None:
        """When the next failed message may be handed out again, or ``None``."""
        return self._paused.next_due()

    def _pop(self, now: float) -> Delivery[T] | None:
        if self._paused and (delivery := self._paused.take_due(now)) is not None:
            return delivery
        return self._waiting.popleft() if self._waiting else None
