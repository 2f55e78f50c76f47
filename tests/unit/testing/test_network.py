"""The in-memory network keeps TCP's promises."""

from __future__ import annotations

import pytest
import trio

from rocketmq_lite.errors import ConnectError, PortInUse
from rocketmq_lite.testing.network import MemoryNetwork


async def test_bytes_go_both_ways_and_the_end_is_seen() -> None:
    network = MemoryNetwork()
    async with await network.listen("127.0.0.1", 0) as listener:
        client = await network.dial(listener.address)
        server = await listener.accept()
        assert listener.peer_address(server).startswith("127.0.0.1:")
        await client.send_all(b"ping")
        assert await server.receive_some() == b"ping"
        await server.send_all(b"pong")
        assert await client.receive_some(2) == b"po"
        assert await client.receive_some() == b"ng"
        await client.aclose()
        assert await server.receive_some() == b""
        with pytest.raises(trio.BrokenResourceError):
            await server.send_all(b"late")
        await server.aclose()
    statistics = network.statistics()
    assert (statistics.listeners, statistics.connections, statistics.dialed) == (0, 0, 1)


async def test_nobody_is_reached_where_nobody_listens() -> None:
    network = MemoryNetwork()
    with pytest.raises(ConnectError, match="nothing listens there"):
        await network.dial("127.0.0.1:9")
    listener = await network.listen("127.0.0.1", 9)
    await listener.aclose()
    with pytest.raises(ConnectError):
        await network.dial("127.0.0.1:9")
    with pytest.raises(trio.ClosedResourceError):
        await listener.accept()


async def test_a_port_is_taken_once_and_free_ports_differ() -> None:
    network = MemoryNetwork()
    first = await network.listen("127.0.0.1", 0)
    second = await network.listen("127.0.0.1", 0)
    assert first.address != second.address
    with pytest.raises(PortInUse):
        await network.listen("127.0.0.1", int(first.address.rpartition(":")[2]))


async def test_connections_that_nobody_accepted_end_with_the_listener() -> None:
    network = MemoryNetwork()
    listener = await network.listen("127.0.0.1", 0)
    client = await network.dial(listener.address)
    await listener.aclose()
    assert await client.receive_some() == b""


async def test_a_cut_breaks_both_ends() -> None:
    network = MemoryNetwork()
    listener = await network.listen("127.0.0.1", 0)
    client = await network.dial(listener.address)
    server = await listener.accept()
    assert await network.cut(listener.address) == 2
    for end in (client, server):
        with pytest.raises((trio.BrokenResourceError, trio.ClosedResourceError)):
            await end.send_all(b"x")
