"""Where a broker runs in a test: over TCP with the reactor, or in memory with the pump."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import trio
from tests.integration.peer import Peer, connect

from rocketmq_lite.broker.server import serve
from rocketmq_lite.config import BrokerSettings
from rocketmq_lite.nameserver.server import serve as serve_names

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from rocketmq_lite.broker.opening import Owner
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.transport.network import Network

SMALL_SEGMENT = 4 * 1024 * 1024


@dataclass(frozen=True)
class World:
    """A network and a clock, and what is served in them."""

    owner: Owner
    network: Network
    clock: Clock
    directory: Path

    def settings(self, *, on_disk: bool = False, **changes: object) -> BrokerSettings:
        """A broker on a free port; the pump keeps everything in memory unless it is told otherwise."""
        data = self.directory if on_disk or self.owner == "reactor" else None
        base = BrokerSettings(port=0, data=data, segment_size=SMALL_SEGMENT)
        return replace(base, **changes)  # type: ignore[arg-type]

    @asynccontextmanager
    async def broker(self, *, on_disk: bool = False, **changes: object) -> AsyncIterator[str]:
        """A broker's address; leaving stops it and waits."""
        settings = self.settings(on_disk=on_disk, **changes)
        async with trio.open_nursery() as nursery:
            address = await nursery.start(self._serve, settings)
            yield address.address
            nursery.cancel_scope.cancel()

    async def _serve(self, settings: BrokerSettings, *, task_status: trio.TaskStatus[object]) -> None:
        await serve(
            settings, network=self.network, clock=self.clock, owner=self.owner, task_status=task_status
        )

    @asynccontextmanager
    async def name_server(self, port: int = 0) -> AsyncIterator[str]:
        """A name server's address; leaving stops it."""

        async def run(*, task_status: trio.TaskStatus[str]) -> None:
            await serve_names(
                self.network, host="127.0.0.1", port=port, clock=self.clock, task_status=task_status
            )

        async with trio.open_nursery() as nursery:
            yield await nursery.start(run)
            nursery.cancel_scope.cancel()

    def peer(self, address: str) -> AbstractAsyncContextManager[Peer]:
        """A client's connection."""
        return connect(self.network, address)
