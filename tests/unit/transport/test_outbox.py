"""The outbox: what is put is written whole and in order, as far as possible at once."""

from __future__ import annotations

import trio
import trio.testing

from rocketmq_lite.transport.outbox import Outbox


class Socket:
    """Takes so many bytes at once, and others after a while."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.written = b""
        self.waits = 0

    def write_nowait(self, data: bytes) -> bytes:
        """What is taken at once; returns the rest."""
        self.written += data[: self.at_once]
        return data[self.at_once :]

    async def write(self, data: bytes) -> None:
        """The rest."""
        self.waits += 1
        await trio.lowlevel.checkpoint()
        self.written += data


async def test_frames_put_together_are_written_at_once(nursery: trio.Nursery) -> None:
    outbox, socket = Outbox(1000), Socket(at_once=100)
    nursery.start_soon(outbox.drain, socket.write_nowait, socket.write)
    for frame in (b"one", b"two", b"three"):
        outbox.put(frame)
    await outbox.wait_written()
    assert (socket.written, socket.waits) == (b"onetwothree", 0)
    await trio.testing.wait_all_tasks_blocked()
    assert outbox.is_idle
    nursery.cancel_scope.cancel()


async def test_what_is_not_taken_at_once_is_waited_for(nursery: trio.Nursery) -> None:
    outbox, socket = Outbox(1000), Socket(at_once=4)
    nursery.start_soon(outbox.drain, socket.write_nowait, socket.write)
    outbox.put(b"one")
    outbox.put(b"two")
    await outbox.wait_written()
    assert (socket.written, socket.waits, outbox.queued_bytes) == (b"onetwo", 1, 0)
    nursery.cancel_scope.cancel()
