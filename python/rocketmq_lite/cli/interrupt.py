"""Ctrl-C as cancellation of one block: what is around it is left in order, with its connections still alive.

The alternative, Python's KeyboardInterrupt, may strike any task at any line, also one that is just tidying up.
"""

from __future__ import annotations

import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def cancelled_by_ctrl_c() -> AsyncIterator[None]:
    """Cancel the block when SIGINT comes, and raise KeyboardInterrupt once it has been left."""
    interrupted = False
    with trio.open_signal_receiver(signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:

            async def watch() -> None:
                nonlocal interrupted
                await anext(signals)
                interrupted = True
                nursery.cancel_scope.cancel()

            nursery.start_soon(watch)
            yield
            nursery.cancel_scope.cancel()
    if interrupted:
        raise KeyboardInterrupt
