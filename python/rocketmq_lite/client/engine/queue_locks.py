"""The locks of an ordered consumer: which queues it may work on now, which brokers to ask, and when.

Rules:

* A queue is pulled and its messages handed out only while its lock is ``HELD``.
* A grant counts for ``LockTimings.valid`` seconds from the moment it was asked for (Java counts from the answer). That is
  half of what brokers give, so nobody else can have been given the queue before we have stopped.
* A broker that we lost the connection to may have restarted, and brokers forget locks when they do. So a lock ends with
  the connection.
* A lock that ended while a message was in work is not asked for before that work is over, or has been waited for long
  enough: one queue, one message.

States and events, of one queue; an event that a state does not list is a misuse::

    WANTED --granted--> HELD --give up--> YIELDING --drained--> RELEASED
       ^                 |                    |                    ^
       |          refused, expired,    refused, expired,           |
    drained        disconnected          disconnected              |
       |                 v                    +--------------------+
       +-------------- LAPSED --give up----------------------------+
"""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.engine.retry import Backoff
from rocketmq_lite.errors import ConfigError, LocalProtocolError
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from rocketmq_lite.model import MessageQueue

__all__ = ["LOCK_TRANSITIONS", "LockEvent", "LockState", "LockTimings", "QueueLocks"]

_FIRST_RETRY: Final = 0.1
"""Seconds before a queue is asked for again the first time; a member that gives it up is about to."""
_UNANSWERED_RETRY: Final = 1.0
"""Seconds before a broker is asked again that did not answer."""


class LockState(Enum):
    """Where we are with the lock of a queue."""

    WANTED = auto()
    """To be worked on by us; a broker is asked until it grants the lock."""
    HELD = auto()
    LAPSED = auto()
    """No longer ours, and a message of the queue may still be in work here."""
    YIELDING = auto()
    """Given up, and kept until the message in work is done."""
    RELEASED = auto()


class LockEvent(Enum):
    """What happens to the lock of a queue."""

    GRANTED = auto()
    REFUSED = auto()
    """Another client has it."""
    EXPIRED = auto()
    """It was not renewed in time."""
    DISCONNECTED = auto()
    """The connection to its broker broke."""
    GIVE_UP = auto()
    """The queue is to be another member's, or we leave the group."""
    DRAINED = auto()
    """No message of the queue is in work here, or none is waited for any longer."""


LOCK_TRANSITIONS: Final[Mapping[LockState, Mapping[LockEvent, LockState]]] = {
    LockState.WANTED: {
        LockEvent.GRANTED: LockState.HELD,
        LockEvent.REFUSED: LockState.WANTED,
        LockEvent.DISCONNECTED: LockState.WANTED,
        LockEvent.GIVE_UP: LockState.RELEASED,
    },
    LockState.HELD: {
        LockEvent.GRANTED: LockState.HELD,
        LockEvent.REFUSED: LockState.LAPSED,
        LockEvent.EXPIRED: LockState.LAPSED,
        LockEvent.DISCONNECTED: LockState.LAPSED,
        LockEvent.GIVE_UP: LockState.YIELDING,
    },
    LockState.LAPSED: {
        # The answer to a question that was under way: the next one is asked once the work is over.
        LockEvent.GRANTED: LockState.LAPSED,
        LockEvent.REFUSED: LockState.LAPSED,
        LockEvent.DISCONNECTED: LockState.LAPSED,
        LockEvent.DRAINED: LockState.WANTED,
        LockEvent.GIVE_UP: LockState.RELEASED,
    },
    LockState.YIELDING: {
        LockEvent.GRANTED: LockState.YIELDING,
        LockEvent.REFUSED: LockState.RELEASED,
        LockEvent.EXPIRED: LockState.RELEASED,
        LockEvent.DISCONNECTED: LockState.RELEASED,
        LockEvent.DRAINED: LockState.RELEASED,
    },
    LockState.RELEASED: {},
}

_ASKED_FOR: Final = frozenset({LockState.WANTED, LockState.HELD, LockState.YIELDING})
_OURS: Final = frozenset({LockState.HELD, LockState.YIELDING})


@dataclass(frozen=True, slots=True)
class LockTimings:
    """How an ordered consumer deals with the locks of its queues; the defaults are Java's.

    All members of a group should have the same. Brokers give a lock for 60 seconds after it was last asked for
    (``rocketmq.broker.rebalance.lockMaxLiveTime``), which has to be more than ``valid``.

    Attributes:
        renew: Seconds after which a lock is asked for again (``rocketmq.client.rebalance.lockInterval``).
        valid: Seconds after which a lock that was not renewed counts no more, and nothing of the queue is handed
            out (``rocketmq.client.rebalance.lockMaxLiveTime``).
        retry: The longest pause in seconds before a queue that another member has is asked for again.

    Raises:
        ConfigError: One is not above 0, or ``renew`` not below ``valid``.
    """

    renew: float = 20.0
    valid: float = 30.0
    retry: float = 3.0

    def __post_init__(self) -> None:
        if not 0 < self.renew < self.valid or not self.retry > 0:
            raise ConfigError(f"{self} is not possible", hint="all have to be above 0, and renew below valid")


class _Lock:
    """The lock of one queue."""

    __slots__ = ("ask_at", "pauses", "state", "valid_until")

    def __init__(self, timings: LockTimings, now: float) -> None:
        self.state = LockState.WANTED
        self.ask_at = now
        self.valid_until = -math.inf
        self.pauses = Backoff(min(_FIRST_RETRY, timings.retry), timings.retry)

    def apply(self, event: LockEvent) -> LockState:
        next_state = LOCK_TRANSITIONS[self.state].get(event)
        if next_state is None:
            raise LocalProtocolError(f"{event.name} is not possible for a {self.state.name} lock")
        self.state = next_state
        return next_state


