"""One outgoing connection from dial to close: the task that owns it and the calls that wait on it.

``run`` is the task; everything else is called by others and never waits on the network itself. ``fail`` is
the one way to the end: it wakes every caller with the reason and cancels the task, which closes the stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import trio

from rocketmq_lite.errors import ConnectError, ConnectionLost, RemoteProtocolError, RocketMQError
from rocketmq_lite.protocol.codes import ResponseCode
from rocketmq_lite.protocol.command import FLAG_ONEWAY
from rocketmq_lite.protocol.framing import to_command
from rocketmq_lite.transport.calls import Calls
from rocketmq_lite.transport.dispatch import Handler, respond
from rocketmq_lite.transport.nursery import ProtectedNursery
from rocketmq_lite.transport.outbox import Outbox
from rocketmq_lite.transport.stream import CommandStream

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from rocketmq_lite.config import RpcLimits
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.protocol.connection import Connection
    from rocketmq_lite.protocol.framing import RawCommand
    from rocketmq_lite.protocol.request import Request
    from rocketmq_lite.transport.calls import OnArrival
    from rocketmq_lite.transport.network import Network

__all__ = ["Wire", "WireOwner"]

_FEW: Final = 3
"""Calls under way, without those that are held, below which the next is written by its caller, unless its frame is a
``LongFrame``. So few writes cost no more than waking the task that writes for all, and are under way a round of the
scheduler earlier; of many, one is cheaper."""


class WireOwner(Protocol):
    """What a wire tells the link it belongs to."""

    address: str
    on_push: Handler[str]
    pushes: int

    def opened(self, wire: Wire) -> None:
        """The connection takes calls."""

    def heard(self) -> None:
        """The server has sent something."""

    def answered_late(self) -> None:
        """An answer came that nobody waited for any more."""

    def dial_failed(self, error: RocketMQError) -> None:
        """The connection could not be opened."""

    def ended(self, wire: Wire) -> None:
        """The connection takes no more calls."""


class Wire:
    """A connection to the owner's address.

    Args:
        owner: The link.
        connection: A fresh protocol state.
        limits: Sizes and intervals.
    """

    def __init__(self, owner: WireOwner, connection: Connection, limits: RpcLimits) -> None:
        self._owner = owner
        self._connection = connection
        self._limits = limits
        self._stream: CommandStream | None = None
        self._scope = trio.CancelScope()
        self._opened = trio.Event()
        self._error: RocketMQError | None = None
        self._retiring = False
        self._pushes = 0
        self._calls = Calls(owner.answered_late, self._close_if_retired)
        self._outbox = Outbox(limits.max_queued_bytes)

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open now."""
        return self._stream is not None and self._error is None

    @property
    def was_connected(self) -> bool:
        """Whether the connection was ever open."""
        return self._stream is not None

    @property
    def pending(self) -> int:
        """Calls that wait for an answer."""
        return len(self._calls)

    @property
    def queued_bytes(self) -> int:
        """Frames not yet handed to the operating system."""
        return self._outbox.queued_bytes

    def silent_since(self, moment: float) -> bool:
        """Whether the connection was open at that time already and nothing has come since."""
        return self._stream is not None and self._stream.last_read <= moment

    # --- callers ------------------------------------------------------------------------------------

    async def wait_connected(self) -> None:
        """Wait for the dial to end; raises what it failed with."""
        await self._opened.wait()
        self._check()

    def call(
        self, request: Request[object], deadline: float, on_arrival: OnArrival = None
    ) -> Awaitable[RawCommand]:
        """Send a request and wait for the answer; cancelling drops the entry and harms nobody else.

        To be awaited at once: it is no coroutine of its own because one is made for every message.

        Raises:
            TooSlowError: The answer did not come in time.
        """
        if self._error is not None:
            raise self._failure()
        if self._outbox.is_full:
            return self._call_with_room(request, deadline, on_arrival)
        opaque, frame = self._connection.request(request)
        if (
            self._calls.prompt < _FEW
            and self._outbox.is_idle
            and self._stream is not None
            and isinstance(frame, bytes)
        ):
            frame = self._stream.send_nowait(frame)  # of many the others follow in one write
        if frame:
            self._outbox.put(frame)
        return self._calls.wait(opaque, deadline, on_arrival)

    async def _call_with_room(
        self, request: Request[object], deadline: float, on_arrival: OnArrival
    ) -> RawCommand:
        with trio.fail_at(deadline):
            await self._outbox.wait_for_room()
        return await self.call(request, deadline, on_arrival)

    async def send_oneway(self, request: Request[object]) -> None:
        """Send a request and wait until it is written."""
        await self._outbox.wait_for_room()
        self._check()
        _, frame = self._connection.request(request, FLAG_ONEWAY)
        self._outbox.put(frame)
        await self._outbox.wait_written()
        self._check()

    def retire(self) -> None:
        """Close as soon as the last pending call has its answer."""
        self._retiring = True
        self._close_if_retired()

    def fail(self, error: RocketMQError) -> None:
        """End the connection; the first reason given is the one that callers see."""
        if self._error is not None:
            return
        self._error = error
        self._opened.set()
        self._calls.fail(self._failure)
        self._outbox.close()
        self._scope.cancel()
        self._owner.ended(self)

    def _check(self) -> None:
        if self._error is not None:
            raise self._failure()

    def _failure(self) -> RocketMQError:
        """A fresh copy for each caller: one exception raised in several tasks mixes up their tracebacks."""
        error = self._error or ConnectionLost(f"the connection with {self._owner.address} was lost")
        copy = type(error)(error.message, hint=error.hint)
        copy.__cause__ = error
        return copy

    def _close_if_retired(self) -> None:
        if self._retiring and not self._calls:
            self.fail(ConnectionLost(f"{self._owner.address} is going away"))

    # --- the task -------------------------------------------------------------------------------------

    async def run(self, network: Network) -> None:
        """Dial, then read and write until the end."""
        try:
            with self._scope:
                try:
                    stream = await self._dial(network)
                except RocketMQError as error:
                    self._owner.dial_failed(error)
                    self.fail(error)
                else:
                    await self._pump(stream)
        finally:
            self.fail(ConnectionLost(f"the connection with {self._owner.address} was lost"))

    async def _dial(self, network: Network) -> trio.abc.Stream:
        seconds = self._limits.connect_timeout
        try:
            with trio.fail_after(seconds):
                return await network.dial(self._owner.address)
        except trio.TooSlowError as error:
            raise ConnectError(
                f"cannot connect to {self._owner.address}: no answer within {seconds:g} s"
            ) from error

    async def _pump(self, stream: trio.abc.Stream) -> None:
        commands = CommandStream(stream, self._connection, peer=self._owner.address)
        self._stream = commands
        self._opened.set()
        self._owner.opened(self)
        try:
            async with ProtectedNursery() as nursery:
                nursery.start_soon(self._write, commands)
                nursery.start_soon(self._calls.expire)
                nursery.start_soon(self._close_when_idle, commands)
                await self._read(commands, nursery)
        finally:
            await commands.aclose()

    async def _close_when_idle(self, commands: CommandStream) -> None:
        # A deadline that every read and every write moved would cost more than they do.
        while True:
            await trio.sleep_until(commands.last_active + self._limits.idle_timeout)
            if commands.last_active + self._limits.idle_timeout <= trio.current_time():
                break
        self.fail(ConnectionLost(f"the connection with {self._owner.address} was idle and closed"))

    async def _read(self, commands: CommandStream, pushes: ProtectedNursery) -> None:
        try:
            while (came := await commands.receive_all()) is not None:
                self._owner.heard()
                for raw in self._calls.deliver(came):
                    pushes.start_soon(self._answer_push, commands, to_command(raw))
                self._close_if_retired()
            self.fail(ConnectionLost(f"{self._owner.address} closed the connection"))
        except (ConnectionLost, RemoteProtocolError) as error:
            self.fail(error)

    async def _write(self, commands: CommandStream) -> None:
        try:
            await self._outbox.drain(commands.send_nowait, commands.send_bytes, commands.send_parts)
        except ConnectionLost as error:
            self.fail(error)
        finally:
            # A cancelled write has cut a frame; whoever waits for it must see a reason.
            self.fail(ConnectionLost(f"the connection with {self._owner.address} was closed on this side"))

    async def _answer_push(self, commands: CommandStream, request: Command) -> None:
        # Not the reader's to wait for: a handler may itself wait for an answer on this connection.
        self._owner.pushes += 1
        handle = self._owner.on_push if self._pushes < self._limits.max_pushes else _busy
        self._pushes += 1
        try:
            answer = await respond(handle, self._owner.address, request)
            if answer is not None:
                self._outbox.put(commands.encode(answer))
                await self._outbox.wait_written()
        except ConnectionLost as error:
            self.fail(error)
        finally:
            self._pushes -= 1


async def _busy(_address: str, request: Command) -> Command:
    return request.answer(
        ResponseCode.SYSTEM_BUSY, remark="[OVERLOAD]system busy, start flow control for a while"
    )
