"""One stream through one connection: reading, sending whole frames, and what a cut one does."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from rocketmq_lite.errors import ConnectionLost, LocalProtocolError, RemoteProtocolError
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.connection import Connection
from rocketmq_lite.transport.stream import CommandStream

pytestmark = pytest.mark.mock_time


def pair() -> tuple[CommandStream, trio.abc.Stream]:
    """Commands on one side, bytes on the other; a send waits until the other side has read all of it."""
    ours, theirs = trio.testing.lockstep_stream_pair()
    return CommandStream(ours, Connection(max_frame=1000), peer="peer:1"), theirs


async def test_commands_come_and_then_the_end(nursery: trio.Nursery) -> None:
    commands, raw = pair()
    sent = [Command(1, opaque=1), Command(2, opaque=2, body=b"x")]

    async def send() -> None:
        for command in sent:
            await raw.send_all(Connection().send(command))
        await raw.aclose()

    nursery.start_soon(send)
    assert [await commands.receive(), await commands.receive()] == sent
    assert await commands.receive() is None


async def test_parts_of_a_frame_come_as_one(nursery: trio.Nursery) -> None:
    commands, raw = pair()
    frame = commands.encode(Command(1, body=b"a body"))
    nursery.start_soon(commands.send_parts, [frame[:9], frame[9:]])
    assert await raw.receive_some() == frame


async def test_other_bytes_are_the_peers_fault(nursery: trio.Nursery) -> None:
    commands, raw = pair()
    nursery.start_soon(raw.send_all, b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(RemoteProtocolError):
        await commands.receive()


async def test_activity_is_told(nursery: trio.Nursery) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    seen: list[float] = []
    commands = CommandStream(ours, Connection(), peer="p", on_activity=seen.append)
    await commands.send(Command(1))
    assert len(seen) == 1
    await theirs.send_all(Connection().send(Command(1)))
    await commands.receive()
    assert len(seen) == 2


async def test_frames_of_several_tasks_are_not_mixed() -> None:
    commands, raw = pair()
    received = Connection()
    got: list[int] = []

    async def read() -> None:
        while len(got) < 20:
            received.receive_data(await raw.receive_some(7))
            await trio.sleep(0.01)
            while isinstance(event := received.next_event(), Command):
                got.append(event.code)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        for code in range(20):
            nursery.start_soon(commands.send, Command(code, body=b"x" * 50))
    assert sorted(got) == list(range(20))


async def _rest(raw: trio.abc.Stream) -> bytes:
    return bytes(await raw.receive_some(1000))


async def test_a_cut_frame_closes_the_connection() -> None:
    commands, raw = pair()
    with trio.move_on_after(1) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(commands.send, Command(1, body=b"x" * 500))
            await raw.receive_some(10)
    assert scope.cancelled_caught
    while await _rest(raw):
        pass  # what was cut off, then the end
    with pytest.raises(ConnectionLost):
        await commands.send(Command(2))
    with pytest.raises(ConnectionLost):
        await commands.receive()


async def test_a_send_that_waits_behind_a_cut_one_fails() -> None:
    commands, raw = pair()
    lost: list[ConnectionLost] = []

    async def second() -> None:
        await trio.sleep(0.5)
        try:
            await commands.send(Command(2))
        except ConnectionLost as error:
            lost.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(second)
        with trio.move_on_after(1):
            await commands.send(Command(1, body=b"x" * 500))
    assert len(lost) == 1
    await raw.aclose()


async def test_a_send_cancelled_before_its_turn_harms_nobody() -> None:
    commands, raw = pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(commands.send, Command(1, body=b"x" * 100))
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(1) as scope:
            await commands.send(Command(2))
        assert scope.cancelled_caught
        received = Connection()
        received.receive_data(await raw.receive_some(1000))
        assert isinstance(event := received.next_event(), Command)
        assert event.code == 1
        nursery.start_soon(commands.send, Command(3))
        received.receive_data(await raw.receive_some(1000))
        assert isinstance(event := received.next_event(), Command)
        assert event.code == 3


async def test_a_command_that_cannot_be_sent_sends_nothing() -> None:
    commands, _ = pair()
    with pytest.raises(LocalProtocolError):
        await commands.send(Command(1, body=b"x" * 1000))
    commands.encode(Command(1))


async def test_a_closed_stream_says_so() -> None:
    commands, raw = pair()
    await commands.aclose()
    assert await _rest(raw) == b""
    with pytest.raises(ConnectionLost):
        commands.encode(Command(1))
    with pytest.raises(ConnectionLost):
        await commands.receive()
