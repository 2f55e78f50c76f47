"""The outbox: what is put is written whole and in order, as far as possible at once."""

from __future__ import annotations

import trio
import trio.testing

from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.framing import LongFrame, OutgoingMessage
from rocketmq_lite.protocol.sends import send_target
from rocketmq_lite.transport.outbox import SHARE, Outbox


class Socket:
    """Takes so many bytes at once, and others after a while."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.written = b""
        self.waits = 0
        self.has_room = trio.Event()
        self.has_room.set()
        self.parts: list[bytes] = []

    async def write_parts(self, parts: list[bytes]) -> None:
        """All of them."""
        self.parts += parts

    def write_nowait(self, data: bytes) -> bytes:
        """What is taken at once; returns the rest."""
        self.written += data[: self.at_once]
        return data[self.at_once :]

    async def write(self, data: bytes) -> None:
        """The rest."""
        self.waits += 1
        await self.has_room.wait()
        self.written += data


def drained(nursery: trio.Nursery, *, at_once: int, max_bytes: int = 1000) -> tuple[Outbox, Socket]:
    """An outbox whose task is started, and where it writes."""
    outbox, socket = Outbox(max_bytes), Socket(at_once)
    nursery.start_soon(outbox.drain, socket.write_nowait, socket.write, socket.write_parts)
    return outbox, socket


async def test_frames_put_together_are_written_at_once(nursery: trio.Nursery) -> None:
    outbox, socket = drained(nursery, at_once=100)
    for frame in (b"one", b"two", b"three"):
        outbox.put(frame)
    await outbox.wait_written()
    assert (socket.written, socket.waits) == (b"onetwothree", 0)
    await trio.testing.wait_all_tasks_blocked()
    assert outbox.is_idle
    nursery.cancel_scope.cancel()


async def test_what_is_not_taken_at_once_is_waited_for(nursery: trio.Nursery) -> None:
    outbox, socket = drained(nursery, at_once=4)
    outbox.put(b"one")
    outbox.put(b"two")
    await outbox.wait_written()
    assert (socket.written, socket.waits, outbox.queued_bytes) == (b"onetwo", 1, 0)
    nursery.cancel_scope.cancel()


FRAMES = [b"%02d" % number for number in range(2 * SHARE + 3)]


async def test_of_very_many_a_share_is_written_before_the_task_runs(nursery: trio.Nursery) -> None:
    outbox, socket = drained(nursery, at_once=100)
    await trio.testing.wait_all_tasks_blocked()
    for frame in FRAMES:
        outbox.put(frame)
    assert socket.written == b"".join(FRAMES[: 2 * SHARE])
    assert outbox.queued_bytes == len(b"".join(FRAMES[2 * SHARE :]))
    await outbox.wait_written()
    assert (socket.written, socket.waits) == (b"".join(FRAMES), 0)
    await trio.testing.wait_all_tasks_blocked()
    assert (outbox.is_idle, outbox.queued_bytes) == (True, 0)
    nursery.cancel_scope.cancel()


async def test_a_share_that_is_all_there_is_counts_as_written(nursery: trio.Nursery) -> None:
    outbox, socket = drained(nursery, at_once=100, max_bytes=2 * SHARE - 1)
    await trio.testing.wait_all_tasks_blocked()
    for frame in FRAMES[:SHARE]:
        outbox.put(frame)
    assert (socket.written, outbox.is_full) == (b"".join(FRAMES[:SHARE]), False)
    with trio.fail_after(1):
        await outbox.wait_written()
    nursery.cancel_scope.cancel()


async def test_what_a_full_socket_leaves_of_a_share_comes_first(nursery: trio.Nursery) -> None:
    outbox, socket = drained(nursery, at_once=5)
    await trio.testing.wait_all_tasks_blocked()
    for frame in FRAMES:
        outbox.put(frame)
    assert len(socket.written) == 5  # and is not asked again before the task has waited
    await outbox.wait_written()
    assert (socket.written, socket.waits) == (b"".join(FRAMES), 1)
    nursery.cancel_scope.cancel()


async def test_while_the_task_writes_nobody_else_does(nursery: trio.Nursery) -> None:
    outbox, socket = drained(nursery, at_once=1)
    socket.has_room = trio.Event()
    outbox.put(b"first")
    await trio.testing.wait_all_tasks_blocked()
    for frame in FRAMES:
        outbox.put(frame)
    assert socket.written == b"f"
    socket.has_room.set()
    await trio.testing.wait_all_tasks_blocked()
    assert socket.written == b"".join((b"first", *FRAMES))
    nursery.cancel_scope.cancel()


def long_frame(letter: bytes) -> LongFrame:
    target = send_target("group", "orders", "broker-a", "TBW102", 4, batch=True)
    message = OutgoingMessage("orders", letter * 40_000, "", "ID", is_batch=True)
    frame = target.request(message, MessageQueue("orders", "broker-a", 0), 0).frame(1, 0)
    assert isinstance(frame, LongFrame)
    return frame


async def test_small_frames_are_joined_and_long_bodies_are_not(nursery: trio.Nursery) -> None:
    outbox, socket = Outbox(80_000), Socket(at_once=100)
    first, second = long_frame(b"1"), long_frame(b"2")
    full = list[bool]()
    for frame in (b"a", b"b", first, second, b"c", b"d"):
        outbox.put(frame)
        full.append(outbox.is_full)
    assert full == [False, False, False, True, True, True]
    assert outbox.queued_bytes == 4 + len(first) + len(second)
    nursery.start_soon(outbox.drain, socket.write_nowait, socket.write, socket.write_parts)
    await outbox.wait_written()
    assert socket.parts == [b"ab" + first.head, first.body, second.head, second.body, b"cd"]
    assert socket.parts[1] is first.body
    await trio.testing.wait_all_tasks_blocked()
    assert (outbox.queued_bytes, outbox.is_full, outbox.is_idle) == (0, False, True)
    nursery.cancel_scope.cancel()
