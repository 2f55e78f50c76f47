"""One queue being read: which offsets are unfinished, what may be committed, how much may be pulled.

Rules:

* The committed offset is the lowest one whose message is not finished; it never passes a message that
  was not acknowledged. Everything that moves it is in this file.
* A message goes through the states of :data:`DELIVERY_TRANSITIONS`, a queue through those of
  :data:`LEASE_TRANSITIONS`; an event that is not listed for a state is a misuse.
* A queue that was released pulls and hands out nothing more, but what is in hands still counts; that ends when it
  is lost.
* A lost queue keeps accepting events for messages that are still in hands, and they change nothing: its
  offsets belong to another member now.

Not yet acknowledged messages count against the limit wherever they are (waiting, handed out, being
worked on, pausing after a failure). That is the back-pressure: who does not acknowledge stops the pull.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from rocketmq_lite.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rocketmq_lite.client.engine.failed_head import FailedHead
    from rocketmq_lite.model import MessageQueue

__all__ = [
    "DELIVERY_TRANSITIONS",
    "LEASE_TRANSITIONS",
    "Delivery",
    "DeliveryEvent",
    "DeliveryState",
    "LeaseEvent",
    "LeaseState",
    "ProcessQueue",
    "QueueLimits",
]

T = TypeVar("T")


class LeaseState(Enum):
    """Where we are with a queue."""

    LOCATING = auto()
    """Assigned to us; the offset to start from is being looked up."""
    PULLING = auto()
    RELEASED = auto()
    """Another member's, once what is in hands has been finished."""
    LOST = auto()
    """Given up, taken away, or overtaken by an offset that the broker moved."""


class LeaseEvent(Enum):
    """What happens to a queue."""

    LOCATED = auto()
    RELEASED = auto()
    REVOKED = auto()


LEASE_TRANSITIONS: Final[Mapping[LeaseState, Mapping[LeaseEvent, LeaseState]]] = {
    LeaseState.LOCATING: {
        LeaseEvent.LOCATED: LeaseState.PULLING,
        LeaseEvent.RELEASED: LeaseState.LOST,
        LeaseEvent.REVOKED: LeaseState.LOST,
    },
    LeaseState.PULLING: {LeaseEvent.RELEASED: LeaseState.RELEASED, LeaseEvent.REVOKED: LeaseState.LOST},
    LeaseState.RELEASED: {LeaseEvent.RELEASED: LeaseState.RELEASED, LeaseEvent.REVOKED: LeaseState.LOST},
    LeaseState.LOST: {LeaseEvent.RELEASED: LeaseState.LOST, LeaseEvent.REVOKED: LeaseState.LOST},
}


class DeliveryState(Enum):
    """Where a pulled message is."""

    __hash__ = object.__hash__  # Enum hashes the name, in Python; this is done several times for each message

    WAITING = auto()
    """Pulled, not yet taken by the iteration."""
    HANDED = auto()
    """Given to the user, who has not entered it (or left it by a cancellation)."""
    ENTERED = auto()
    """The user is inside ``async with message``."""
    RETURNING = auto()
    """Failed; the broker is being asked to take it back."""
    PAUSED = auto()
    """Failed, and not taken back; will be handed out again."""
    FINISHED = auto()


class DeliveryEvent(Enum):
    """What happens to a pulled message."""

    __hash__ = object.__hash__  # as above

    HAND_OUT = auto()
    ENTER = auto()
    ACKNOWLEDGE = auto()
    FAIL = auto()
    LEAVE = auto()
    """Left by a cancellation: neither acknowledged nor failed."""
    RESUME = auto()
    SEND_BACK = auto()
    """The broker has it again: this copy is done."""
    GIVE_UP = auto()
    """It is not tried again."""
    KEEP = auto()
    """The broker does not take it back."""


