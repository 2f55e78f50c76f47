"""Outgoing calls can be cancelled anywhere, and no frame is cut by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from tests.support.rpc import ADDRESS, Peer, SlowNetwork, call_quietly, expect_failure, link, pool_on
from tests.support.steps import cancelled_at_each_step

from rocketmq_lite.config import RpcLimits
from rocketmq_lite.errors import ClientClosed, ConnectionLost
from rocketmq_lite.protocol.command import FLAG_ONEWAY, Command
from rocketmq_lite.protocol.connection import Connection
from rocketmq_lite.protocol.request import CommandRequest

if TYPE_CHECKING:
    from rocketmq_lite.testing.network import MemoryNetwork

pytestmark = pytest.mark.mock_time


async def test_a_ctrl_c_that_strikes_a_task_of_the_pool_ends_its_block(
    network: MemoryNetwork, peer: Peer
) -> None:
    async def on_push(_address: str, _request: Command) -> None:
        raise KeyboardInterrupt  # as Python raises it in whatever task is running

    async def use() -> None:
        async with pool_on(network, on_push=on_push) as pool:
            await pool.call(ADDRESS, Command(1))
            await peer.send(Command(40, opaque=2, flag=FLAG_ONEWAY))
            await trio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        await use()


async def test_a_call_in_a_block_whose_tasks_have_ended_says_so(network: MemoryNetwork, peer: Peer) -> None:
    async def on_push(_address: str, _request: Command) -> None:
        raise KeyboardInterrupt

    async def use() -> None:
        async with pool_on(network, on_push=on_push) as pool:
            await pool.call(ADDRESS, Command(1))
            await peer.send(Command(40, opaque=2, flag=FLAG_ONEWAY))
            try:
                await trio.sleep_forever()
            finally:
                with (
                    trio.CancelScope(shield=True),
                    pytest.raises(ConnectionLost, match="client is being closed"),
                ):
                    await pool.call(ADDRESS, Command(1))
                assert link(pool).dials == 1

    with pytest.raises(KeyboardInterrupt):
        await use()


async def test_who_takes_an_answer_may_end_the_call(network: MemoryNetwork, peer: Peer) -> None:
    async with pool_on(network) as pool:
        with trio.CancelScope() as scope:
            await pool.ask(ADDRESS, CommandRequest(Command(1)), on_arrival=lambda _: scope.cancel())
        assert (await pool.call(ADDRESS, Command(2, body=b"y"))).body == b"y"
        assert link(pool).pending == 0


async def test_calls_that_wait_for_room_hear_of_the_end() -> None:
    async with (
        pool_on(SlowNetwork(), limits=RpcLimits(max_queued_bytes=100)) as pool,
        trio.open_nursery() as nursery,
    ):
        for _ in range(5):
            nursery.start_soon(expect_failure, ConnectionLost, pool)
        await trio.testing.wait_all_tasks_blocked()
        pool.close(ADDRESS)


async def test_a_call_can_be_cancelled_at_each_checkpoint(network: MemoryNetwork, peer: Peer) -> None:
    runs = 0
    async with pool_on(network) as pool:

        async def act() -> None:
            pool.close(ADDRESS)
            await pool.call(ADDRESS, Command(1, body=b"x"))

        async for _ in cancelled_at_each_step(act):
            runs += 1
            assert (await pool.call(ADDRESS, Command(2, body=b"y"))).body == b"y"
            assert link(pool).pending == 0
            assert link(pool).queued_bytes == 0
    assert runs > 2


async def test_a_oneway_request_can_be_cancelled_at_each_checkpoint(
    network: MemoryNetwork, peer: Peer
) -> None:
    async with pool_on(network) as pool:

        async def act() -> None:
            pool.close(ADDRESS)
            await pool.send_oneway(ADDRESS, Command(15))

        async for _ in cancelled_at_each_step(act):
            assert (await pool.call(ADDRESS, Command(2, body=b"y"))).body == b"y"


async def test_leaving_the_pool_can_be_cancelled_at_each_checkpoint(
    network: MemoryNetwork, peer: Peer
) -> None:
    async def act() -> None:
        async with pool_on(network) as pool:
            await pool.call(ADDRESS, Command(1))

    async for _ in cancelled_at_each_step(act):
        await trio.testing.wait_all_tasks_blocked()
        assert network.statistics().connections == 0


async def test_cancelling_a_call_cuts_no_frame_that_others_wait_for(nursery: trio.Nursery) -> None:
    network = SlowNetwork()
    async with pool_on(network, limits=RpcLimits(min_silence=99)) as pool:
        with trio.move_on_after(1) as scope:
            await pool.call(ADDRESS, Command(1, body=bytes(500)), timeout=60)
        assert scope.cancelled_caught
        nursery.start_soon(call_quietly, pool, Command(2))
        received = Connection()
        codes: list[int] = []
        while len(codes) < 2:
            received.receive_data(await network.servers[0].receive_some(50))
            while isinstance(event := received.next_event(), Command):
                codes.append(event.code)
        assert codes == [1, 2]


async def test_a_frame_cut_by_closing_the_pool_ends_the_connection() -> None:
    network = SlowNetwork()
    async with trio.open_nursery() as nursery:
        async with pool_on(network) as pool:
            nursery.start_soon(expect_failure, ClientClosed, pool)
            await trio.sleep(0.1)
            await network.servers[0].receive_some(4)
        while await network.servers[0].receive_some(100):
            pass
