"""The engine's owner in production: a thread of Rust that serves TCP."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite._native import Control, Reactor
from rocketmq_lite._native import StoreError as NativeStoreError
from rocketmq_lite.broker.exchange import BATCH
from rocketmq_lite.broker.owner import EngineOwner
from rocketmq_lite.broker.start import log_recovery, native_tls
from rocketmq_lite.errors import StoreError
from rocketmq_lite.storage import store_error
from rocketmq_lite.transport.address import format_address
from rocketmq_lite.transport.failures import listening

if TYPE_CHECKING:
    from rocketmq_lite.broker.exchange import Deliver
    from rocketmq_lite.broker.start import EngineSettings

_log: Final = logging.getLogger(__name__)

_WAKE_BYTES: Final = 4096
CLOSE_TIMEOUT_MS: Final = 10_000  # waiting sends get 5 s of it, the last flush and the threads the rest


class ReactorOwner(EngineOwner):
    """The engine in a thread of Rust, serving TCP. Made by ``open``; ``close`` has to follow."""

    def __init__(self, reactor: Reactor, wake: trio.socket.SocketType, port: socket.socket) -> None:
        super().__init__()
        self._reactor = reactor
        self._wake = wake
        self._port = port

    @classmethod
    async def open(cls, settings: EngineSettings, port: socket.socket) -> ReactorOwner:
        """Open the store and start the threads.

        Args:
            settings: What the engine is told.
            port: A bound socket that does not listen: the address to listen on. It is the caller's to close.

        Raises:
            StoreError: The store cannot be opened; its subclasses say why.
            ConfigError: TLS cannot be served with these files.
        """
        ours, theirs = socket.socketpair()
        try:
            reactor = await trio.to_thread.run_sync(lambda: _start_reactor(settings, theirs))
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        log_recovery(reactor.recovery)
        return cls(reactor, trio.socket.from_stdlib_socket(ours), port)

    def submit(self, control: Control, token: int = 0) -> None:
        """See ``EngineOwner.submit``. Once the engine has stopped, only a question is an error.

        Raises:
            StoreError: The engine will never give the result that is asked for.
        """
        try:
            self._reactor.submit(token, control)
        except RuntimeError as error:
            if token:
                raise StoreError("the message engine has stopped") from error

    async def listen(self) -> None:
        """See ``EngineOwner.listen``."""
        await trio.lowlevel.checkpoint()
        host, port = self._port.getsockname()[:2]
        with listening(format_address(host, port)):
            self._reactor.listen(host, port)

    async def run(self, deliver: Deliver) -> None:
        """See ``EngineOwner.run``."""
        while await self._wake.recv(_WAKE_BYTES):
            await self._drain(deliver)
        await self._drain(deliver)  # the thread has ended; if that was a failure, it says so here
        await trio.sleep_forever()

    async def _drain(self, deliver: Deliver) -> None:
        """Take all that is there; fewer than a batch means that a new byte comes with the next event."""
        while True:
            batch = self._reactor.take(BATCH)
            self._take_in(batch, deliver)
            if len(batch) < BATCH:
                return
            await trio.lowlevel.checkpoint()

    async def close(self) -> None:
        """End the threads and close every socket; at once if ``stop`` was not called before."""
        with trio.CancelScope(shield=True):
            try:
                await trio.to_thread.run_sync(self._reactor.close, CLOSE_TIMEOUT_MS)
            except (NativeStoreError, RuntimeError, TimeoutError) as error:
                _log.error("%s", error)
            # Its descriptors go with it, and not only when the garbage collector comes by.
            del self._reactor
            self._wake.close()


def _start_reactor(settings: EngineSettings, wake: socket.socket) -> Reactor:
    try:
        return Reactor(
            settings.opening(),
            wake_fd=wake.fileno(),
            max_connections=settings.max_connections,
            tls=native_tls(settings.tls),
        )
    except NativeStoreError as error:
        raise store_error(error) from error
