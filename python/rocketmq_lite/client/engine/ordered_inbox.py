"""What an ordered consumer hands out next: of each queue one message at a time, in the order of offsets.

A queue is *open* while none of its messages is in hands; its next message is handed out when it is open's turn. A message
that failed keeps its place: the queue opens again when the message is finished, and until then only that message is handed
out, each time after a pause. Messages of a queue that is being given up are dropped on the way out.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from rocketmq_lite.client.engine.paused import Paused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rocketmq_lite.client.engine.process_queue import Delivery, ProcessQueue

__all__ = ["OrderedInbox"]


class _Lane:
    """What waits of one queue."""

    __slots__ = ("is_open", "queue", "waiting")

    def __init__(self, queue: ProcessQueue) -> None:
        self.queue = queue
        self.waiting: deque[Delivery] = deque()
        self.is_open = True


class OrderedInbox:
    """Deliveries that no user has in hands, a lane for each queue.

    Args:
        lapse: Called before anything is made of a message: lets go of queues whose lock's time is over.
    """

    def __init__(self, lapse: Callable[[], None]) -> None:
        self._lapse = lapse
        self._lanes: dict[ProcessQueue, _Lane] = {}
        self._turns: deque[_Lane] = deque()  # open lanes in which something waits
        self._paused = Paused()

    def __len__(self) -> int:
        waiting = sum(len(lane.waiting) for queue, lane in self._lanes.items() if queue.is_ours)
        return waiting + sum(delivery.queue.is_ours for delivery in self._paused)

    def put(self, pulled: Sequence[Delivery]) -> None:
        """Append messages of one queue that were just pulled."""
        if not pulled:
            return
        queue = pulled[0].queue
        lane = self._lanes.get(queue)
        if lane is None:
            self._forget_given_up()
            lane = self._lanes[queue] = _Lane(queue)
        if lane.is_open and not lane.waiting:
            self._turns.append(lane)
        lane.waiting.extend(pulled)

    def take(self, now: float) -> Delivery | None:
        """Hand out the next message, or ``None`` when nothing is due; failed ones go first."""
        self._lapse()
        if (delivery := self._paused.take_due(now)) is not None:
            return delivery
        while self._turns:
            lane = self._turns.popleft()
            lane.is_open = False
            delivery = lane.waiting.popleft()
            if delivery.hand_out():
                return delivery
        return None

    def finished(self, delivery: Delivery) -> bool:
        """A message that was handed out is done: its queue is open; returns whether another message waits there."""
        self._lapse()
        queue = delivery.queue
        if queue.failed_head is not None and queue.failed_head.offset == delivery.queue_offset:
            queue.failed_head = None
        lane = self._lanes.get(queue)
        if lane is None or not queue.is_ours:
            return False
        lane.is_open = True
        if lane.waiting:
            self._turns.append(lane)
        return bool(lane.waiting)

    def pause(self, delivery: Delivery, until: float) -> None:
        """Hand a failed message out again at the monotonic time ``until``; its queue waits for it."""
        self._paused.add(delivery, until)

    def next_due(self) -> float | None:
        """When the next failed message may be handed out again, or ``None``."""
        return self._paused.next_due()

    def _forget_given_up(self) -> None:
        for queue in [queue for queue in self._lanes if not queue.is_ours]:
            del self._lanes[queue]
