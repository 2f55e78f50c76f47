"""Frames on their way to one connection: callers put them in, one task writes all that wait at once.

So a cancelled caller never cuts a frame, and many small frames cost one system call. Of very many, a share is written as
soon as it is there, so that the other side has work while the rest are made. Bodies that are long are not copied to lie
beside what is sent with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import trio

from rocketmq_lite.protocol.framing import LongFrame

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["SHARE", "Outbox"]

SHARE: Final = 16
"""Frames that are written by who puts in the last of them: docs/decisions/shares-of-many.md."""


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
        self._parts: list[bytes] = []
        self._frames: list[bytes] = []  # behind the parts, to be joined
        self._written = trio.Event()
        self._work = trio.Event()
        self._room = trio.lowlevel.ParkingLot()
        self._closed = False
        # What writes at once; nothing while the task writes, and until it has when the system took less than all.
        self._write_nowait: Callable[[bytes], bytes] | None = None

    async def wait_for_room(self) -> None:
        """Wait while it is full and not closed."""
        while self.is_full and not self._closed:
            await self._room.park()

    def put(self, frame: bytes | LongFrame) -> None:
        """Have a frame written."""
        self.is_idle = False
        self.queued_bytes += len(frame)
        if self.queued_bytes > self._max_bytes:
            self.is_full = True
        if not self._frames:
            self._work.set()
        if isinstance(frame, LongFrame):
            self._parts += (b"".join((*self._frames, frame.head)), frame.body)
            self._frames = []
        else:
            self._frames.append(frame)
            if len(self._frames) >= SHARE and not self._parts and self._write_nowait is not None:
                self._write_share(self._write_nowait)

    async def wait_written(self) -> None:
        """Wait until all that was put so far is written, or the outbox closed."""
        await self._written.wait()

    def close(self) -> None:
        """Wake everybody who waits; nothing more is going to be written."""
        self._closed = True
        self._room.unpark_all()
        self._written.set()

    async def drain(
        self,
        write_nowait: Callable[[bytes], bytes],
        write: Callable[[bytes], Awaitable[None]],
        write_parts: Callable[[list[bytes]], Awaitable[None]],
    ) -> None:
        """Write what comes, until ``write`` or ``write_parts`` raises or this is cancelled.

        Args:
            write_nowait: Writes what the system takes at once, and returns the rest.
            write: Writes the rest.
            write_parts: Writes several parts, one behind the other.
        """
        while True:
            self.is_idle = not self._frames and not self._parts
            self._write_nowait = write_nowait
            await self._work.wait()
            self._write_nowait = None
            self._work = trio.Event()
            parts, written = self._take(), self._written
            self._written = trio.Event()
            size = sum(map(len, parts))
            try:
                if len(parts) > 1:
                    await write_parts(parts)
                elif parts and (rest := write_nowait(parts[0])):
                    await write(rest)
            finally:
                written.set()
            self._note_written(size)

    def _write_share(self, write_nowait: Callable[[bytes], bytes]) -> None:
        """Write what waits as far as the system takes it at once; the task, which has been woken, writes the rest."""
        frames = b"".join(self._frames)
        rest = write_nowait(frames)
        self._frames = [rest] if rest else []
        if rest:
            self._write_nowait = None
        self._note_written(len(frames) - len(rest))

    def _note_written(self, size: int) -> None:
        self.queued_bytes -= size
        self.is_full = self.queued_bytes > self._max_bytes
        self._room.unpark_all()

    def _take(self) -> list[bytes]:
        parts, self._parts = self._parts, []
        if self._frames:
            parts.append(b"".join(self._frames))
            self._frames = []
        return parts
