"""After a failure: try again or not, where, and when.

The codes are Java's ``DefaultMQProducer.retryResponseCodes``. A retry of a send whose answer was lost
may store the message twice; RocketMQ promises at-least-once, and so do we.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rocketmq_lite.model import MessageQueue

__all__ = [
    "SEND_ATTEMPTS",
    "Backoff",
    "QueueChoice",
    "QueueChoices",
    "Verdict",
    "judge_send",
    "redelivery_pause",
]

SEND_ATTEMPTS: Final = 3
"""Attempts of one send in all (Java: ``retryTimesWhenSendFailed`` 2)."""

_RETRY_CODES = frozenset({1, 2, 14, 16, 17, 204, 205, 1500})
_WEAKER_CODES = frozenset({10, 11, 12})
_LONGEST_REDELIVERY_PAUSE = 30.0


class Verdict(Enum):
    """What the answer to a send means."""

    STORED = "stored"
    WEAKER = "weaker"
    """Stored, but not as firmly as the broker's settings promise."""
    RETRY = "retry"
    """Not stored; another broker may take it."""
    FAIL = "fail"
    """Not stored, and no other broker would."""


def judge_send(code: int) -> Verdict:
    """What the response code of a send means."""
    if code == 0:
        return Verdict.STORED
    if code in _WEAKER_CODES:
        return Verdict.WEAKER
    return Verdict.RETRY if code in _RETRY_CODES else Verdict.FAIL


class QueueChoice:
    """Round robin over the queues of one topic, with a detour around brokers that just failed.

    Args:
        start: Where the turn begins; a random number spreads clients that start together.
    """

    __slots__ = ("_turn",)

    def __init__(self, start: int) -> None:
        self._turn = start

    def take_turn(self) -> int:
        """A number that is one more for each caller."""
        self._turn += 1
        return self._turn - 1

    def assign_next(self, queues: Sequence[MessageQueue], avoid: Collection[str] = ()) -> MessageQueue | None:
        """Take the next queue.

        Args:
            queues: The queues that can be written now; empty gives ``None``.
            avoid: Broker names to skip as long as another one is left.
        """
        if not queues:
            return None
        turn = self._turn
        self._turn = turn + 1
        queue = queues[turn % len(queues)]
        if queue.broker_name not in avoid:
            return queue
        for step in range(1, len(queues)):
            other = queues[(turn + step) % len(queues)]
            if other.broker_name not in avoid:
                self._turn = turn + step + 1
                return other
        return queue


class QueueChoices(dict[str, QueueChoice]):
    """The choice of each topic, made when it is first asked for.

    Args:
        start: Where each topic's turn begins.
    """

    def __init__(self, start: int) -> None:
        super().__init__()
        self._start = start

    def __missing__(self, topic: str) -> QueueChoice:
        choice = self[topic] = QueueChoice(self._start)
        return choice


class Backoff:
    """Growing pauses between attempts of something that is tried for ever.

    Args:
        first: Seconds of the first pause.
        ceiling: Seconds that no pause exceeds.
    """

    def __init__(self, first: float, ceiling: float) -> None:
        self._first = first
        self._ceiling = ceiling
        self._next = first

    def next_pause(self) -> float:
        """Seconds to wait now; the next pause is twice as long."""
        pause = self._next
        self._next = min(pause * 2, self._ceiling)
        return pause

    def reset(self) -> None:
        """Begin with the first pause again: it worked."""
        self._next = self._first


def redelivery_pause(attempt: int) -> float:
    """Seconds before a message is handed out again after its ``attempt``-th failure (1, 2, 4, … 30)."""
    return min(2.0 ** min(attempt - 1, 10), _LONGEST_REDELIVERY_PAUSE)
