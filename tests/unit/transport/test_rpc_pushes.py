"""Requests that come the other way on a connection of outgoing calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from tests.support.rpc import ADDRESS, Peer, link, pool_on

from rocketmq_lite.config import RpcLimits
from rocketmq_lite.protocol.command import FLAG_ONEWAY, Command

if TYPE_CHECKING:
    from rocketmq_lite.testing.network import MemoryNetwork
    from rocketmq_lite.transport.rpc import Pool

pytestmark = pytest.mark.mock_time


async def test_pushes_are_answered_with_what_the_handler_says(network: MemoryNetwork, peer: Peer) -> None:
    pushed: list[tuple[str, int]] = []

    async def on_push(address: str, request: Command) -> Command | None:
        pushed.append((address, request.code))
        if request.code == 307:
            return request.answer(body=b"info")
        raise ZeroDivisionError

    async with pool_on(network, on_push=on_push) as pool:
        await pool.call(ADDRESS, Command(1))
        peer.received.clear()
        # A push may have the opaque of a call in flight: direction is told by the flag alone.
        await peer.send(Command(307, opaque=1))
        await peer.send(Command(221, opaque=2))
        await peer.send(Command(40, opaque=3, flag=FLAG_ONEWAY))
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(pushed) == [(ADDRESS, 40), (ADDRESS, 221), (ADDRESS, 307)]
        answers = {command.opaque: (command.code, command.body) for command in peer.received}
        assert answers == {1: (0, b"info"), 2: (1, b"")}
        assert link(pool).pushes == 3


async def test_without_a_handler_pushes_are_not_supported(pool: Pool, peer: Peer) -> None:
    await pool.call(ADDRESS, Command(1))
    peer.received.clear()
    await peer.send(Command(307, opaque=9))
    await trio.testing.wait_all_tasks_blocked()
    (answer,) = peer.received
    assert (answer.opaque, answer.code, answer.remark) == (9, 3, " request type 307 not supported")


async def test_a_push_handler_may_call_on_the_same_connection(network: MemoryNetwork, peer: Peer) -> None:
    done = trio.Event()

    pools: list[Pool] = []

    async def on_push(address: str, _request: Command) -> None:
        await pools[0].call(address, Command(38))
        done.set()

    async with pool_on(network, on_push=on_push, limits=RpcLimits(max_pushes=1)) as pool:
        pools.append(pool)
        await pool.call(ADDRESS, Command(1))
        await peer.send(Command(40, flag=FLAG_ONEWAY))
        with trio.fail_after(1):
            await done.wait()
    assert len(peer.streams) == 1


async def test_more_pushes_than_allowed_are_answered_busy(network: MemoryNetwork, peer: Peer) -> None:
    async def on_push(_address: str, request: Command) -> Command:
        await trio.sleep(1)
        return request.answer()

    async with pool_on(network, on_push=on_push, limits=RpcLimits(max_pushes=2)) as pool:
        await pool.call(ADDRESS, Command(1))
        peer.received.clear()
        for opaque in range(5):
            await peer.send(Command(307, opaque=opaque))
        await trio.sleep(2)
    assert sorted(command.code for command in peer.received) == [0, 0, 2, 2, 2]
