"""The registration lease: what a broker owes one name server next, and when.

    NEW ──registered──▶ HELD ──changed──▶ OUTDATED
     │ ▲                 │ ▲                  │
     │ └── failed, lost ─┘ └─── registered ───┘      failed or lost, from anywhere: NEW
     └──── left, from anywhere: GONE

Rules:
- A name server that does not know us, or may have missed something, gets the whole table; one that holds our lease gets
  the topics that have changed, at once.
- The whole table is repeated every 30 seconds, the first time after 10: a name server forgets a broker that has been
  silent for 120 seconds, and one that was restarted knows nothing.
- A name server forgets us when our connection with it ends, so that is a reason to register at once.
- After a failure we try again after one second, then two, then every three: the name server may just be starting, and
  it should not miss us for long.

Surprise: a change that comes while a registration is under way is not covered by it, so it stays owed.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum, auto
from typing import Final

from rocketmq_lite import records

FIRST_REPEAT_SECONDS: Final = 10.0
FIRST_RETRY_SECONDS: Final = 1.0
MAX_RETRY_SECONDS: Final = 3.0  # as often as Java's clients look whether a name server is back


class LeaseState(Enum):
    """What the name server knows of us, as far as we can tell."""

    NEW = auto()
    HELD = auto()
    OUTDATED = auto()
    GONE = auto()


class LeaseEvent(Enum):
    """What happens to a lease."""

    REGISTERED = auto()
    CHANGED = auto()
    FAILED = auto()
    LOST = auto()
    LEFT = auto()


TRANSITIONS: Final[dict[LeaseState, dict[LeaseEvent, LeaseState]]] = {
    LeaseState.NEW: {
        LeaseEvent.REGISTERED: LeaseState.HELD,
        LeaseEvent.CHANGED: LeaseState.NEW,
        LeaseEvent.FAILED: LeaseState.NEW,
        LeaseEvent.LOST: LeaseState.NEW,
        LeaseEvent.LEFT: LeaseState.GONE,
    },
    LeaseState.HELD: {
        LeaseEvent.REGISTERED: LeaseState.HELD,
        LeaseEvent.CHANGED: LeaseState.OUTDATED,
        LeaseEvent.FAILED: LeaseState.NEW,
        LeaseEvent.LOST: LeaseState.NEW,
        LeaseEvent.LEFT: LeaseState.GONE,
    },
    LeaseState.OUTDATED: {
        LeaseEvent.REGISTERED: LeaseState.HELD,
        LeaseEvent.CHANGED: LeaseState.OUTDATED,
        LeaseEvent.FAILED: LeaseState.NEW,
        LeaseEvent.LOST: LeaseState.NEW,
        LeaseEvent.LEFT: LeaseState.GONE,
    },
    LeaseState.GONE: {},
}


@records.dataclass(frozen=True, slots=True)
class Registration:
    """A registration to send: the whole table, or the topics named."""

    topics: frozenset[str] | None
    covers: int


@records.dataclass(slots=True)
class Lease:
    """Our standing with one name server.

    Attributes:
        attempted: The latest change that a registration, successful or not, has covered.
    """

    interval: float
    state: LeaseState = LeaseState.NEW
    attempted: int = -1
    _due: float = field(default=float("-inf"))
    _registered_at: float = field(default=float("-inf"))
    _changes: int = 0
    _owed: set[str] = field(default_factory=set)
    _whole: bool = False
    _retry: float = FIRST_RETRY_SECONDS
    _repeat: float = FIRST_REPEAT_SECONDS

    @property
    def ended(self) -> bool:
        """Whether we have said good-bye."""
        return self.state is LeaseState.GONE

    @property
    def known(self) -> bool:
        """Whether the name server lists this broker, as far as we can tell."""
        return self.state in {LeaseState.HELD, LeaseState.OUTDATED}

    def owes(self, change: int) -> bool:
        """Whether a name server that lists us has not been told of this change yet."""
        return self.known and self.attempted < change

    def changed(self, topics: frozenset[str] | None) -> int:
        """Topics have changed (None: the table as a whole, as after a deletion); the number of this change."""
        self._step(LeaseEvent.CHANGED)
        self._changes += 1
        self._whole = self._whole or topics is None
        self._owed |= topics or set()
        return self._changes

    def next_due(self) -> float:
        """When to register next: the past means now."""
        return float("-inf") if self.state is LeaseState.OUTDATED else self._due

    def plan_registration(self, now: float) -> Registration | None:
        """The registration to send now, if one is due. It is under way until its end is reported."""
        if self.next_due() > now:
            return None
        partly = self.state is LeaseState.OUTDATED and self._due > now and not self._whole
        plan = Registration(frozenset(self._owed) if partly else None, self._changes)
        self._owed.clear()
        self._whole = False
        return plan

    def registered(self, plan: Registration, now: float) -> None:
        """The name server took the registration."""
        self._step(LeaseEvent.REGISTERED)
        self.attempted = plan.covers
        self._registered_at = now
        self._retry = FIRST_RETRY_SECONDS
        if plan.topics is None:
            self._due = now + min(self._repeat, self.interval)
            self._repeat = self.interval
        if plan.covers < self._changes:
            self._step(LeaseEvent.CHANGED)

    def failed(self, plan: Registration, now: float) -> None:
        """It could not be reached, or refused."""
        self._step(LeaseEvent.FAILED)
        self.attempted = plan.covers
        self._due = now + self._retry
        self._retry = min(self._retry * 2, MAX_RETRY_SECONDS)
        self._repeat = min(FIRST_REPEAT_SECONDS, self.interval)

    def lost(self, now: float) -> None:
        """The connection has ended, and with it what the name server knew of us.

        One that takes a registration and hangs up is not registered with in a loop.
        """
        if self.known:
            self._due = max(now, self._registered_at + FIRST_RETRY_SECONDS)
            self._repeat = min(FIRST_REPEAT_SECONDS, self.interval)
        self._step(LeaseEvent.LOST)

    def left(self) -> None:
        """We say goodbye: nothing is owed any more, and nothing may be sent."""
        self._step(LeaseEvent.LEFT)

    def _step(self, event: LeaseEvent) -> None:
        try:
            self.state = TRANSITIONS[self.state][event]
        except KeyError:
            raise RuntimeError(
                f"{event.name} in lease state {self.state.name}; please report this as a bug"
            ) from None
