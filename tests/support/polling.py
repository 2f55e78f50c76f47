"""Waiting for another process, which has no event to wait for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def poll_until(
    look: Callable[[], T], is_enough: Callable[[T], bool], *, within: float, every: float = 0.1
) -> T:
    """Look again and again until it is enough; returns that.

    Args:
        look: What there is now.
        is_enough: Whether that is what is waited for.
        within: Seconds after which the wait fails, showing what there was last.
        every: Seconds between two looks.
    """
    deadline = time.monotonic() + within
    while not is_enough(found := look()):
        assert time.monotonic() < deadline, f"after {within:g} s there was only {found!r}"
        time.sleep(every)
    return found
