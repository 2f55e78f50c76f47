"""Outgoing calls: answers find their calls, or come too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from tests.support.rpc import ADDRESS, Peer, SlowNetwork, call_quietly, link, pool_on

from rocketmq_lite.config import RpcLimits
from rocketmq_lite.errors import (
    LocalProtocolError,
    RequestTimeout,
)
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.connection import Connection
from rocketmq_lite.protocol.request import CommandRequest

if TYPE_CHECKING:
    from rocketmq_lite.protocol.framing import RawCommand
    from rocketmq_lite.testing.network import MemoryNetwork
    from rocketmq_lite.transport.rpc import Pool

pytestmark = pytest.mark.mock_time


async def test_calls_share_one_connection(pool: Pool, peer: Peer) -> None:
    for body in (b"a", b"b"):
        assert (await pool.call(ADDRESS, Command(1, body=body))).body == body
    assert len(peer.streams) == 1
    assert (link(pool).state, link(pool).pending, link(pool).dials) == ("connected", 0, 1)
    assert pool.statistics().calls == 2


async def test_answers_find_their_calls_in_any_order(pool: Pool, peer: Peer) -> None:
    async def slow_first(_index: int, command: Command) -> Command:
        await trio.sleep(1 / (1 + command.code))
        return command.answer(body=b"%d" % command.code)

    peer.answer = slow_first
    order: list[int] = []

    async def call(code: int) -> None:
        assert (await pool.call(ADDRESS, Command(code))).body == b"%d" % code
        order.append(code)

    async with trio.open_nursery() as nursery:
        for code in range(5):
            nursery.start_soon(call, code)
    assert order == [4, 3, 2, 1, 0]
    assert len(peer.streams) == 1


async def test_calls_made_together_travel_in_few_writes(pool: Pool, peer: Peer) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(pool.call, ADDRESS, Command(1))
    assert len(peer.received) == 100
    assert link(pool).queued_bytes == 0


async def test_the_answers_code_is_the_callers_business(pool: Pool, peer: Peer) -> None:
    async def refuse(_index: int, command: Command) -> Command:
        return command.answer(17, remark="no")

    peer.answer = refuse
    answer = await pool.call(ADDRESS, Command(105))
    assert (answer.code, answer.remark) == (17, "no")


async def test_of_a_held_call_another_is_told_before_the_caller(pool: Pool, peer: Peer) -> None:
    order: list[str] = []
    woken = trio.Event()

    def arrived(raw: RawCommand) -> None:
        order.append(f"arrived {raw.code}")
        woken.set()

    async def other() -> None:
        await woken.wait()
        order.append("other")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await pool.ask(ADDRESS, CommandRequest(Command(11)), on_arrival=arrived)
        await trio.lowlevel.checkpoint()  # as a reader does
        order.append("caller")
    assert order == ["arrived 0", "other", "caller"]
    assert peer.received


async def test_what_fails_when_an_answer_arrives_fails_its_call_alone(pool: Pool, peer: Peer) -> None:
    def arrived(_raw: RawCommand) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await pool.ask(ADDRESS, CommandRequest(Command(11)), on_arrival=arrived)
    assert (await pool.call(ADDRESS, Command(1, body=b"a"))).body == b"a"
    assert len(peer.streams) == 1


async def test_a_oneway_request_is_sent_when_it_returns(pool: Pool, peer: Peer) -> None:
    await pool.send_oneway(ADDRESS, Command(15))
    pool.close(ADDRESS)
    await trio.testing.wait_all_tasks_blocked()
    assert [(command.code, command.is_oneway) for command in peer.received] == [(15, True)]


async def test_a_request_that_cannot_be_sent_harms_nobody(network: MemoryNetwork, peer: Peer) -> None:
    async with pool_on(network, limits=RpcLimits(max_frame=1000)) as pool:
        with pytest.raises(LocalProtocolError):
            await pool.call(ADDRESS, Command(1, body=bytes(1000)))
        assert (await pool.call(ADDRESS, Command(1))).code == 0
        assert link(pool).pending == 0


async def test_full_queues_make_callers_wait(nursery: trio.Nursery) -> None:
    network = SlowNetwork()
    async with pool_on(network, limits=RpcLimits(max_queued_bytes=1000, min_silence=99)) as pool:
        for _ in range(10):
            nursery.start_soon(call_quietly, pool, Command(1, body=bytes(500)))
        await trio.testing.wait_all_tasks_blocked()
        assert link(pool).queued_bytes < 2000
        server = network.servers[0]
        received = Connection()
        seen = 0
        while seen < 10:
            received.receive_data(await server.receive_some(100))
            while isinstance(received.next_event(), Command):
                seen += 1
        await trio.testing.wait_all_tasks_blocked()
        assert link(pool).queued_bytes == 0
    nursery.cancel_scope.cancel()


async def test_a_call_without_an_answer_times_out(pool: Pool, peer: Peer) -> None:
    peer.answer = peer.silent
    began = trio.current_time()
    with pytest.raises(RequestTimeout, match=r"did not answer HEART_BEAT within 3 s") as caught:
        await pool.call(ADDRESS, Command(34))
    assert trio.current_time() - began == pytest.approx(3)
    assert caught.value.retryable
    with pytest.raises(RequestTimeout):
        await pool.call(ADDRESS, Command(34), timeout=0.5)
    assert pool.statistics().timeouts == 2


async def test_each_call_of_a_connection_has_its_own_deadline(pool: Pool, peer: Peer) -> None:
    peer.answer = peer.silent
    ended: list[tuple[float, float]] = []
    began = trio.current_time()

    async def call(seconds: float, later: float) -> None:
        await trio.sleep(later)
        with pytest.raises(RequestTimeout):
            await pool.call(ADDRESS, Command(34), timeout=seconds)
        ended.append((seconds, trio.current_time() - began))

    async with trio.open_nursery() as nursery:
        for seconds, later in [(0.9, 0.0), (0.3, 0.0), (0.3, 0.1), (0.0, 0.2), (0.8, 0.0)]:
            nursery.start_soon(call, seconds, later)
    assert [seconds for seconds, _ in ended] == [0.0, 0.3, 0.3, 0.8, 0.9]
    assert [at for _, at in ended] == pytest.approx([0.2, 0.3, 0.4, 0.8, 0.9])


async def test_a_late_answer_is_ignored(pool: Pool, peer: Peer) -> None:
    async def late(_index: int, command: Command) -> Command:
        await trio.sleep(0.7 if command.code == 1 else 0)
        return command.answer(body=command.body)

    peer.answer = late
    with pytest.raises(RequestTimeout):
        await pool.call(ADDRESS, Command(1, body=b"old"), timeout=0.5)
    await trio.sleep(1)
    assert (await pool.call(ADDRESS, Command(2, body=b"new"))).body == b"new"
    assert (link(pool).late, len(peer.streams)) == (1, 1)


async def test_silence_during_a_timeout_closes_the_connection(pool: Pool, peer: Peer) -> None:
    assert (await pool.call(ADDRESS, Command(1))).code == 0
    peer.answer = peer.silent
    with pytest.raises(RequestTimeout):
        await pool.call(ADDRESS, Command(1), timeout=0.9)
    assert link(pool).state == "connected"  # too short to mean anything
    with pytest.raises(RequestTimeout):
        await pool.call(ADDRESS, Command(1), timeout=1)
    assert link(pool).state == "idle"
    peer.answer = peer.echo
    assert (await pool.call(ADDRESS, Command(1))).code == 0
    assert len(peer.streams) == 2


async def test_a_timeout_among_answers_keeps_the_connection(pool: Pool, peer: Peer) -> None:
    async def only_even(_index: int, command: Command) -> Command | None:
        return command.answer() if command.code % 2 == 0 else None

    peer.answer = only_even

    async def chat() -> None:
        for _ in range(10):
            await pool.call(ADDRESS, Command(2))
            await trio.sleep(0.4)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(chat)
        with pytest.raises(RequestTimeout):
            await pool.call(ADDRESS, Command(1))
    assert len(peer.streams) == 1


async def test_an_idle_connection_is_closed(pool: Pool, peer: Peer) -> None:
    await pool.call(ADDRESS, Command(1))
    await trio.sleep(119)
    assert link(pool).state == "connected"
    await trio.sleep(2)
    assert link(pool).state == "idle"
    assert (await pool.call(ADDRESS, Command(1))).code == 0