DELIVERY_TRANSITIONS: Final[Mapping[DeliveryState, Mapping[DeliveryEvent, DeliveryState]]] = {
    DeliveryState.WAITING: {DeliveryEvent.HAND_OUT: DeliveryState.HANDED},
    DeliveryState.HANDED: {DeliveryEvent.ENTER: DeliveryState.ENTERED},
    DeliveryState.ENTERED: {
        DeliveryEvent.ACKNOWLEDGE: DeliveryState.FINISHED,
        DeliveryEvent.FAIL: DeliveryState.RETURNING,
        DeliveryEvent.LEAVE: DeliveryState.HANDED,
    },
    DeliveryState.RETURNING: {
        DeliveryEvent.SEND_BACK: DeliveryState.FINISHED,
        DeliveryEvent.GIVE_UP: DeliveryState.FINISHED,
        DeliveryEvent.KEEP: DeliveryState.PAUSED,
    },
    DeliveryState.PAUSED: {DeliveryEvent.RESUME: DeliveryState.WAITING},
    DeliveryState.FINISHED: {},
}

_IN_HANDS: Final = (DeliveryState.HANDED, DeliveryState.ENTERED, DeliveryState.RETURNING)

_MISUSE: Final = {
    DeliveryState.ENTERED: "the message is being processed already",
    DeliveryState.RETURNING: "the message failed and is being given back",
    DeliveryState.PAUSED: "the message failed and will be delivered again",
    DeliveryState.FINISHED: "the message is acknowledged already",
}


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How much of one queue may be unfinished at a time.

    Attributes:
        messages: Unacknowledged messages above which nothing more is pulled.
        size: Bytes of unacknowledged messages above which nothing more is pulled. One answer may go over.
        span: Offsets from the lowest unacknowledged message on, above which nothing more is pulled: what is done
            behind one that hangs would all come again after a crash.
    """

    messages: int
    size: int
    span: int


class Delivery(Generic[T]):
    """One pulled message on its way through the user's hands."""

    __slots__ = ("attempt", "offset", "payload", "queue", "size", "state")

    def __init__(self, queue: ProcessQueue[T], offset: int, size: int, attempt: int, payload: T) -> None:
        self.queue = queue
        self.offset = offset
        self.size = size
        self.attempt = attempt
        self.payload = payload
        self.state = DeliveryState.WAITING

    def apply(self, event: DeliveryEvent) -> DeliveryState:
        """Move to the next state and return it.

        Raises:
            LocalProtocolError: The event has no place in the present state.
        """
        next_state = DELIVERY_TRANSITIONS[self.state].get(event)
        if next_state is None:
            reason = _MISUSE.get(self.state, f"{event.name} is not possible for a {self.state.name} message")
            raise LocalProtocolError(reason)
        self.queue.record_move(self, next_state)
        self.state = next_state
        if event is DeliveryEvent.FAIL:
            self.attempt += 1
        return next_state


