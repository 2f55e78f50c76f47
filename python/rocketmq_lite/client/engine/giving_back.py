"""How a failed message is given back: what the user's exception says about when it should come again.

Brokers know no times here, only the delay levels of Apache's default ``messageDelayLevel``; others can be configured there,
which nobody tells us.
"""

from __future__ import annotations

from typing import Final

__all__ = ["NEVER_AGAIN", "DeadLetter", "RetryLater", "delay_level"]

_SECONDS: Final = (1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1_200, 1_800, 3_600, 7_200)
_BROKERS_CHOICE: Final = 0
NEVER_AGAIN: Final = -1
"""The level of a message that goes to the dead letters."""


class RetryLater(Exception):
    """Raise it in a message's block: the message shall come again after about so many seconds.

    The broker's delay level that is nearest is taken, of 1, 5, 10 and 30 seconds, 1 to 10 minutes, 20 and 30
    minutes, 1 and 2 hours. With ``ordered=True`` the message stays where it is, and the consumer tries it again after
    exactly this time; nothing else of its queue comes before it is done.

    Args:
        seconds: How long to wait.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"to be tried again in {seconds:g} s")
        self.seconds = seconds


class DeadLetter(Exception):
    """Raise it in a message's block: the message goes to ``%DLQ%<group>`` and is not tried again.

    With ``ordered=True`` too, whether or not ``park_after`` is given: the queue goes on behind it.

    Args:
        reason: Why, for the log.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or "given up")


def delay_level(error: Exception) -> int:
    """What send-back calls the delay: a level, 0 for the broker's choice (10 s, then longer), -1 for the dead letters."""
    if isinstance(error, DeadLetter):
        return NEVER_AGAIN
    if isinstance(error, RetryLater):
        nearest = min(_SECONDS, key=lambda seconds: abs(seconds - error.seconds))
        return _SECONDS.index(nearest) + 1
    return _BROKERS_CHOICE
