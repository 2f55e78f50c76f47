"""One queue being read: whose it is, what may be committed, and where each of its unfinished messages is.

Rules:

* The committed offset is the lowest one whose message is not finished; it never passes a message that was not
  acknowledged. What is kept of each message, and what moves the offset, is in ``rust/core/src/deliveries.rs``.
* A queue goes through the states of :data:`LEASE_TRANSITIONS`; an event that is not listed for a state is a misuse.
* A queue that was released pulls and hands out nothing more, but what is in hands still counts; that ends when it is lost.
* A lost queue keeps accepting what happens to messages that are still in hands, and that changes nothing: its offsets belong
  to another member now.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, TypeAlias

from rocketmq_lite import _native
from rocketmq_lite._native import OutOfPlaceError
from rocketmq_lite.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.client.engine.failed_head import FailedHead
    from rocketmq_lite.model import MessageQueue

__all__ = [
    "LEASE_TRANSITIONS",
    "Delivery",
    "LeaseEvent",
    "LeaseState",
    "OutOfPlaceError",
    "ProcessQueue",
    "QueueLimits",
]

Delivery: TypeAlias = "_native.Delivery[ProcessQueue]"
"""One pulled message on its way through the user's hands."""


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


class ProcessQueue(_native.Deliveries):
    """The reading side of one queue.

    Args:
        queue: Which one.
        limits: How much may be unfinished.

    Attributes:
        failed_head: What an ordered consumer is held up by.
    """

    def __init__(self, queue: MessageQueue, limits: QueueLimits) -> None:  # noqa: ARG002 - the base has taken both
        self.state = LeaseState.LOCATING
        self.failed_head: FailedHead | None = None
        self._located = False

    @property
    def lost(self) -> bool:
        """Whether what happens to its messages no longer matters."""
        return self.state is LeaseState.LOST

    @property
    def is_ours(self) -> bool:
        """Whether its messages may be handed out."""
        return self.state in {LeaseState.LOCATING, LeaseState.PULLING}

    @property
    def committable(self) -> int | None:
        """The lowest offset that is not finished; ``None`` while the start is unknown."""
        return self.lowest if self._located else None

    def locate(self, offset: int) -> None:
        """Begin to read at ``offset``."""
        self._advance(LeaseEvent.LOCATED)
        self._located = True
        self.skip_to(offset)

    def release(self) -> None:
        """Hand out nothing more; what is in hands still counts."""
        self._advance(LeaseEvent.RELEASED)
        self.close()

    def revoke(self) -> None:
        """Give the queue up; its offsets are somebody else's from now on."""
        self._advance(LeaseEvent.REVOKED)
        self.close()

    def _advance(self, event: LeaseEvent) -> None:
        next_state = LEASE_TRANSITIONS[self.state].get(event)
        if next_state is None:
            raise LocalProtocolError(f"{event.name} is not possible for a {self.state.name} queue")
        self.state = next_state
