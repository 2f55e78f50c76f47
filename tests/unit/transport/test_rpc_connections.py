"""The connections under outgoing calls: opened, lost, retired by GO_AWAY."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from tests.support.rpc import ADDRESS, LIMITS, Peer, expect_failure, link, pool_on

from rocketmq_lite.errors import (
    ClientClosed,
    ConfigError,
    ConnectError,
    ConnectionLost,
    RemoteProtocolError,
    RequestTimeout,
)
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.testing.network import MemoryNetwork

if TYPE_CHECKING:
    from rocketmq_lite.transport.rpc import Pool

pytestmark = pytest.mark.mock_time


async def test_nobody_there(pool: Pool) -> None:
    with pytest.raises(ConnectError, match="nothing listens there") as caught:
        await pool.call(ADDRESS, Command(1))
    assert caught.value.retryable


async def test_after_a_failed_dial_calls_fail_at_once_for_a_growing_pause(
    pool: Pool, network: MemoryNetwork, nursery: trio.Nursery
) -> None:
    pauses: list[float] = []
    for _ in range(7):
        with pytest.raises(ConnectError):
            await pool.call(ADDRESS, Command(1))
        began = trio.current_time()
        dials = link(pool).dials
        while link(pool).state == "pausing":
            with pytest.raises(ConnectError, match="nothing listens there"):
                await pool.call(ADDRESS, Command(1))
            await trio.sleep(0.01)
        assert link(pool).dials == dials
        pauses.append(trio.current_time() - began)
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0], abs=0.02)
    peer = Peer(network)
    await nursery.start(peer.run)
    assert (await pool.call(ADDRESS, Command(1))).code == 0
    assert link(pool).failures == 0


async def test_a_bad_address_is_a_bad_address_each_time(pool: Pool) -> None:
    for _ in range(2):
        with pytest.raises(ConfigError):
            await pool.call("nowhere", Command(1))


class StuckNetwork(MemoryNetwork):
    """A host that does not answer at all."""

    async def dial(self, address: str) -> trio.abc.Stream:
        await trio.sleep_forever()
        raise AssertionError(address)


async def test_a_dial_without_an_answer_ends() -> None:
    async with pool_on(StuckNetwork()) as pool:
        with pytest.raises(ConnectError, match=r"no answer within 3 s"):
            await pool.call(ADDRESS, Command(1), timeout=10)
        assert trio.current_time() == pytest.approx(3)
        await trio.sleep(1)
        with pytest.raises(RequestTimeout):
            await pool.call(ADDRESS, Command(1), timeout=1)
        assert link(pool).state == "dialing"


async def test_a_cancelled_caller_does_not_take_the_dial_away(
    network: MemoryNetwork, nursery: trio.Nursery
) -> None:
    class Slow(MemoryNetwork):
        async def dial(self, address: str) -> trio.abc.Stream:
            await trio.sleep(1)
            return await network.dial(address)

    peer = Peer(network)
    await nursery.start(peer.run)
    async with pool_on(Slow()) as pool:
        with trio.move_on_after(0.5):
            await pool.call(ADDRESS, Command(1))
        assert (await pool.call(ADDRESS, Command(2))).code == 0
        assert trio.current_time() == pytest.approx(1)
        assert link(pool).dials == 1


async def test_a_close_fails_all_that_wait_at_once(pool: Pool, peer: Peer, network: MemoryNetwork) -> None:
    peer.answer = peer.silent
    lost: list[ConnectionLost] = []

    async def call() -> None:
        try:
            await pool.call(ADDRESS, Command(1))
        except ConnectionLost as error:
            lost.append(error)

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(call)
        await trio.sleep(1)
        await peer.streams[0].aclose()
    assert trio.current_time() == pytest.approx(1)
    assert len({id(error) for error in lost}) == 5
    assert all(error.retryable and "closed the connection" in error.message for error in lost)
    peer.answer = peer.echo
    assert (await pool.call(ADDRESS, Command(1))).code == 0


async def test_bytes_that_are_no_answer(pool: Pool, peer: Peer) -> None:
    async def garbage(index: int, _command: Command) -> None:
        await peer.streams[index].send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    peer.answer = garbage
    with pytest.raises(RemoteProtocolError):
        await pool.call(ADDRESS, Command(1))
    assert link(pool).state == "idle"


async def test_closing_an_address_fails_its_calls_and_nothing_else(pool: Pool, peer: Peer) -> None:
    peer.answer = peer.silent
    async with trio.open_nursery() as nursery:
        nursery.start_soon(expect_failure, ConnectionLost, pool)
        await trio.sleep(0.1)
        pool.close(ADDRESS)
        pool.close("127.0.0.1:2")
    peer.answer = peer.echo
    assert (await pool.call(ADDRESS, Command(1))).code == 0


async def test_leaving_fails_what_waits_and_leaves_nothing_behind(peer: Peer, network: MemoryNetwork) -> None:
    peer.answer = peer.silent
    async with trio.open_nursery() as nursery, pool_on(network) as pool:
        nursery.start_soon(expect_failure, ClientClosed, pool)
        await trio.sleep(0.1)
    with pytest.raises(ClientClosed):
        await pool.call(ADDRESS, Command(1))
    await trio.testing.wait_all_tasks_blocked()
    assert network.statistics().connections == 0


async def test_an_error_in_the_block_is_not_wrapped(network: MemoryNetwork, peer: Peer) -> None:
    async def fail() -> None:
        async with pool_on(network) as pool:
            await pool.call(ADDRESS, Command(1))
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await fail()


async def test_go_away_is_followed_by_one_more_try_elsewhere(pool: Pool, peer: Peer) -> None:
    async def first_goes(index: int, command: Command) -> Command:
        return command.answer(1500 if index == 0 else 0)

    peer.answer = first_goes
    assert (await pool.call(ADDRESS, Command(1))).code == 0
    assert [command.opaque for command in peer.received] == [1, 1]  # each counts on its connection
    assert len(peer.streams) == 2
    assert pool.statistics().go_aways == 1
    assert (await pool.call(ADDRESS, Command(1))).code == 0
    assert len(peer.streams) == 2


async def test_a_second_go_away_is_the_answer(pool: Pool, peer: Peer) -> None:
    async def all_go(_index: int, command: Command) -> Command:
        return command.answer(1500)

    peer.answer = all_go
    assert (await pool.call(ADDRESS, Command(1))).code == 1500


async def test_go_away_still_delivers_what_it_owes(pool: Pool, peer: Peer, network: MemoryNetwork) -> None:
    async def pull_then_go(index: int, command: Command) -> Command:
        if command.code == 11:
            await trio.sleep(2)
            return command.answer(19)
        return command.answer(1500 if index == 0 else 0)

    peer.answer = pull_then_go
    codes: list[int] = []

    async def pull() -> None:
        codes.append((await pool.call(ADDRESS, Command(11))).code)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pull)
        await trio.sleep(1)
        assert (await pool.call(ADDRESS, Command(1))).code == 0
        assert link(pool).pending == 1
    assert codes == [19]
    await trio.testing.wait_all_tasks_blocked()
    assert network.statistics().connections == 1


async def test_who_wants_to_know_is_told_of_connections_that_end(
    network: MemoryNetwork, peer: Peer, nursery: trio.Nursery
) -> None:
    ended: list[str] = []
    async with pool_on(network) as pool:
        pool.subscribe_disconnects(ended.append)
        with pytest.raises(ConnectError):
            await pool.call("127.0.0.1:1", Command(1))
        assert ended == []  # it never was connected
        await pool.call(ADDRESS, Command(1))
        await network.cut(ADDRESS)
        await trio.testing.wait_all_tasks_blocked()
        assert ended == [ADDRESS]
        await pool.call(ADDRESS, Command(1))
        await trio.sleep(LIMITS.idle_timeout + 1)
        assert ended == [ADDRESS, ADDRESS]
        await pool.call(ADDRESS, Command(1))
    assert ended == [ADDRESS, ADDRESS]  # our own end is no news
