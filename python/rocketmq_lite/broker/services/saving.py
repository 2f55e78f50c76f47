"""Writes what has changed again and again; a disk that refuses is tried again with the next round."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log: Final = logging.getLogger(__name__)


async def keep_saving(save: Callable[[], Awaitable[None]], *, what: str, every: float) -> None:
    """Save at intervals until cancelled.

    Args:
        save: Writes what has changed; raises ``StoreError`` when it could not.
        what: What is written, for the log.
        every: Seconds between two rounds.
    """
    while True:
        await trio.sleep(every)
        try:
            await save()
        except StoreError as error:
            _log.error("%s were not written, the next try is in %g s: %s", what, every, error)