class ProcessQueue(Generic[T]):
    """The reading side of one queue.

    Args:
        queue: Which one.
        limits: How much may be unfinished.

    Attributes:
        waiter: Called when a message was taken or settled, if somebody waits for that.
        on_idle: Called when the last message in work has been left, if somebody waits for that.
        failed_head: What an ordered consumer is held up by.
    """

    def __init__(self, queue: MessageQueue, limits: QueueLimits) -> None:
        self.queue = queue
        self.state = LeaseState.LOCATING
        self.waiter: Callable[[], None] | None = None
        self.on_idle: Callable[[], object] | None = None
        self.failed_head: FailedHead | None = None
        self._limits = limits
        self._located = False
        self._next_offset = 0
        self._order: deque[int] = deque()
        self._unfinished: dict[int, Delivery[T]] = {}
        self._size = 0
        self._places: dict[DeliveryState, int] = dict.fromkeys(DeliveryState, 0)

    @property
    def lost(self) -> bool:
        """Whether what happens to its messages no longer matters."""
        return self.state is LeaseState.LOST

    @property
    def is_ours(self) -> bool:
        """Whether its messages may be handed out."""
        return self.state in {LeaseState.LOCATING, LeaseState.PULLING}

    @property
    def next_offset(self) -> int:
        """Where the next pull reads."""
        return self._next_offset

    @property
    def committable(self) -> int | None:
        """The lowest offset that is not finished; ``None`` while the start is unknown."""
        if not self._located:
            return None
        return self._order[0] if self._order else self._next_offset

    @property
    def unfinished(self) -> int:
        """How many messages are pulled and not acknowledged."""
        return len(self._unfinished)

    @property
    def in_hands(self) -> int:
        """How many messages the user has, or are on their way back to the broker."""
        return sum(self._places[state] for state in _IN_HANDS)

    @property
    def in_work(self) -> int:
        """How many messages the user is inside of, or are on their way back to the broker."""
        return self._places[DeliveryState.ENTERED] + self._places[DeliveryState.RETURNING]

    def count_repeated(self, committed: int | None) -> int:
        """How many messages were handed out, at most, that come again from the offset ``committed`` on.

        They are in hands, or done behind a message that is not, or done and not committed.
        """
        done = len(self._order) - len(self._unfinished)
        uncommitted = (self.committable or 0) - (committed or 0)
        return self.in_hands + done + uncommitted

    @property
    def room(self) -> int:
        """How many messages may be pulled now."""
        if self._size >= self._limits.size:
            return 0
        if self._order and self._next_offset - self._order[0] >= self._limits.span:
            return 0
        return max(0, self._limits.messages - len(self._unfinished))

    def pull_size(self, batch: int) -> int:
        """How many messages to ask for now; 0 means to wait until more are acknowledged.

        While messages still wait for the iteration only larger pulls are worth a round trip; without
        that rule a slow consumer would ask for every single message that it has just made room for.
        """
        room = self.room
        worthwhile = min(batch, max(1, self._limits.messages // 2))
        if room < worthwhile and self._places[DeliveryState.WAITING] > 0:
            return 0
        return min(room, batch)

    def is_stuck(self) -> bool:
        """Whether it is full of messages that were handed out and never entered: only the user can help."""
        return self.room == 0 and self._places[DeliveryState.HANDED] == len(self._unfinished) > 0

    def locate(self, offset: int) -> None:
        """Begin to read at ``offset``."""
        self._advance(LeaseEvent.LOCATED)
        self._located = True
        self._next_offset = offset

    def release(self) -> None:
        """Hand out nothing more; what is in hands still counts."""
        self._advance(LeaseEvent.RELEASED)

    def revoke(self) -> None:
        """Give the queue up; its offsets are somebody else's from now on."""
        self._advance(LeaseEvent.REVOKED)

    def add(self, offset: int, size: int, attempt: int, payload: T) -> Delivery[T]:
        """Take in one pulled message; offsets come in ascending order.

        Raises:
            LocalProtocolError: The offset is not above all earlier ones: the broker went back in time.
        """
        if offset < self._next_offset:
            raise LocalProtocolError(f"offset {offset} of {self.queue} comes after {self._next_offset - 1}")
        delivery = Delivery(self, offset, size, attempt, payload)
        self._order.append(offset)
        self._unfinished[offset] = delivery
        self._size += size
        self._places[delivery.state] += 1
        self._next_offset = offset + 1
        return delivery

    def skip_to(self, offset: int) -> None:
        """Everything below ``offset`` has been pulled, or is nothing for us."""
        self._next_offset = max(self._next_offset, offset)

    def record_move(self, delivery: Delivery[T], next_state: DeliveryState) -> None:
        """Account for a message that changes its state; called by :meth:`Delivery.apply` only."""
        self._places[delivery.state] -= 1
        self._places[next_state] += 1
        if next_state is DeliveryState.FINISHED:
            self._finish(delivery)
        if self.on_idle is not None and not self.in_work:
            self.on_idle()

    def _finish(self, delivery: Delivery[T]) -> None:
        del self._unfinished[delivery.offset]
        self._size -= delivery.size
        while self._order and self._order[0] not in self._unfinished:
            self._order.popleft()
        if self.failed_head is not None and self.failed_head.offset == delivery.offset:
            self.failed_head = None

    def _advance(self, event: LeaseEvent) -> None:
        next_state = LEASE_TRANSITIONS[self.state].get(event)
        if next_state is None:
            raise LocalProtocolError(f"{event.name} is not possible for a {self.state.name} queue")
        self.state = next_state
