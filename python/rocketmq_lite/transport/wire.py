"""One outgoing connection from dial to close: the task that owns it and the calls that wait on it.

``run`` is the task; everything else is called by others and never waits on the network itself. ``fail`` is
the one way to the end: it wakes every caller with the reason and cancels the task, which closes the stream.

A call that is made for every message must cost little: it has no cancel scope of its own, which would cost more than all the
rest. One task a connection looks at the deadlines of all calls, when the earliest of them is reached.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Protocol

import trio

from rocketmq_lite.errors import ConnectError, ConnectionLost, RemoteProtocolError, RocketMQError
from rocketmq_lite.protocol.codes import ResponseCode
from rocketmq_lite.protocol.command import FLAG_ONEWAY, FLAG_RESPONSE
from rocketmq_lite.protocol.framing import to_command
from rocketmq_lite.transport.dispatch import Handler, respond
from rocketmq_lite.transport.stream import CommandStream

if TYPE_CHECKING:
    from rocketmq_lite.config import RpcLimits
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.protocol.connection import Connection
    from rocketmq_lite.protocol.framing import RawCommand
    from rocketmq_lite.protocol.request import Request
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


class _Call:
    """Where one call waits for its answer; ``answer`` stays empty when it came too late, or the connection ended first."""

    __slots__ = ("_task", "answer", "deadline", "is_late")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.answer: RawCommand | None = None
        self.is_late = False
        self._task: trio.lowlevel.Task | None = None

    async def wait(self) -> None:
        """Wait to be woken; once."""
        self._task = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._abort)

    def wake(self) -> None:
        """End the wait, unless something else has ended it."""
        task, self._task = self._task, None
        if task is not None:
            trio.lowlevel.reschedule(task)

    def _abort(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED


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
        self._calls: dict[int, _Call] = {}
        self._expiry = trio.CancelScope()
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
        return len(self._calls)

    def silent_since(self, moment: float) -> bool:
        """Whether the connection was open at that time already and nothing has come since."""
        return self._stream is not None and self._stream.last_read <= moment

    # --- callers ------------------------------------------------------------------------------------

    async def wait_connected(self) -> None:
        """Wait for the dial to end; raises what it failed with."""
        await self._opened.wait()
        self._check()

    async def call(self, request: Request[object], deadline: float) -> RawCommand:
        """Send a request and wait for the answer; cancelling drops the entry and harms nobody else.

        Raises:
            TooSlowError: The answer did not come in time.
        """
        if self.queued_bytes > self._limits.max_queued_bytes:
            with trio.fail_at(deadline):
                await self._wait_for_room()
        self._check()
        opaque, frame = self._connection.request(request)
        self._enqueue(frame, None)
        call = self._calls[opaque] = _Call(deadline)
        if deadline < self._expiry.deadline:  # noqa: PLR1730 - assigning costs far more than comparing
            self._expiry.deadline = deadline
        try:
            await call.wait()
        finally:
            del self._calls[opaque]
            self._close_if_retired()
        if call.answer is not None:
            return call.answer
        if call.is_late:
            raise trio.TooSlowError
        raise self._failure()

    async def send_oneway(self, request: Request[object]) -> None:
        """Send a request and wait until it is written."""
        await self._wait_for_room()
        self._check()
        written = trio.Event()
        _, frame = self._connection.request(request, FLAG_ONEWAY)
        self._enqueue(frame, written)
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
        for call in self._calls.values():
            call.wake()
        _tell_written(self._outbox)
        self._scope.cancel()
        self._owner.ended(self)

    async def _wait_for_room(self) -> None:
        while self.queued_bytes > self._limits.max_queued_bytes and self._error is None:
            await self._room.park()

    def _enqueue(self, frame: bytes, written: trio.Event | None) -> None:
        """Hand a frame to the writer."""
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
                    nursery.start_soon(self._expire)
                    await self._read(commands, nursery)
        finally:
            self.fail(ConnectionLost(f"the connection with {self._owner.address} was idle and closed"))
            await commands.aclose()

    async def _read(self, commands: CommandStream, pushes: trio.Nursery) -> None:
        try:
            while (came := await commands.receive_all()) is not None:
                for raw in came:
                    if not raw.flag & FLAG_RESPONSE:
                        pushes.start_soon(self._answer_push, commands, to_command(raw))
                    elif (call := self._calls.get(raw.opaque)) is not None and call.answer is None:
                        call.answer = raw
                        call.wake()
                    else:
                        self._owner.late += 1
            self.fail(ConnectionLost(f"{self._owner.address} closed the connection"))
        except (ConnectionLost, RemoteProtocolError) as error:
            self.fail(error)

    async def _expire(self) -> None:
        """Give up the calls whose time is over."""
        while True:
            next_deadline = min((call.deadline for call in self._calls.values()), default=math.inf)
            with trio.CancelScope(deadline=next_deadline) as self._expiry:
                await trio.sleep_forever()
            now = trio.current_time()
            for call in self._calls.values():
                if call.deadline <= now and call.answer is None:
                    call.is_late = True
                    call.wake()

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
