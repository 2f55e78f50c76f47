"""What an ordered consumer hands out next: of each queue one message at a time, in the order of offsets.

A queue is *open* while none of its messages is in hands; its next message is handed out when it is open's turn. A message
that failed keeps its place: the queue opens again when the message is finished, and until then only that message is handed
out, each time after a pause. Messages of a queue that is being given up are dropped on the way out.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from rocketmq_lite.client.engine.paused import Paused
from rocketmq_lite.client.engine.process_queue import Delivery, DeliveryEvent, ProcessQueue

__all__ = ["OrderedInbox"]

T = TypeVar("T")


class _Lane(Generic[T]):
    """What waits of one queue."""

    __slots__ = ("is_open", "queue", "waiting")

    def __init__(self, queue: ProcessQueue[T]) -> None:
        self.queue = queue
        self.waiting: deque[Delivery[T]] = deque()
        self.is_open = True


class OrderedInbox(Generic[T]):
    """Deliveries that no user has in hands, a lane for each queue."""

    def __init__(self) -> None:
        self._lanes: dict[ProcessQueue[T], _Lane[T]] = {}
        self._turns: deque[_Lane[T]] = deque()  # open lanes in which something waits
        self._paused: Paused[T] = Paused()

    def __len__(self) -> int:
        waiting = sum(len(lane.waiting) for queue, lane in self._lanes.items() if queue.is_ours)
        return waiting + sum(delivery.queue.is_ours for delivery in self._paused)

    def put(self, delivery: Delivery[T]) -> None:
        """Append a message that was just pulled."""
        lane = self._lanes.get(delivery.queue)
        if lane is None:
            self._forget_given_up()
            lane = self._lanes[delivery.queue] = _Lane(delivery.queue)
        lane.waiting.append(delivery)
        if lane.is_open and len(lane.waiting) == 1:
            self._turns.append(lane)

    def take(self, now: float) -> Delivery[T] | None:
        """Hand out the next message, or ``None`` when nothing is due; failed ones go first."""
        while (delivery := self._pop(now)) is not None:
            if delivery.queue.is_ours:
                delivery.apply(DeliveryEvent.HAND_OUT)
                return delivery
        return None

    def finished(self, delivery: Delivery[T]) -> bool:
        """A message that was handed out is done: its queue is open; returns whether another message waits there."""
        lane = self._lanes.get(delivery.queue)
        if lane is None or not lane.queue.is_ours:
            return False
        lane.is_open = True
        if lane.waiting:
            self._turns.append(lane)
        return bool(lane.waiting)

    def pause(self, delivery: Delivery[T], until: float) -> None:
        """Hand a failed message out again at the monotonic time ``until``; its queue waits for it."""
        self._paused.add(delivery, until)

    def next_due(self) -> float | None:
        """When the next failed message may be handed out again, or ``None``."""
        return self._paused.next_due()

    def _pop(self, now: float) -> Delivery[T] | None:
        if self._paused and (delivery := self._paused.take_due(now)) is not None:
            return delivery
        if not self._turns:
            return None
        lane = self._turns.popleft()
        lane.is_open = False
        return lane.waiting.popleft()

    def _forget_given_up(self) -> None:
        for queue in [queue for queue in self._lanes if not queue.is_ours]:
            del self._lanes[queue]
