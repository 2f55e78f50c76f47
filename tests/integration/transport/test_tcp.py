"""The TCP network, on 127.0.0.1: addresses, errors as ours, and a call through everything."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from rocketmq_lite.clock import SystemClock
from rocketmq_lite.config import NameServerSettings
from rocketmq_lite.errors import ConfigError, ConnectError, ConnectionLost, PortInUse
from rocketmq_lite.nameserver import server as nameserver
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.request import CommandRequest
from rocketmq_lite.transport.address import parse_address
from rocketmq_lite.transport.direct import DirectStream
from rocketmq_lite.transport.network import TcpNetwork
from rocketmq_lite.transport.rpc import open_pool
from rocketmq_lite.transport.server import Peer, serve

if TYPE_CHECKING:
    from rocketmq_lite.transport.network import Network


@pytest.fixture
def network() -> Network:
    return TcpNetwork()


async def echo(peer: Peer, request: Command) -> Command:
    return request.answer(remark=peer.address, body=request.body)


async def test_port_0_picks_a_free_one_that_is_told(network: Network) -> None:
    async with await network.listen("127.0.0.1", 0) as listener:
        host, port = parse_address(listener.address)
        assert (host, port > 0) == ("127.0.0.1", True)


async def test_both_ends_know_each_other_and_do_not_delay(network: Network) -> None:
    async with (
        await network.listen("127.0.0.1", 0) as listener,
        await network.dial(listener.address) as ours,
        await listener.accept() as theirs,
    ):
        assert isinstance(ours, DirectStream)
        assert isinstance(theirs, trio.SocketStream)
        assert listener.peer_address(theirs) == f"127.0.0.1:{ours.socket.getsockname()[1]}"
        for end in (ours.socket, theirs.socket):
            assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_port_in_use(network: Network) -> None:
    async with await network.listen("127.0.0.1", 0) as listener:
        _, port = parse_address(listener.address)
        with pytest.raises(PortInUse, match=f"127.0.0.1:{port}") as caught:
            await network.listen("127.0.0.1", port)
        assert caught.value.hint
        assert isinstance(caught.value.__cause__, OSError)


async def test_a_host_that_is_not_this_machine(network: Network) -> None:
    with pytest.raises(ConfigError, match="does not have that address"):
        await network.listen("192.0.2.1", 0)


async def test_nobody_listens(network: Network) -> None:
    async with await network.listen("127.0.0.1", 0) as listener:
        address = listener.address
    with pytest.raises(ConnectError, match="nothing listens there"):
        await network.dial(address)
    with pytest.raises(ConnectError, match="port 0"):
        await network.dial("127.0.0.1:0")
    with pytest.raises(ConfigError):
        await network.dial("127.0.0.1")


async def test_calls_over_tcp(network: Network, nursery: trio.Nursery) -> None:
    address = await nursery.start(serve, await network.listen("127.0.0.1", 0), echo)
    async with open_pool(network, SystemClock()) as pool:
        large = bytes(range(256)) * 4096
        assert (await pool.call(address, Command(10, body=large))).body == large
        async with trio.open_nursery() as callers:
            for _ in range(200):
                callers.start_soon(pool.call, address, Command(10, body=b"x"))
        assert pool.statistics().links[0].dials == 1
    nursery.cancel_scope.cancel()


async def test_a_server_that_goes_fails_the_calls_that_wait(network: Network, nursery: trio.Nursery) -> None:
    arrived = trio.Event()

    async def never(_peer: Peer, _request: Command) -> None:
        arrived.set()
        await trio.sleep_forever()

    async with open_pool(network, SystemClock()) as pool:
        async with trio.open_nursery() as servers:
            address = await servers.start(serve, await network.listen("127.0.0.1", 0), never)

            async def call() -> None:
                with pytest.raises(ConnectionLost):
                    await pool.call(address, Command(1))

            nursery.start_soon(call)
            await arrived.wait()
            servers.cancel_scope.cancel()
        with pytest.raises((ConnectError, ConnectionLost)):
            await pool.call(address, Command(1))


async def test_a_name_server_over_tcp(network: Network, nursery: trio.Nursery) -> None:
    address = await nursery.start(
        lambda task_status: nameserver.serve(
            network,
            host="127.0.0.1",
            port=0,
            clock=SystemClock(),
            settings=NameServerSettings(),
            task_status=task_status,
        )
    )
    async with open_pool(network, SystemClock()) as pool:
        answer = await pool.call(address, Command(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER))
        assert answer.body == b'{"topicList":[]}'
    nursery.cancel_scope.cancel()


class WriterSteps(trio.abc.Instrument):
    """Counts how often the task was at work that writes for others."""

    def __init__(self) -> None:
        self.count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """One more, if it is that task's."""
        self.count += task.name.endswith("Wire._write")


async def test_a_call_is_written_by_its_caller_beside_those_that_are_held(network: Network) -> None:
    release = trio.Event()

    async def answer(peer: Peer, request: Command) -> Command:
        if request.code == 11:
            await release.wait()
        return await echo(peer, request)

    async with await network.listen("127.0.0.1", 0) as listener, trio.open_nursery() as nursery:
        nursery.start_soon(partial(serve, listener, answer))
        async with open_pool(network, SystemClock()) as pool, trio.open_nursery() as calls:
            held = partial(pool.ask, on_arrival=lambda _raw: None)
            await pool.call(listener.address, Command(34))
            calls.start_soon(held, listener.address, CommandRequest(Command(11)))
            await trio.testing.wait_all_tasks_blocked()
            steps = WriterSteps()
            trio.lowlevel.add_instrument(steps)
            for _ in range(3):
                await pool.call(listener.address, Command(34))
            trio.lowlevel.remove_instrument(steps)
            release.set()
        nursery.cancel_scope.cancel()
    assert steps.count == 0


@pytest.mark.parametrize(("count", "rounds"), [(3, 0), (4, 1), (50, 1)])
async def test_few_calls_are_written_by_their_callers_more_by_one_task(
    network: Network, count: int, rounds: int
) -> None:
    steps = WriterSteps()
    async with await network.listen("127.0.0.1", 0) as listener, trio.open_nursery() as nursery:
        nursery.start_soon(partial(serve, listener, echo))
        async with open_pool(network, SystemClock()) as pool:
            await pool.call(listener.address, Command(34))
            await trio.testing.wait_all_tasks_blocked()
            trio.lowlevel.add_instrument(steps)
            async with trio.open_nursery() as calls:
                for _ in range(count):
                    calls.start_soon(pool.call, listener.address, Command(34))
            trio.lowlevel.remove_instrument(steps)
        nursery.cancel_scope.cancel()
    assert steps.count == rounds
