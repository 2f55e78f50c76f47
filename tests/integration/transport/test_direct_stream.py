"""The stream over a real socket that skips what Trio's does not: it loses, repeats and cuts nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.connection import Connection
from rocketmq_lite.transport.direct import DirectStream
from rocketmq_lite.transport.stream import CommandStream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Pair = tuple[DirectStream, trio.SocketStream]

LARGE = os.urandom(4_000_000)


@pytest.fixture
async def pair() -> AsyncIterator[tuple[DirectStream, trio.SocketStream]]:
    ours, theirs = trio.socket.socketpair()
    async with DirectStream(trio.SocketStream(ours)) as direct, trio.SocketStream(theirs) as other:
        yield direct, other


async def read_all(stream: trio.abc.ReceiveStream) -> bytes:
    return b"".join([part async for part in stream])


async def test_bytes_come_both_ways_and_then_the_end(pair: Pair) -> None:
    ours, theirs = pair
    assert ours.send_nowait(b"now") == 3
    await ours.send_all(b", and later")
    assert await theirs.receive_some(100) == b"now, and later"
    await theirs.send_all(b"back")
    assert [await ours.receive_some(2), await ours.receive_some()] == [b"ba", b"ck"]
    await theirs.aclose()
    assert await ours.receive_some() == b""


async def test_it_waits_for_bytes(pair: Pair) -> None:
    ours, theirs = pair
    got: list[bytes] = []

    async def read() -> None:
        got.append(await ours.receive_some())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        assert got == []
        await theirs.send_all(b"late")
    assert got == [b"late"]


async def test_what_the_system_does_not_take_is_sent_later(pair: Pair) -> None:
    ours, theirs = pair
    taken = ours.send_nowait(LARGE)
    assert 0 < taken < len(LARGE)
    assert ours.send_nowait(LARGE) == 0, "it is full"
    received: list[bytes] = []

    async def read() -> None:
        received.append(await read_all(theirs))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await ours.send_all(LARGE[taken:])
        await ours.aclose()
    assert received == [LARGE]


async def test_parts_are_sent_one_behind_the_other(pair: Pair) -> None:
    ours, theirs = pair
    parts = [b"head", LARGE, b"", *(bytes([number]) * 9_000 for number in range(200)), b"tail"]
    received: list[bytes] = []

    async def read() -> None:
        received.append(await read_all(theirs))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await ours.send_parts(parts)
        await ours.aclose()
    assert received == [b"".join(parts)]


@pytest.mark.parametrize("end", ["ours", "theirs"])
async def test_parts_wait_for_room_until_the_end(pair: Pair, end: str) -> None:
    ours, theirs = pair
    raised = trio.ClosedResourceError if end == "ours" else trio.BrokenResourceError

    async def close() -> None:
        await trio.testing.wait_all_tasks_blocked()
        await (ours if end == "ours" else theirs).aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(close)
        with pytest.raises(raised):
            await ours.send_parts([b"head", LARGE])
    with pytest.raises(raised):
        await ours.send_parts([b"head", b"tail"])


async def test_closing_ends_a_wait_and_everything_after_it(pair: Pair) -> None:
    ours, _theirs = pair

    async def close() -> None:
        await trio.testing.wait_all_tasks_blocked()
        await ours.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(close)
        with pytest.raises(trio.ClosedResourceError):
            await ours.receive_some()
    with pytest.raises(trio.ClosedResourceError):
        await ours.receive_some()
    assert ours.send_nowait(b"x") == 0


async def test_a_peer_that_has_gone_takes_nothing(pair: Pair) -> None:
    ours, theirs = pair
    await theirs.aclose()
    assert ours.send_nowait(b"x") == 0
    with pytest.raises(trio.BrokenResourceError):
        await ours.send_all(b"x")


async def test_a_frame_is_whole_however_much_of_it_went_at_once(pair: Pair) -> None:
    ours, theirs = pair
    commands = CommandStream(ours, Connection(), peer="p")
    others = CommandStream(theirs, Connection(), peer="p")
    sent = Command(310, opaque=7, body=LARGE)
    frame = commands.encode(sent)
    rest = commands.send_nowait(frame)
    assert 0 < len(rest) < len(frame)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(commands.send_bytes, rest)
        assert await others.receive() == sent
    assert commands.send_nowait(commands.encode(Command(34, opaque=8))) == b""
    assert await others.receive() == Command(34, opaque=8)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(commands.send_parts, [frame[:50], frame[50:]])
        assert await others.receive() == sent