class QueueLocks:
    """The locks of one consumer. A queue that has none is not read by it."""

    def __init__(self, timings: LockTimings) -> None:
        self._timings = timings
        self._locks: dict[MessageQueue, _Lock] = {}

    def __len__(self) -> int:
        return len(self._locks)

    def valid_until(self, queue: MessageQueue) -> float:
        """Until when the last grant of a queue is good; minus infinity for one that never had one."""
        lock = self._locks.get(queue)
        return -math.inf if lock is None else lock.valid_until

    def state(self, queue: MessageQueue) -> LockState:
        """Where we are with a queue; ``RELEASED`` for one that was never wanted."""
        lock = self._locks.get(queue)
        return LockState.RELEASED if lock is None else lock.state

    # --- what the member wants ----------------------------------------------------------------------------

    def want(self, queue: MessageQueue, now: float) -> None:
        """Ask for a queue from now on.

        Raises:
            LocalProtocolError: It is wanted already, or not yet released.
        """
        if queue in self._locks:
            raise LocalProtocolError(f"the lock of {queue} is {self.state(queue).name} already")
        self._locks[queue] = _Lock(self._timings, now)

    def give_up(self, queue: MessageQueue) -> LockState:
        """Let a queue go; ``YIELDING`` says that what is in work of it is to be waited for."""
        return self._apply(queue, LockEvent.GIVE_UP)

    def drained(self, queue: MessageQueue, now: float) -> LockState:
        """Nothing of the queue is in work, or waited for, any longer."""
        state = self._apply(queue, LockEvent.DRAINED)
        if state is LockState.WANTED:
            self._locks[queue].ask_at = now
        return state

    # --- asking brokers -----------------------------------------------------------------------------------

    def plan(self, now: float) -> dict[str, tuple[MessageQueue, ...]]:
        """The queues to ask for now, sorted, by broker name."""
        asks: dict[str, list[MessageQueue]] = {}
        for queue, lock in self._locks.items():
            if lock.state in _ASKED_FOR and lock.ask_at <= now:
                asks.setdefault(queue.broker_name, []).append(queue)
        return {broker: tuple(sorted(queues)) for broker, queues in asks.items()}

    def next_end(self) -> float:
        """When the first lock ends that is not renewed until then; infinity when there is none."""
        return min(
            (lock.valid_until for lock in self._locks.values() if lock.state in _OURS), default=math.inf
        )

    def next_due(self) -> float:
        """When :meth:`plan` or :meth:`expire` next have something to do; infinity when never."""
        asking = (lock.ask_at for lock in self._locks.values() if lock.state in _ASKED_FOR)
        return min(self.next_end(), min(asking, default=math.inf))

    def record_answer(
        self,
        asked: Iterable[MessageQueue],
        granted: Collection[MessageQueue],
        *,
        asked_at: float,
        now: float,
    ) -> tuple[MessageQueue, ...]:
        """A broker has answered; returns the queues whose lock has ended by that.

        Args:
            asked: The queues that it was asked for.
            granted: Those of them that are ours.
            asked_at: When it was asked.
            now: When it answered. A grant that is no longer valid by now counts as no answer.
        """
        valid_until = asked_at + self._timings.valid
        ended: list[MessageQueue] = []
        for queue in asked:
            lock = self._locks.get(queue)
            if lock is None:
                continue
            if queue not in granted:
                ended += self._end(queue, LockEvent.REFUSED)
                lock.ask_at = now + lock.pauses.next_pause()
            elif valid_until <= now:
                lock.ask_at = now
            else:
                self._apply(queue, LockEvent.GRANTED)
                lock.valid_until = valid_until
                lock.ask_at = max(now, asked_at + self._timings.renew)
                lock.pauses.reset()
        return tuple(ended)

    def record_silence(self, asked: Iterable[MessageQueue], now: float) -> None:
        """A broker could not be asked, or has not answered."""
        for queue in asked:
            if (lock := self._locks.get(queue)) is not None:
                lock.ask_at = now + min(_UNANSWERED_RETRY, self._timings.retry)

    # --- what ends locks ----------------------------------------------------------------------------------

    def expire(self, now: float) -> tuple[MessageQueue, ...]:
        """End the locks that were not renewed in time; returns their queues."""
        overdue = [
            queue for queue, lock in self._locks.items() if lock.state in _OURS and lock.valid_until <= now
        ]
        return tuple(ended for queue in overdue for ended in self._end(queue, LockEvent.EXPIRED))

    def disconnected(self, broker_name: str, now: float) -> tuple[MessageQueue, ...]:
        """The connection to a broker broke, which is asked again at once; returns the queues whose lock ended by that."""
        ended: list[MessageQueue] = []
        for queue, lock in list(self._locks.items()):
            if queue.broker_name == broker_name:
                ended += self._end(queue, LockEvent.DISCONNECTED)
                lock.ask_at = now
        return tuple(ended)

    def _end(self, queue: MessageQueue, event: LockEvent) -> tuple[MessageQueue, ...]:
        """Apply what may end a lock; the queue if it did."""
        was_ours = self.state(queue) in _OURS
        is_ours = self._apply(queue, event) in _OURS
        return (queue,) if was_ours and not is_ours else ()

    def _apply(self, queue: MessageQueue, event: LockEvent) -> LockState:
        lock = self._locks.get(queue)
        if lock is None:
            raise LocalProtocolError(f"{event.name} is not possible: the lock of {queue} is not wanted")
        state = lock.apply(event)
        if state is LockState.RELEASED:
            del self._locks[queue]
        return state
