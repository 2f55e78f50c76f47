"""Outgoing calls: one connection an address, answers matched by opaque.

Rules:

* A connection is opened when the first call needs it, by the pool's own task: a cancelled caller does not
  take the dial away from the others. After a failed dial calls fail at once for a growing pause.
* Frames are written by one task a connection, all that wait in one write. So cancelling a call never
  cuts a frame; its pending entry is dropped and a late answer is ignored. Only closing the pool, or the
  peer, cuts frames, and then the connection is closed.
* When a connection closes, every call that waits on it fails at once with ``ConnectionLost``.
* A call that times out on a connection from which nothing at all came meanwhile closes it: the peer may
  be gone without a word, and the next call should not find out the same slow way (Java closes on every
  time-out).
* GO_AWAY (1500): the connection takes no new calls, and the call is sent once more on a new one.
* Requests of the server (pushes) are given to ``on_push`` and answered with what it returns.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeVar

import trio

from rocketmq_lite.config import RpcLimits
from rocketmq_lite.errors import ClientClosed, LocalProtocolError, RequestTimeout
from rocketmq_lite.protocol.codes import ResponseCode, request_name
from rocketmq_lite.protocol.request import CommandRequest
from rocketmq_lite.records import dataclass
from rocketmq_lite.transport.dispatch import Handler, not_supported
from rocketmq_lite.transport.failures import senseless
from rocketmq_lite.transport.link import Link, LinkStatistics
from rocketmq_lite.transport.nursery import background_nursery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from rocketmq_lite.clock import Clock
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.protocol.framing import RawCommand
    from rocketmq_lite.protocol.request import Request
    from rocketmq_lite.transport.calls import OnArrival
    from rocketmq_lite.transport.network import Network
    from rocketmq_lite.transport.nursery import ProtectedNursery
    from rocketmq_lite.transport.wire import Wire

__all__ = ["LinkStatistics", "Pool", "PoolStatistics", "open_pool"]

A = TypeVar("A")

_GO_AWAY: Final = int(ResponseCode.GO_AWAY)
"""A plain number: the code of each answer is compared with it."""


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """A snapshot of a pool.

    Attributes:
        links: One entry an address that was called and not closed since.
        calls: Calls begun.
        timeouts: Calls that were not answered in time.
        go_aways: Calls that were sent again because the server is shutting down.
    """

    links: tuple[LinkStatistics, ...]
    calls: int
    timeouts: int
    go_aways: int


@asynccontextmanager
async def open_pool(
    network: Network,
    clock: Clock,
    *,
    request_timeout: float = 3.0,
    on_push: Handler[str] | None = None,
    limits: RpcLimits | None = None,
) -> AsyncIterator[Pool]:
    """A pool of connections that lives as long as the block.

    Leaving the block closes all connections at once; calls still waiting fail with ``ClientClosed``.

    Args:
        network: Where connections come from.
        clock: Tells how long pauses after failed dials last.
        request_timeout: Seconds for a call that names no time-out of its own, dialing included.
        on_push: Answers requests of servers; it gets the server's address. Without it they are answered 3.
        limits: Sizes and intervals.
    """
    async with background_nursery() as nursery:
        pool = Pool(
            network,
            clock,
            nursery,
            request_timeout=request_timeout,
            on_push=on_push or _no_push,
            limits=limits or RpcLimits(),
        )
        try:
            yield pool
        finally:
            pool.close_all()


async def _no_push(_address: str, request: Command) -> Command:
    return not_supported(request)


class Pool:
    """Connections by address; made by :func:`open_pool`."""

    def __init__(
        self,
        network: Network,
        clock: Clock,
        nursery: ProtectedNursery,
        *,
        request_timeout: float,
        on_push: Handler[str],
        limits: RpcLimits,
    ) -> None:
        self._network = network
        self._clock = clock
        self._nursery = nursery
        self._request_timeout = request_timeout
        self._on_push = on_push
        self._listeners: list[Callable[[str], None]] = []
        self._limits = limits
        self._links: dict[str, Link] = {}
        self._closed = False
        self._now = trio.lowlevel.current_clock().current_time
        self._calls = 0
        self._timeouts = 0
        self._go_aways = 0

    async def call(self, address: str, request: Command, *, timeout: float | None = None) -> Command:
        """Send a request and wait for its answer, whatever its code.

        Args:
            address: ``host:port`` of the server.
            request: Its opaque is chosen here.
            timeout: Seconds instead of the pool's ``request_timeout``.

        Raises:
            ConnectError: The server cannot be reached, or was not a moment ago.
            ConnectionLost: The connection closed first; the request may have been executed.
            RequestTimeout: There was no answer in time; the request may have been executed.
            LocalProtocolError: The request cannot be sent (too large, for one).
            ClientClosed: The pool has been closed.
        """
        return await self.ask(address, CommandRequest(request), timeout=timeout)

    @trio.lowlevel.enable_ki_protection
    async def ask(
        self,
        address: str,
        request: Request[A],
        *,
        timeout: float | None = None,
        on_arrival: OnArrival = None,
    ) -> A:
        """Send any kind of request and wait for its answer, as :meth:`call` does.

        Args:
            address: ``host:port`` of the server.
            request: What is asked.
            timeout: Seconds instead of the pool's ``request_timeout``.
            on_arrival: See :data:`~rocketmq_lite.transport.calls.OnArrival`.

        Raises:
            RemoteProtocolError: The answer makes no sense.
        """
        seconds = self._request_timeout if timeout is None else timeout
        self._calls += 1
        began = self._now()
        deadline = began + seconds
        link = self._links.get(address)
        wire = None if link is None else link.ready
        try:
            if wire is None:
                wire = await self._link(address).connect(deadline)
            answer = await wire.call(request, deadline, on_arrival)
            if answer.code == _GO_AWAY:
                answer = await self._ask_again(address, wire, request, deadline, on_arrival)
        except trio.TooSlowError:
            raise self._timed_out(address, request, began, seconds) from None
        try:
            return request.read(answer)
        except (LocalProtocolError, ValueError) as error:
            raise senseless(address, error) from error

    async def _ask_again(
        self, address: str, wire: Wire, request: Request[object], deadline: float, on_arrival: OnArrival
    ) -> RawCommand:
        """Once more, on a new connection, since the server of the first is going away."""
        self._go_aways += 1
        link = self._link(address)
        link.retire(wire)
        wire = await link.connect(deadline)
        answer = await wire.call(request, deadline, on_arrival)
        if answer.code == _GO_AWAY:
            link.retire(wire)
        return answer

    async def send_oneway(self, address: str, request: Command) -> None:
        """Send a command that is not answered, as :meth:`post` does."""
        await self.post(address, CommandRequest(request))

    @trio.lowlevel.enable_ki_protection
    async def post(self, address: str, request: Request[object]) -> None:
        """Send a request that is not answered; returns when the operating system has all of it.

        Raises:
            ConnectError: The server cannot be reached, or was not a moment ago.
            ConnectionLost: The connection closed before it was sent whole.
            RequestTimeout: It could not be sent within the pool's ``request_timeout``.
            LocalProtocolError: The request cannot be sent.
            ClientClosed: The pool has been closed.
        """
        with trio.move_on_after(self._request_timeout):
            await self._link(address).send_oneway(request)
            return
        self._timeouts += 1
        raise RequestTimeout(
            f"{address} did not take {request_name(request.code)} within {self._request_timeout:g} s"
        )

    def subscribe_disconnects(self, listener: Callable[[str], None]) -> None:
        """Have ``listener`` called with a server's address, without waiting, whenever a connection to it has ended.

        Servers forget who was connected; whoever wants to be known there has to say so again.
        """
        self._listeners.append(listener)

    def close(self, address: str) -> None:
        """Close the connection to an address, if any; calls waiting on it fail with ``ConnectionLost``."""
        link = self._links.pop(address, None)
        if link is not None:
            link.close()

    @trio.lowlevel.enable_ki_protection
    def close_all(self) -> None:
        """Close every connection and take no further calls."""
        self._closed = True
        for link in self._links.values():
            link.close(ClientClosed("the client was closed while the call was waiting"))
        self._links.clear()

    def statistics(self) -> PoolStatistics:
        """A snapshot of the counters and connections."""
        return PoolStatistics(
            links=tuple(link.statistics() for link in self._links.values()),
            calls=self._calls,
            timeouts=self._timeouts,
            go_aways=self._go_aways,
        )

    def _timed_out(
        self, address: str, request: Request[object], began: float, seconds: float
    ) -> RequestTimeout:
        self._timeouts += 1
        if (link := self._links.get(address)) is not None and seconds >= self._limits.min_silence:
            link.suspect_silence(began)
        return RequestTimeout(
            f"{address} did not answer {request_name(request.code)} within {seconds:g} s",
            hint="the server is busy or cannot be reached; a longer time-out may help",
        )

    def _disconnected(self, address: str) -> None:
        if not self._closed:
            for listener in self._listeners:
                listener(address)

    def _link(self, address: str) -> Link:
        if self._closed:
            raise ClientClosed("the client has been closed")
        link = self._links.get(address)
        if link is None:
            link = Link(
                address,
                self._network,
                self._clock,
                self._nursery,
                on_push=self._on_push,
                on_disconnect=self._disconnected,
                limits=self._limits,
            )
            self._links[address] = link
        return link
