"""The calls to one address: dialing, matching answers, pausing after failures (see ``rpc`` for the rules).

A link outlives its connections. A ``Wire`` is one connection from dial to close; the link has at most one
that takes new calls, while one that said GO_AWAY still delivers the answers it owes and then closes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import trio

from rocketmq_lite.errors import ConnectError, ConnectionLost, RocketMQError
from rocketmq_lite.protocol.connection import Connection
from rocketmq_lite.records import dataclass
from rocketmq_lite.transport.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from rocketmq_lite.clock import Clock
    from rocketmq_lite.config import RpcLimits
    from rocketmq_lite.protocol.request import Request
    from rocketmq_lite.transport.dispatch import Handler
    from rocketmq_lite.transport.network import Network
    from rocketmq_lite.transport.nursery import ProtectedNursery

__all__ = ["Link", "LinkStatistics"]


@dataclass(frozen=True, slots=True)
class LinkStatistics:
    """A snapshot of the calls to one address.

    Attributes:
        state: ``idle`` (next call dials), ``dialing``, ``connected``, or ``pausing`` after a failed dial.
        pending: Calls that wait for an answer.
        queued_bytes: Frames not yet handed to the operating system.
        dials: Connections tried.
        failures: Dials that failed since the last answer.
        late: Answers that nobody waited for any more.
        pushes: Requests that the server sent.
    """

    address: str
    state: Literal["idle", "dialing", "connected", "pausing"]
    pending: int
    queued_bytes: int
    dials: int
    failures: int
    late: int
    pushes: int


class Link:
    """Everything about one address.

    Attributes:
        ready: The connection that takes calls, if it is open.
    """

    def __init__(
        self,
        address: str,
        network: Network,
        clock: Clock,
        nursery: ProtectedNursery,
        *,
        on_push: Handler[str],
        on_disconnect: Callable[[str], None],
        limits: RpcLimits,
    ) -> None:
        self.address = address
        self.on_push = on_push
        self.limits = limits
        self._network = network
        self._clock = clock
        self._nursery = nursery
        self._on_disconnect = on_disconnect
        self.ready: Wire | None = None
        self._wire: Wire | None = None
        self._retired: set[Wire] = set()
        self._failures = 0
        self._not_before = 0.0
        self._last_failure: RocketMQError | None = None
        self._dials = 0
        self.late = 0
        self.pushes = 0

    async def connect(self, deadline: float) -> Wire:
        """The current connection, opened if needed.

        Raises:
            TooSlowError: It is not open in time.
        """
        with trio.fail_at(deadline):
            return await self._connected()

    def retire(self, wire: Wire) -> None:
        """Take no new calls on a connection whose server is going away."""
        if self._wire is wire:
            self._wire = self.ready = None
            self._retired.add(wire)
        wire.retire()

    async def send_oneway(self, request: Request[object]) -> None:
        """Send on the current connection, opening one if needed, and wait until it is written."""
        wire = await self._connected()
        await wire.send_oneway(request)

    def suspect_silence(self, since: float) -> None:
        """A call that began then was not answered in time: close the connection if it has been silent."""
        if self._wire is not None and self._wire.silent_since(since):
            self._wire.fail(ConnectionLost(f"{self.address} has sent nothing while a call timed out"))

    def close(self, reason: RocketMQError | None = None) -> None:
        """Close all connections; what waits on them fails with the reason."""
        error = reason or ConnectionLost(f"the connection with {self.address} was closed on this side")
        for wire in self._wires():
            wire.fail(error)

    def statistics(self) -> LinkStatistics:
        """A snapshot."""
        wire = self._wire
        state: Literal["idle", "dialing", "connected", "pausing"] = "idle"
        if wire is not None:
            state = "connected" if wire.is_connected else "dialing"
        elif self._clock.mono() < self._not_before:
            state = "pausing"
        wires = self._wires()
        return LinkStatistics(
            address=self.address,
            state=state,
            pending=sum(w.pending for w in wires),
            queued_bytes=sum(w.queued_bytes for w in wires),
            dials=self._dials,
            failures=self._failures,
            late=self.late,
            pushes=self.pushes,
        )

    def opened(self, wire: Wire) -> None:
        """A connection can be used."""
        if self._wire is wire:
            self.ready = wire

    def heard(self) -> None:
        """The server lives: its next failed dial is the first."""
        self._failures = 0

    def answered_late(self) -> None:
        """Count an answer that nobody waited for any more."""
        self.late += 1

    def dial_failed(self, error: RocketMQError) -> None:
        """Note a failed dial: until the pause is over calls fail without another."""
        pause = min(self.limits.max_backoff, self.limits.first_backoff * 2.0 ** min(self._failures, 16))
        self._failures += 1
        self._not_before = self._clock.mono() + pause
        self._last_failure = error

    def ended(self, wire: Wire) -> None:
        """Forget a connection that has closed, or could not be opened."""
        self._retired.discard(wire)
        if self._wire is wire:
            self._wire = self.ready = None
        if wire.was_connected:
            self._on_disconnect(self.address)

    def _wires(self) -> tuple[Wire, ...]:
        return (*self._retired, self._wire) if self._wire is not None else tuple(self._retired)

    async def _connected(self) -> Wire:
        wire = self._wire or self._assign_wire()
        await wire.wait_connected()
        return wire

    def _assign_wire(self) -> Wire:
        if self._clock.mono() < self._not_before:
            last = self._last_failure or ConnectError(f"cannot connect to {self.address}")
            raise type(last)(last.message, hint=last.hint)
        wire = Wire(self, Connection(self.limits.max_frame), self.limits)
        try:
            self._nursery.start_soon(wire.run, self._network)
        except RuntimeError as error:
            # Our tasks have been ended by an error, and so is the user's block, which may still have calls to make.
            raise ConnectionLost(
                f"no connection with {self.address} can be opened any more: the client is being closed"
            ) from error
        self._dials += 1
        self._wire = wire
        return wire
