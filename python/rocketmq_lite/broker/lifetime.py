"""Being cancelled without being cut off: a server that has a good-bye to say needs its tasks for it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from rocketmq_lite.transport.nursery import background_nursery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def outliving_cancellation() -> AsyncIterator[trio.Event]:
    """Shield the block from the cancellation of its surroundings and announce it by an event instead.

    The block, and every nursery opened in it, goes on running after the event is set: it has to wait for the event, say
    its good-byes under a deadline of its own, and end. The cancellation then takes its course.
    """
    asked = trio.Event()

    async def watch() -> None:
        try:
            await trio.sleep_forever()
        finally:
            asked.set()

    async with background_nursery() as nursery:
        nursery.start_soon(watch)
        with trio.CancelScope(shield=True):
            yield asked
