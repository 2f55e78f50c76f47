"""The order of things when requests, creations and closed connections cross."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import trio
import trio.testing

from rocketmq_lite.broker.events import Caller, ColdRequest, ConnectionClosed
from rocketmq_lite.broker.router import SLOW_SLOTS, Router
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.transport.nursery import ProtectedNursery

if TYPE_CHECKING:
    from rocketmq_lite.broker.catalog import Catalog
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.broker.presence import Presence


class Bench:
    """A router whose handler waits until the test lets it go."""

    def __init__(self) -> None:
        self.let_go = trio.Event()
        self.heartbeat = trio.Event()
        self.answered: list[int] = []
        self.closed_connections: list[int] = []

    def respond(self, token: int, _answer: Command) -> None:
        self.answered.append(token)

    def closed(self, conn: int) -> None:
        self.closed_connections.append(conn)

    async def handle(self, _caller: Caller, request: Command) -> Command:
        if request.code == RequestCode.HEART_BEAT:
            self.heartbeat.set()
        else:
            await self.let_go.wait()
        return request.answer()

    def router(self, nursery: ProtectedNursery) -> Router:
        return Router(
            nursery,
            owner=cast("EngineOwner", self),
            handle=self.handle,
            catalog=cast("Catalog", None),
            presence=cast("Presence", self),
        )


def request(token: int, *, conn: int = 1, code: int = RequestCode.UPDATE_AND_CREATE_TOPIC) -> ColdRequest:
    return ColdRequest(Caller(conn, "10.0.0.1:5"), token, Command(code))


async def test_a_connection_that_closes_during_a_request_is_forgotten_again_after_it() -> None:
    bench = Bench()
    async with ProtectedNursery() as nursery:
        router = bench.router(nursery)
        router.deliver(request(7))
        router.deliver(request(8))
        router.deliver(ConnectionClosed(1))
        assert bench.closed_connections == [1]
        bench.let_go.set()
    assert sorted(bench.answered) == [7, 8]
    assert bench.closed_connections == [1, 1]


async def test_a_connection_without_requests_is_forgotten_once() -> None:
    bench = Bench()
    async with ProtectedNursery() as nursery:
        bench.router(nursery).deliver(ConnectionClosed(1))
    assert bench.closed_connections == [1]


async def test_one_way_requests_are_not_answered() -> None:
    bench = Bench()
    bench.let_go.set()
    async with ProtectedNursery() as nursery:
        bench.router(nursery).deliver(request(0))
    assert bench.answered == []


class SlowHeartbeats(Bench):
    """A handler that lets everything but heartbeats go."""

    async def handle(self, _caller: Caller, request: Command) -> Command:
        if request.code == RequestCode.HEART_BEAT:
            await self.let_go.wait()
        return request.answer()


async def test_a_good_bye_waits_for_the_heartbeats_of_its_connection() -> None:
    bench = SlowHeartbeats()
    async with ProtectedNursery() as nursery:
        router = bench.router(nursery)
        router.deliver(request(1, code=RequestCode.HEART_BEAT))
        router.deliver(request(2, code=RequestCode.UNREGISTER_CLIENT))
        router.deliver(request(3, conn=2, code=RequestCode.UNREGISTER_CLIENT))
        await trio.testing.wait_all_tasks_blocked()
        assert bench.answered == [3]
        bench.let_go.set()
    assert bench.answered == [3, 1, 2]


async def test_heartbeats_pass_a_crowd_of_slow_requests() -> None:
    bench = Bench()
    async with ProtectedNursery() as nursery:
        router = bench.router(nursery)
        for token in range(1, SLOW_SLOTS + 10):
            router.deliver(request(token))
        await trio.testing.wait_all_tasks_blocked()
        router.deliver(request(1000, code=RequestCode.HEART_BEAT))
        with trio.fail_after(5):
            await bench.heartbeat.wait()
        bench.let_go.set()
    assert len(bench.answered) == SLOW_SLOTS + 10
