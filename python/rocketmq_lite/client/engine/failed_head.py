"""What becomes of a queue's first message when an ordered consumer could not work on it.

Nothing behind it may be handed out before it is done, so it is tried again in place. Taking it out of the queue breaks the
order of what belongs together, so that happens on request alone: by ``park_after``, or by a ``DeadLetter``.
"""

from __future__ import annotations

from enum import Enum

from rocketmq_lite.client.engine.giving_back import DeadLetter, RetryLater
from rocketmq_lite.client.engine.retry import redelivery_pause
from rocketmq_lite.records import dataclass

__all__ = ["AttemptLimits", "FailedHead", "RetryInPlace", "Stop", "after_failure"]


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """How often one message is tried.

    Attributes:
        max_attempts: After so many the message is handed out no more, and its queue stands; ``None`` for no limit.
        park_after: After so many the message is kept with the dead letters, and the queue goes on; ``None`` for never.
    """

    max_attempts: int | None = None
    park_after: int | None = None


@dataclass(frozen=True, slots=True)
class RetryInPlace:
    """Hand it out again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class FailedHead:
    """A message that failed and that its queue waits for.

    Attributes:
        offset: Where it is.
        attempts: How often it was tried.
        since_ms: When it failed for the first time here, in milliseconds of wall time.
        error: What the last attempt raised, as text.
        stands: Whether it is tried no more.
    """

    offset: int
    attempts: int
    since_ms: int
    error: str
    stands: bool


class Stop(Enum):
    """Hand it out no more."""

    PARK = "park"
    """It goes to the dead letters, and the queue goes on behind it."""
    STAND = "stand"
    """The queue stands until another member, or a restart, takes it up again."""


def after_failure(error: Exception, attempt: int, limits: AttemptLimits) -> RetryInPlace | Stop:
    """What to do after the failure of an ``attempt`` (counted from 1)."""
    if isinstance(error, DeadLetter):
        return Stop.PARK
    if limits.park_after is not None and attempt >= limits.park_after:
        return Stop.PARK
    if limits.max_attempts is not None and attempt >= limits.max_attempts:
        return Stop.STAND
    if isinstance(error, RetryLater):
        return RetryInPlace(max(0.0, error.seconds))
    return RetryInPlace(redelivery_pause(attempt))
