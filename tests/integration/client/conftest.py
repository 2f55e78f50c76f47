"""A whole cluster in memory: name server, brokers over the pump, and clients.

A test asks for ``autojump_clock`` itself: pytest-trio looks for a clock among the test's own arguments only.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
from tests.integration.client.scripted import ScriptedServer

from rocketmq_lite.broker import server as broker_server
from rocketmq_lite.client.connect import connect
from rocketmq_lite.clock import TrioClock
from rocketmq_lite.config import BrokerSettings
from rocketmq_lite.nameserver import server as name_server
from rocketmq_lite.testing.network import MemoryNetwork

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from rocketmq_lite.client.client import Client
    from rocketmq_lite.transport.nursery import ProtectedNursery


@dataclass
class Server:
    """A running name server or broker, and the way to stop it."""

    address: str
    scope: trio.CancelScope
    ended: trio.Event

    async def stop(self) -> None:
        self.scope.cancel()
        await self.ended.wait()


class MemoryCluster:
    """Servers in one memory network; they end with the nursery that they were started in."""

    def __init__(self, nursery: trio.Nursery | ProtectedNursery) -> None:
        self.network = MemoryNetwork()
        self.clock = TrioClock()
        self.namesrv: str | None = ""
        self.first_name_server: Server | None = None
        self._nursery = nursery

    async def start_name_server(self, port: int = 9876) -> Server:
        serve = partial(name_server.serve, self.network, host="127.0.0.1", port=port, clock=self.clock)
        server = await self._start(serve)
        if not self.namesrv:
            self.namesrv, self.first_name_server = server.address, server
        return server

    async def start_broker(self, name: str = "broker-a", **settings: Any) -> Server:
        complete = BrokerSettings(
            **{"name": name, "port": 0, "namesrv": (self.namesrv,), "segment_size": 1 << 20, **settings}
        )
        serve = partial(broker_server.serve, complete, network=self.network, clock=self.clock, owner="pump")
        return await self._start(serve)

    def connect(self, namesrv: str | None = None, **options: Any) -> AbstractAsyncContextManager[Client]:
        return connect(namesrv or self.namesrv, network=self.network, clock=self.clock, **options)

    async def _start(self, serve: Any) -> Server:
        ended = trio.Event()
        scope = trio.CancelScope()

        async def run(*, task_status: trio.TaskStatus[Any]) -> None:
            try:
                with scope:
                    await serve(task_status=task_status)
            finally:
                ended.set()

        status = await self._nursery.start(run)
        return Server(getattr(status, "address", status), scope, ended)


@asynccontextmanager
async def _running() -> AsyncIterator[MemoryCluster]:
    async with trio.open_nursery() as nursery:
        cluster = MemoryCluster(nursery)
        await cluster.start_name_server()
        yield cluster
        nursery.cancel_scope.cancel()


@pytest.fixture
async def bare_cluster() -> AsyncIterator[MemoryCluster]:
    """A name server without brokers."""
    async with _running() as cluster:
        yield cluster


@pytest.fixture
async def cluster(bare_cluster: MemoryCluster) -> MemoryCluster:
    """A name server and one broker."""
    await bare_cluster.start_broker()
    return bare_cluster


@pytest.fixture
async def client(cluster: MemoryCluster) -> AsyncIterator[Client]:
    """A client of that cluster."""
    async with cluster.connect() as connected:
        yield connected


@pytest.fixture
async def scripted(nursery: trio.Nursery) -> AsyncIterator[ScriptedServer]:
    """A name server and broker that says what the test wants."""
    server = ScriptedServer(MemoryNetwork())
    await nursery.start(server.run)
    yield server
    nursery.cancel_scope.cancel()
