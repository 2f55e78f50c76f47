"""One outgoing connection from dial to close: the task that owns it and the calls that wait on it.

``run`` is the task; everything else is called by others and never waits on the network itself. ``fail`` is
the one way to the end: it wakes every caller with the reason and cancels the task, which closes the stream.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

import trio

from rocketmq_lite.errors import ConnectError, ConnectionLost, RemoteProtocolError, RocketMQError
from rocketmq_lite.protocol.codes import ResponseCode
from rocketmq_lite.transport.dispatch import Handler, respond
from rocketmq_lite.transport.stream import CommandStream

if TYPE_CHECKING:
    from rocketmq_lite.config import RpcLimits
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.protocol.connection import Connection
    from rocketmq_lite.transport.network import Network

__all__ = ["Wire", "WireOwner"]


class WireOwner(Protocol):
    """What a wire tells the link it belongs to."""

    address: str
    on_push: Handler[str]
    late: int
    pushes: int

    def dial_failed(self, error: RocketMQError) -> None:
        """The connection could not be opened."""

    def ended(self, wire: Wire) -> None:
        """The connection takes no more calls."""


class _Answer:
    """Where one call waits for its answer; ``command`` stays empty when the connection ended first."""

    __slots__ = ("arrived", "command")

    def __init__(self) -> None:
        self.arrived = trio.Event()
        self.command: Command | None = None


class _Queued(NamedTuple):
    frame: bytes
    written: trio.Event | None


def _tell_written(batch: list[_Queued]) -> None:
    """Wake who waits for these frames to be written; whether they were is the connection's state."""
    for queued in batch:
        if queued.written is not None:
            queued.written.set()


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
        self._answers: dict[int, _Answer] = {}
        self._outbox: list[_Queued] = []
        self._work = trio.Event()
        self._room = trio.lowlevel.ParkingLot()
        self.queued_bytes = 0

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
        return len(self._answers)

    def silent_since(self, moment: float) -> bool:
        """Whether the connection was open at that time already and nothing has come since."""
        return self._stream is not None and self._stream.last_read <= moment

    # --- callers ------------------------------------------------------------------------------------

    async def wait_connected(self) -> None:
        """Wait for the dial to end; raises what it failed with."""
        await self._opened.wait()
        self._check()

    async def call(self, request: Command) -> Command:
        """Send a request and wait for the answer; cancelling drops the entry and harms nobody else."""
        opaque = self._connection.next_opaque()
        answer = self._answers[opaque] = _Answer()
        try:
            await self._enqueue(replace(request, opaque=opaque), None)
            await answer.arrived.wait()
        finally:
            del self._answers[opaque]
            self._close_if_retired()
        if answer.command is None:
            raise self._failure()
        return answer.command

    async def send_oneway(self, request: Command) -> None:
        """Send a request and wait until it is written."""
        written = trio.Event()
        await self._enqueue(replace(request, opaque=self._connection.next_opaque()), written)
        await written.wait()
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
        self._room.unpark_all()
        for answer in self._answers.values():
            answer.arrived.set()
        _tell_written(self._outbox)
        self._scope.cancel()
        self._owner.ended(self)

    async def _enqueue(self, command: Command, written: trio.Event | None) -> None:
        """Hand a frame to the writer, after waiting for room where too much is unsent."""
        while self.queued_bytes > self._limits.max_queued_bytes and self._error is None:
            await self._room.park()
        self._check()
        frame = self._connection.send(command)
        self._outbox.append(_Queued(frame, written))
        self.queued_bytes += len(frame)
        self._work.set()

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
        if self._retiring and not self._answers:
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
        idle = trio.CancelScope(deadline=trio.current_time() + self._limits.idle_timeout)

        def active() -> None:
            idle.deadline = trio.current_time() + self._limits.idle_timeout

        commands = CommandStream(stream, self._connection, peer=self._owner.address, on_activity=active)
        self._stream = commands
        self._opened.set()
        try:
            with idle:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write, commands)
                    await self._read(commands, nursery)
        finally:
            self.fail(ConnectionLost(f"the connection with {self._owner.address} was idle and closed"))
            await commands.aclose()

    async def _read(self, commands: CommandStream, pushes: trio.Nursery) -> None:
        try:
            while (command := await commands.receive()) is not None:
                if not command.is_response:
                    pushes.start_soon(self._answer_push, commands, command)
                elif (answer := self._answers.get(command.opaque)) is not None:
                    answer.command = command
                    answer.arrived.set()
                else:
                    self._owner.late += 1
            self.fail(ConnectionLost(f"{self._owner.address} closed the connection"))
        except (ConnectionLost, RemoteProtocolError) as error:
            self.fail(error)

    async def _write(self, commands: CommandStream) -> None:
        try:
            while True:
                await self._work.wait()
                self._work = trio.Event()
                batch, self._outbox = self._outbox, []
                data = b"".join(queued.frame for queued in batch)
                try:
                    await commands.send_bytes(data)
                finally:
                    _tell_written(batch)
                self.queued_bytes -= len(data)
                self._room.unpark_all()
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
                await commands.send(answer)
        except ConnectionLost as error:
            self.fail(error)
        finally:
            self._pushes -= 1


async def _busy(_address: str, request: Command) -> Command:
    return request.answer(
        ResponseCode.SYSTEM_BUSY, remark="[OVERLOAD]system busy, start flow control for a while"
    )
