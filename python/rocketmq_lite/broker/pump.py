"""The engine's other owner: called inline, over any network, under any clock.

It is how a whole cluster runs in one test under Trio's ``MockClock``: an hour of held pulls takes milliseconds, because
everything that waits, waits in Trio. Nothing here uses a thread.

Rules:
- Every call into the engine is followed by ``_settle``, which carries out all that the engine asked for. It never waits:
  bytes go into a buffer that the connection's own task writes.
- The engine's deadline is kept by one task; whoever moves the deadline wakes it.

Surprise: a cold event that is delivered may call back into ``submit``. The running ``_settle`` then goes round once more
instead of a second one starting inside the first.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite._native import Control, Engine
from rocketmq_lite._native import StoreError as NativeStoreError
from rocketmq_lite.broker.exchange import BATCH
from rocketmq_lite.broker.owner import EngineOwner
from rocketmq_lite.broker.start import log_recovery
from rocketmq_lite.storage import store_error
from rocketmq_lite.transport.address import parse_address
from rocketmq_lite.transport.nursery import ProtectedNursery

if TYPE_CHECKING:
    from rocketmq_lite.broker.exchange import Deliver
    from rocketmq_lite.broker.start import EngineSettings
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.transport.network import Listener

_READ_SIZE: Final = 65_536
LINGER_SECONDS: Final = 2.0  # what a peer gets to take the last answers of a connection that is being closed


class PumpOwner(EngineOwner):
    """The engine and the streams of one listener. Made by ``open``; ``close`` has to follow."""

    def __init__(self, engine: Engine, listener: Listener, clock: Clock) -> None:
        super().__init__()
        self._engine = engine
        self._listener = listener
        self._clock = clock
        self._streams: dict[int, _Stream] = {}
        self._accepting = trio.Event()
        self._deliver: Deliver | None = None
        self._settling = False
        self._again = False
        self._deadline_moved = trio.Event()

    @classmethod
    def open(cls, settings: EngineSettings, listener: Listener, clock: Clock) -> PumpOwner:
        """Open the store, in memory or in a directory.

        Raises:
            StoreError: The store cannot be opened; its subclasses say why.
        """
        try:
            engine = Engine(settings.opening(), wall_ms=clock.wall_ms(), mono_ms=_milliseconds(clock))
        except NativeStoreError as error:
            raise store_error(error) from error
        log_recovery(engine.recovery)
        return cls(engine, listener, clock)

    def submit(self, control: Control, token: int = 0) -> None:
        """See ``EngineOwner.submit``."""
        self._engine.submit(token, control, **self._now())
        self._settle()

    async def listen(self) -> None:
        """See ``EngineOwner.listen``; the port is open already, but nobody is let in before this."""
        await trio.lowlevel.checkpoint()
        self._accepting.set()

    async def run(self, deliver: Deliver) -> None:
        """See ``EngineOwner.run``."""
        self._deliver = deliver
        async with ProtectedNursery() as nursery:
            nursery.start_soon(self._keep_deadline)
            nursery.start_soon(self._accept, nursery)
            self._settle()

    async def close(self) -> None:
        """Close the port and every stream."""
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(self._listener)
            for stream in list(self._streams.values()):
                await trio.aclose_forcefully(stream.stream)
        del self._engine

    # --- streams

    async def _accept(self, nursery: ProtectedNursery) -> None:
        await self._accepting.wait()
        while True:
            nursery.start_soon(self._serve, await self._listener.accept())

    async def _serve(self, stream: trio.abc.Stream) -> None:
        host, port = parse_address(self._listener.peer_address(stream))
        conn = self._engine.open(host, port, **self._now())
        served = self._streams[conn] = _Stream(stream)
        try:
            async with ProtectedNursery() as nursery:
                nursery.start_soon(self._write, conn, served)
                await self._read(conn, served)
                nursery.cancel_scope.cancel()
        finally:
            del self._streams[conn]
            await trio.aclose_forcefully(stream)
            self._engine.closed(conn, **self._now())
            self._settle()

    async def _read(self, conn: int, served: _Stream) -> None:
        """Feed the engine until the peer closes, the stream breaks, or the engine has had enough."""
        with served.reading:
            while True:
                await served.may_read.wait()
                try:
                    data = await served.stream.receive_some(_READ_SIZE)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    return
                if not data:
                    return
                self._engine.receive(conn, data, **self._now())
                self._settle()
        with trio.move_on_after(LINGER_SECONDS):
            await served.drained.wait()  # the engine closes: what it said last still has to leave

    async def _write(self, conn: int, served: _Stream) -> None:
        while True:
            await served.to_send.wait()
            data = served.take()
            try:
                await served.stream.send_all(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                served.broken()
                return
            served.left(len(data))
            self._engine.sent(conn, len(data), **self._now())
            self._settle()

    # --- the engine

    def _settle(self) -> None:
        """Do all that the engine asks for, until it asks for nothing more."""
        self._again = True
        if self._settling or self._deliver is None:
            return
        self._settling = True
        try:
            while self._again:
                self._again = False
                for action, conn, data in self._engine.poll(**self._now()):
                    self._carry_out(action, conn, data)
                while batch := self._engine.take(BATCH):
                    self._take_in(batch, self._deliver)
        finally:
            self._settling = False
        self._deadline_moved.set()

    def _carry_out(self, action: str, conn: int, data: bytes) -> None:
        served = self._streams.get(conn)
        if served is None:
            return
        match action:
            case "send":
                served.send(data)
            case "pause":
                served.may_read = trio.Event()
            case "resume":
                served.may_read.set()
            case "close":
                served.close()

    async def _keep_deadline(self) -> None:
        while True:
            self._deadline_moved = trio.Event()
            due = self._engine.next_deadline()
            # Half a millisecond late: a clock that jumps to the very deadline may round to just before it, for ever.
            with trio.move_on_at(math.inf if due is None else due / 1000 + 0.0005):
                await self._deadline_moved.wait()
                continue
            self._engine.tick(**self._now())
            self._settle()

    def _now(self) -> dict[str, int]:
        return {"wall_ms": self._clock.wall_ms(), "mono_ms": _milliseconds(self._clock)}


class _Stream:
    """One connection: what is still to be written, and whether it may be read."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.to_send = trio.Event()
        self.may_read = trio.Event()
        self.may_read.set()
        self.reading = trio.CancelScope()
        self.drained = trio.Event()
        self._outgoing: list[bytes] = []
        self._unsent = 0
        self._closing = False

    def send(self, data: bytes) -> None:
        """Add bytes to what is to be written."""
        self._outgoing.append(data)
        self._unsent += len(data)
        self.to_send.set()

    def take(self) -> bytes:
        """All that is to be written now."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        self.to_send = trio.Event()
        return data

    def left(self, count: int) -> None:
        """So much was written."""
        self._unsent -= count
        if self._closing and not self._unsent:
            self.drained.set()

    def close(self) -> None:
        """Read no more, and end once everything is written."""
        self._closing = True
        self.left(0)
        self.reading.cancel()

    def broken(self) -> None:
        """Nothing can be written any more."""
        self.drained.set()
        self.reading.cancel()


def _milliseconds(clock: Clock) -> int:
    return int(clock.mono() * 1000)
