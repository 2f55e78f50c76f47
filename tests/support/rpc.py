"""What the tests of outgoing calls share: a server that does what a test says, and pools that call it."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from rocketmq_lite.clock import TrioClock
from rocketmq_lite.config import RpcLimits
from rocketmq_lite.errors import ClientClosed
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.connection import Connection, Signal
from rocketmq_lite.transport.rpc import LinkStatistics, Pool, open_pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from rocketmq_lite.testing.network import MemoryNetwork
    from rocketmq_lite.transport.dispatch import Handler
    from rocketmq_lite.transport.network import Listener, Network

ADDRESS = "127.0.0.1:1000"
LIMITS = RpcLimits()


class Peer:
    """A server that does what a test says, connection by connection."""

    def __init__(self, network: MemoryNetwork) -> None:
        self.network = network
        self.streams: list[trio.abc.Stream] = []
        self.connections: list[Connection] = []
        self.locks: list[trio.Lock] = []
        self.received: list[Command] = []
        self.answer: Callable[[int, Command], Awaitable[Command | None]] = self.echo

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        listener = await self.network.listen("127.0.0.1", 1000)
        async with listener, trio.open_nursery() as nursery:
            task_status.started()
            while True:
                nursery.start_soon(self.serve, await listener.accept())

    async def serve(self, stream: trio.abc.Stream) -> None:
        index = len(self.streams)
        connection = Connection()
        self.streams.append(stream)
        self.connections.append(connection)
        self.locks.append(trio.Lock())
        async with stream, trio.open_nursery() as nursery:
            try:
                while data := await stream.receive_some():
                    connection.receive_data(data)
                    while not isinstance(command := connection.next_event(), Signal):
                        self.received.append(command)
                        nursery.start_soon(self.handle, index, command)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
            nursery.cancel_scope.cancel()

    async def handle(self, index: int, command: Command) -> None:
        answer = await self.answer(index, command)
        if answer is not None:
            await self.send(answer, index)

    async def send(self, command: Command, index: int = 0) -> None:
        async with self.locks[index]:
            await self.streams[index].send_all(self.connections[index].send(command))

    async def echo(self, _index: int, command: Command) -> Command | None:
        return None if command.is_response or command.is_oneway else command.answer(body=command.body)

    async def silent(self, _index: int, _command: Command) -> None:
        """Take it and say nothing."""


class SlowNetwork:
    """Streams whose sends wait until the other side has read everything."""

    def __init__(self) -> None:
        self.servers: list[trio.abc.Stream] = []

    async def dial(self, _address: str) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        ours, theirs = trio.testing.lockstep_stream_pair()
        self.servers.append(theirs)
        return ours

    async def listen(self, host: str, port: int) -> Listener:
        raise NotImplementedError


@asynccontextmanager
async def pool_on(
    network: Network, *, on_push: Handler[str] | None = None, limits: RpcLimits = LIMITS
) -> AsyncIterator[Pool]:
    async with open_pool(network, TrioClock(), on_push=on_push, limits=limits) as pool:
        yield pool


def link(pool: Pool) -> LinkStatistics:
    (only,) = pool.statistics().links
    return only


async def call_quietly(pool: Pool, command: Command) -> None:
    """Call, whatever becomes of it when the pool is closed."""
    with suppress(ClientClosed):
        await pool.call(ADDRESS, command, timeout=60)


async def expect_failure(error: type[Exception], pool: Pool) -> None:
    """Call, and have it fail with that error."""
    with pytest.raises(error):
        await pool.call(ADDRESS, Command(1))
