"""What the iteration hands out next: messages that wait, and failed ones whose pause is over.

One inbox serves all queues of a consumer. Order within a queue is the order of offsets, except that a
failed message comes back later. Messages of a queue that is no longer ours are dropped on the way out.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from rocketmq_lite.client.engine.paused import Paused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rocketmq_lite.client.engine.process_queue import Delivery

__all__ = ["Inbox"]


class Inbox:
    """Deliveries that no user has in hands."""

    def __init__(self) -> None:
        self._waiting: deque[Delivery] = deque()
        self._paused = Paused()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._paused)

    def put(self, pulled: Sequence[Delivery]) -> None:
        """Append messages of one queue that were just pulled."""
        self._waiting.extend(pulled)

    def pause(self, delivery: Delivery, until: float) -> None:
        """Keep a failed message back until the monotonic time ``until``."""
        self._paused.add(delivery, until)

    def take(self, now: float) -> Delivery | None:
        """Hand out the next message, or ``None`` when nothing is due; failed ones go first."""
        if self._paused.soonest <= now and (delivery := self._paused.take_due(now)) is not None:
            return delivery
        while self._waiting:
            delivery = self._waiting.popleft()
            if delivery.hand_out():
                return delivery
        return None

    def next_due(self) -> float | None:
        """When the next failed message may be handed out again, or ``None``."""
        return self._paused.next_due()
