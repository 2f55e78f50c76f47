"""A listening server: answers, limits, idleness, malformed frames, stop."""

from __future__ import annotations

import errno
import logging
import struct
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from rocketmq_lite.clock import TrioClock
from rocketmq_lite.config import ServerLimits
from rocketmq_lite.errors import BrokerError, ConfigError
from rocketmq_lite.protocol.command import FLAG_ONEWAY, Command
from rocketmq_lite.protocol.connection import Connection, Signal
from rocketmq_lite.transport.dispatch import table_handler
from rocketmq_lite.transport.network import Listener
from rocketmq_lite.transport.rpc import open_pool
from rocketmq_lite.transport.server import CommandServer, Peer, serve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rocketmq_lite.testing.network import MemoryNetwork

pytestmark = pytest.mark.mock_time

ECHO, FAIL, REFUSE, MISCONFIGURED, SLEEP, HUGE = range(1, 7)


class RawClient:
    """One connection, spoken by hand."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.connection = Connection()

    async def send(self, *commands: Command) -> None:
        await self.stream.send_all(b"".join(self.connection.send(command) for command in commands))

    async def receive(self) -> Command | None:
        """The next command; ``None`` when the server has closed."""
        while isinstance(event := self.connection.next_event(), Signal):
            data = await self.stream.receive_some(1000)
            if not data:
                return None
            self.connection.receive_data(data)
        return event

    async def ask(self, command: Command) -> Command | None:
        await self.send(command)
        return await self.receive()


class Server:
    """A server whose handlers misbehave on request."""

    def __init__(self, network: MemoryNetwork, **limits: object) -> None:
        self.network = network
        self.log: list[object] = []
        self.closed: list[int] = []
        self.address = ""
        handlers: dict[int, Callable[[Peer, Command], Awaitable[Command | None]]] = {
            ECHO: self.echo,
            FAIL: self.fail,
            REFUSE: self.refuse,
            MISCONFIGURED: self.misconfigured,
            SLEEP: self.sleep,
            HUGE: self.huge,
        }
        self.server = CommandServer(
            table_handler(handlers),
            limits=ServerLimits(**limits),  # type: ignore[arg-type]
            on_close=lambda peer: self.closed.append(peer.id),
        )

    async def start(self, nursery: trio.Nursery) -> Server:
        self.address = await nursery.start(self.server.serve, await self.network.listen("127.0.0.1", 0))
        return self

    async def connect(self) -> RawClient:
        return RawClient(await self.network.dial(self.address))

    async def echo(self, peer: Peer, request: Command) -> Command:
        return request.answer(remark=f"{peer.id} {peer}", body=request.body)

    async def fail(self, _peer: Peer, _request: Command) -> Command:
        raise ZeroDivisionError("by nought")

    async def refuse(self, _peer: Peer, _request: Command) -> Command:
        raise BrokerError(16, "not you")

    async def misconfigured(self, _peer: Peer, _request: Command) -> Command:
        raise ConfigError("bad setting", hint="not for the peer")

    async def sleep(self, _peer: Peer, request: Command) -> Command:
        try:
            await trio.sleep(int(request.body))
        except trio.Cancelled:
            self.log.append("cancelled")
            raise
        self.log.append(request.opaque)
        return request.answer()

    async def huge(self, _peer: Peer, request: Command) -> Command:
        return request.answer(body=bytes(2000))


@pytest.fixture
async def server(network: MemoryNetwork, nursery: trio.Nursery) -> Server:
    return await Server(network, max_frame=1000).start(nursery)


async def test_requests_are_answered_in_their_codec(server: Server) -> None:
    client = await server.connect()
    for codec in ("JSON", "ROCKETMQ"):
        answer = await client.ask(Command(ECHO, opaque=5, body=b"x", codec=codec))
        assert answer is not None
        assert (answer.code, answer.opaque, answer.body, answer.codec) == (0, 5, b"x", codec)
    assert server.server.statistics().requests == 2


async def test_a_peer_has_an_id_and_an_address(server: Server) -> None:
    first, second = await server.connect(), await server.connect()
    remarks = [answer.remark for client in (first, second) if (answer := await client.ask(Command(ECHO)))]
    assert [remark.split()[0] for remark in remarks if remark] == ["1", "2"]
    assert all(remark and remark.split()[1].startswith("127.0.0.1:4") for remark in remarks)


@pytest.mark.parametrize(
    ("code", "answer_code", "remark"),
    [
        (99, 3, " request type 99 not supported"),
        (FAIL, 1, "ZeroDivisionError: by nought"),
        (REFUSE, 16, "not you"),
        (MISCONFIGURED, 1, "bad setting"),
        (HUGE, 1, "exceeds the limit"),
    ],
)
async def test_errors_become_answers(server: Server, code: int, answer_code: int, remark: str) -> None:
    client = await server.connect()
    answer = await client.ask(Command(code, opaque=3))
    assert answer is not None
    assert (answer.code, answer.opaque) == (answer_code, 3)
    assert remark in (answer.remark or "")
    assert await client.ask(Command(ECHO)) is not None


async def test_a_oneway_request_is_never_answered(server: Server) -> None:
    client = await server.connect()
    for code in (ECHO, FAIL, REFUSE, 99):
        await client.send(Command(code, opaque=code, flag=FLAG_ONEWAY))
    answer = await client.ask(Command(ECHO, opaque=77))
    assert answer is not None
    assert answer.opaque == 77
    assert server.server.statistics().requests == 5
    assert server.server.statistics().answers == 1


async def test_an_answer_to_nothing_is_ignored(server: Server) -> None:
    client = await server.connect()
    await client.send(Command(0, opaque=1, flag=1))
    answer = await client.ask(Command(ECHO, opaque=2))
    assert answer is not None
    assert answer.opaque == 2


@pytest.mark.parametrize("garbage", [struct.pack(">I", 1 << 30), b"\0\0\0\x02xx", b"\0\0\0\x06\0\0\0\x02{]"])
async def test_a_malformed_frame_closes_its_connection_only(
    server: Server, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = await server.connect(), await server.connect()
    with caplog.at_level(logging.WARNING):
        await bad.send(Command(ECHO))
        await bad.stream.send_all(garbage)
        assert await bad.receive() is not None
        assert await bad.receive() is None
    assert await good.ask(Command(ECHO)) is not None
    assert len(caplog.records) == 1
    assert server.server.statistics().malformed == 1
    assert server.closed == [2]


async def test_a_half_frame_and_a_close_is_malformed_too(server: Server) -> None:
    client = await server.connect()
    await client.stream.send_all(b"\0\0\0\x30\0")
    await client.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert server.server.statistics().malformed == 1
    assert server.closed == [1]


async def test_idle_connections_that_stopped_in_the_middle_are_logged_once(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    quiet, *halves = [await server.connect() for _ in range(3)]
    for half in halves:
        await half.stream.send_all(b"\0\0\1\0\0")
    assert await quiet.receive() is None
    await trio.sleep(1)
    assert server.server.statistics().idle_closed == 3
    (line,) = [record.getMessage() for record in caplog.records]
    assert "nothing moved for 120 s, 5 bytes of a frame had come and not the rest" in line


async def test_silence_closes_the_connection_and_talk_keeps_it(server: Server) -> None:
    client = await server.connect()
    for _ in range(3):
        await trio.sleep(119)
        assert await client.ask(Command(ECHO)) is not None
    began = trio.current_time()
    assert await client.receive() is None
    assert trio.current_time() - began == pytest.approx(120, abs=0.1)
    assert server.server.statistics().idle_closed == 1


async def test_requests_are_worked_on_side_by_side(server: Server) -> None:
    client = await server.connect()
    await client.send(Command(SLEEP, opaque=1, body=b"9"), Command(SLEEP, opaque=2, body=b"3"))
    answers = [await client.receive(), await client.receive()]
    assert [answer.opaque for answer in answers if answer] == [2, 1]


async def test_no_more_requests_than_allowed_are_in_work(
    network: MemoryNetwork, nursery: trio.Nursery
) -> None:
    server = await Server(network, max_requests=2).start(nursery)
    client = await server.connect()
    began = trio.current_time()
    await client.send(*(Command(SLEEP, opaque=opaque, body=b"10") for opaque in range(6)))
    await trio.sleep(1)
    assert server.server.statistics().in_work == 2
    for _ in range(6):
        assert await client.receive() is not None
    assert trio.current_time() - began == pytest.approx(30, abs=0.1)


async def test_with_one_request_at_a_time_answers_keep_their_order(
    network: MemoryNetwork, nursery: trio.Nursery
) -> None:
    server = await Server(network, max_requests=1).start(nursery)
    client = await server.connect()
    await client.send(*(Command(SLEEP, opaque=seconds, body=b"%d" % seconds) for seconds in (5, 1, 3)))
    assert [answer.opaque for _ in range(3) if (answer := await client.receive())] == [5, 1, 3]


async def test_too_many_connections_are_closed_at_once(network: MemoryNetwork, nursery: trio.Nursery) -> None:
    server = await Server(network, max_connections=1).start(nursery)
    first, second = await server.connect(), await server.connect()
    assert await second.receive() is None
    assert await first.ask(Command(ECHO)) is not None
    statistics = server.server.statistics()
    assert (statistics.connections, statistics.accepted, statistics.refused) == (1, 2, 1)


async def test_a_request_followed_by_a_close_is_finished(server: Server) -> None:
    client = await server.connect()
    await client.send(Command(SLEEP, opaque=4, body=b"2", flag=FLAG_ONEWAY))
    await client.stream.aclose()
    await trio.sleep(3)
    assert server.log == [4]


async def test_what_a_gone_client_asked_for_ends_after_the_grace(server: Server) -> None:
    client = await server.connect()
    await client.send(Command(SLEEP, body=b"60"))
    await client.stream.aclose()
    await trio.sleep(6)
    assert server.log == ["cancelled"]
    assert server.closed == [1]


async def test_stopping_lets_running_requests_finish(network: MemoryNetwork) -> None:
    async with trio.open_nursery() as nursery:
        server = await Server(network).start(nursery)
        busy, idle = await server.connect(), await server.connect()
        await busy.send(Command(SLEEP, opaque=1, body=b"3"))
        await trio.sleep(1)
        server.server.stop()
        assert await idle.receive() is None
        assert await busy.receive() is not None
        assert await busy.receive() is None
    assert network.statistics().listeners == 0
    assert sorted(server.closed) == [1, 2]


async def test_stopping_does_not_wait_for_ever(network: MemoryNetwork) -> None:
    async with trio.open_nursery() as nursery:
        server = await Server(network, grace=5).start(nursery)
        client = await server.connect()
        await client.send(Command(SLEEP, body=b"60"))
        await trio.sleep(1)
        server.server.stop()
    assert trio.current_time() == pytest.approx(6, abs=0.1)
    assert server.log == ["cancelled"]
    assert server.server.statistics().connections == 0


async def test_cancelling_closes_everything_at_once(network: MemoryNetwork) -> None:
    async with trio.open_nursery() as nursery:
        server = await Server(network).start(nursery)
        client = await server.connect()
        await client.send(Command(SLEEP, body=b"60"))
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert server.closed == [1]
    assert await client.receive() is None
    assert trio.current_time() == pytest.approx(1, abs=0.1)


async def test_serve_is_the_short_form(network: MemoryNetwork, nursery: trio.Nursery) -> None:
    async def handle(_peer: Peer, request: Command) -> Command:
        return request.answer()

    listener = await network.listen("127.0.0.1", 0)
    address = await nursery.start(serve, listener, handle)
    assert address == listener.address
    assert await RawClient(await network.dial(address)).ask(Command(1)) is not None


class ExhaustedListener(Listener):
    """A listener whose process has no descriptors left for the first tries."""

    def __init__(self, listener: Listener, tries: int) -> None:
        self._listener = listener
        self._tries = tries

    @property
    def address(self) -> str:
        return self._listener.address

    async def accept(self) -> trio.abc.Stream:
        self._tries -= 1
        if self._tries >= 0:
            raise OSError(errno.EMFILE, "Too many open files")
        return await self._listener.accept()

    async def aclose(self) -> None:
        await self._listener.aclose()


async def test_want_of_descriptors_is_waited_out_and_told_once(
    network: MemoryNetwork, nursery: trio.Nursery, caplog: pytest.LogCaptureFixture
) -> None:
    async def echo(_peer: Peer, request: Command) -> Command:
        return request.answer()

    listener = ExhaustedListener(await network.listen("127.0.0.1", 1000), tries=5)
    address = await nursery.start(CommandServer(echo).serve, listener)
    async with open_pool(network, TrioClock()) as pool:
        assert (await pool.call(address, Command(1))).code == 0
    (record,) = caplog.records
    assert "no connection can be accepted: Too many open files" in record.getMessage()
    nursery.cancel_scope.cancel()
