"""A network in memory, a server in it, and a pool of connections to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.rpc import Peer, pool_on

from rocketmq_lite.testing.network import MemoryNetwork

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import trio

    from rocketmq_lite.transport.rpc import Pool


@pytest.fixture
def network() -> MemoryNetwork:
    return MemoryNetwork()


@pytest.fixture
async def peer(network: MemoryNetwork, nursery: trio.Nursery) -> Peer:
    peer = Peer(network)
    await nursery.start(peer.run)
    return peer


@pytest.fixture
async def pool(network: MemoryNetwork) -> AsyncIterator[Pool]:
    async with pool_on(network) as pool:
        yield pool
