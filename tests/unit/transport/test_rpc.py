"""Outgoing calls: matching, time-outs, reconnecting, GO_AWAY, pushes; and cancelling anywhere."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from tests.support.steps import cancelled_at_each_step

from rocketmq_lite.clock import TrioClock
from rocketmq_lite.config import RpcLimits
from rocketmq_lite.errors import (
    ClientClosed,
    ConfigError,
    ConnectError,
    ConnectionLost,
    LocalProtocolError,
    RemoteProtocolError,
    RequestTimeout,
)
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.connection import Connection, Signal
from rocketmq_lite.testing.network import MemoryNetwork
from rocketmq_lite.transport.rpc import LinkStatistics, Pool, open_pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from rocketmq_lite.transport.dispatch import Handler
    from rocketmq_lite.transport.network import Listener, Network

pytestmark = pytest.mark.mock_time

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


@pytest.fixture
async def peer(network: MemoryNetwork, nursery: trio.Nursery) -> Peer:
    peer = Peer(network)
    await nursery.start(peer.run)
    return peer


@asynccontextmanager
async def pool_on(
    network: Network, *, on_push: Handler[str] | None = None, limits: RpcLimits = LIMITS
) -> AsyncIterator[Pool]:
    async with open_pool(network, TrioClock(), on_push=on_push, limits=limits) as pool:
        yield pool


@pytest.fixture
async def pool(network: MemoryNetwork) -> AsyncIterator[Pool]:
    async with pool_on(network) as pool:
        yield pool


def link(pool: Pool) -> LinkStatistics:
    (only,) = pool.statistics().links
    return only


# --- calls ------------------------------------------------------------------------------------------


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
            nursery.start_soon(_call_quietly, pool, Command(1, body=bytes(500)))
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


async def _call_quietly(pool: Pool, command: Command) -> None:
    with suppress(ClientClosed):
        await pool.call(ADDRESS, command, timeout=60)


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


# --- time-outs --------------------------------------------------------------------------------------


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


# --- connecting -------------------------------------------------------------------------------------


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


# --- losing the connection --------------------------------------------------------------------------


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
        nursery.start_soon(_expect, ConnectionLost, pool)
        await trio.sleep(0.1)
        pool.close(ADDRESS)
        pool.close("127.0.0.1:2")
    peer.answer = peer.echo
    assert (await pool.call(ADDRESS, Command(1))).code == 0


async def _expect(error: type[Exception], pool: Pool) -> None:
    with pytest.raises(error):
        await pool.call(ADDRESS, Command(1))


async def test_leaving_fails_what_waits_and_leaves_nothing_behind(peer: Peer, network: MemoryNetwork) -> None:
    peer.answer = peer.silent
    async with trio.open_nursery() as nursery, pool_on(network) as pool:
        nursery.start_soon(_expect, ClientClosed, pool)
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


# --- GO_AWAY ----------------------------------------------------------------------------------------


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


# --- pushes -----------------------------------------------------------------------------------------


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
        await peer.send(Command(40, opaque=3).as_oneway())
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
        await peer.send(Command(40).as_oneway())
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


# --- cancelling -------------------------------------------------------------------------------------


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


async def test_a_ctrl_c_that_strikes_a_task_of_the_pool_ends_its_block(
    network: MemoryNetwork, peer: Peer
) -> None:
    async def on_push(_address: str, _request: Command) -> None:
        raise KeyboardInterrupt  # as Python raises it in whatever task is running

    async def use() -> None:
        async with pool_on(network, on_push=on_push) as pool:
            await pool.call(ADDRESS, Command(1))
            await peer.send(Command(40, opaque=2).as_oneway())
            await trio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        await use()


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
        nursery.start_soon(_call_quietly, pool, Command(2))
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
            nursery.start_soon(_expect, ClientClosed, pool)
            await trio.sleep(0.1)
            await network.servers[0].receive_some(4)
        while await network.servers[0].receive_some(100):
            pass
