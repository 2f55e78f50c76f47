"""Lanes: each has its own share of a topic's queues, so that batches under way at a time never meet in a queue.

That keeps the order in every queue: a broker may work on two requests of one connection at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rocketmq_lite.model import MessageQueue

__all__ = ["MAX_LANES", "Lane", "plan_lanes"]

MAX_LANES: Final = 8
"""Batches of one call under way at a time. Two saturate one broker; more are for several brokers."""


@final
class Lane:
    """Every ``width``-th queue of a topic, from ``number`` on, in turn.

    Args:
        number: Which lane, from 0.
        width: How many lanes there are.
        turn: Which of its queues comes first.
    """

    def __init__(self, number: int, width: int, turn: int = 0) -> None:
        self._number = number
        self._width = width
        self._turn = turn

    def assign_next(self, queues: Sequence[MessageQueue], avoid: Collection[str]) -> MessageQueue | None:
        """The lane's next queue.

        Args:
            queues: The queues that can be written now; none gives ``None``.
            avoid: Brokers that have just failed. If the lane has no queue elsewhere it leaves its share.
        """
        # Brokers take turns: the first queues of all of them, then the second ones.
        ordered = sorted(queues, key=lambda queue: (queue.queue_id, queue.broker_name))
        own = ordered[self._number :: self._width] or ordered
        choice = (
            [queue for queue in own if queue.broker_name not in avoid]
            or [queue for queue in ordered if queue.broker_name not in avoid]
            or own
        )
        self._turn += 1
        return choice[(self._turn - 1) % len(choice)] if choice else None


def plan_lanes(queues: int, turn: int) -> list[Lane]:
    """The lanes for a topic of so many queues, the one whose turn it is first."""
    width = min(MAX_LANES, max(1, queues))
    numbers = [(turn + step) % width for step in range(width)]
    return [Lane(number, width, turn // width) for number in numbers]
