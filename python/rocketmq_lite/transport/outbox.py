"""Frames on their way to one connection: callers put them in, one task writes all that wait at once.

So a cancelled caller never cuts a frame, and many small frames cost one system call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Outbox"]


@final
class Outbox:
    """What is to be written.

    Args:
        max_bytes: With more than that, :meth:`wait_for_room` waits.

    Attributes:
        queued_bytes: Not handed to the operating system yet.
        is_full: Whether these are more than there should be.
        is_idle: Whether nothing waits to be written or is being written.
    """

    def __init__(self, max_bytes: int) -> None:
        self.queued_bytes = 0
        self.is_full = False
        self.is_idle = False
        self._max_bytes = max_bytes
        self._frames: list[bytes] = []
        self._written = trio.Event()
        self._work = trio.Event()
        self._room = trio.lowlevel.ParkingLot()
        self._closed = False

    async def wait_for_room(self) -> None:
        """Wait while it is full and not closed."""
        while self.is_full and not self._closed:
            await self._room.park()

    def put(self, frame: bytes) -> None:
        """Have a frame written."""
        self.is_idle = False
        self.queued_bytes += len(frame)
        if self.queued_bytes > self._max_bytes:
            self.is_full = True
        if not self._frames:
            self._work.set()
        self._frames.append(frame)

    async def wait_written(self) -> None:
        """Wait until all that was put so far is written, or the outbox closed."""
        await self._written.wait()

    def close(self) -> None:
        """Wake everybody who waits; nothing more is going to be written."""
        self._closed = True
        self._room.unpark_all()
        self._written.set()

    async def drain(
        self, write_nowait: Callable[[bytes], bytes], write: Callable[[bytes], Awaitable[None]]
    ) -> None:
        """Write what comes, until ``write`` raises or this is cancelled.

        Args:
            write_nowait: Writes what the system takes at once, and returns the rest.
            write: Writes the rest.
        """
        while True:
            self.is_idle = not self._frames
            await self._work.wait()
            self._work = trio.Event()
            data, written = b"".join(self._frames), self._written
            self._frames, self._written = [], trio.Event()
            try:
                if rest := write_nowait(data):
                    await write(rest)
            finally:
                written.set()
            self.queued_bytes -= len(data)
            self.is_full = self.queued_bytes > self._max_bytes
            self._room.unpark_all()
