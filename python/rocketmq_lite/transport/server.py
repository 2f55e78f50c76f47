"""A listening server: commands in, a handler's answers out.

Every connection has one nursery, in ``_serve_connection``: its reader and the requests in work. What ends a
connection: the peer closes; no read and no write for the idle time-out; bytes that are no frame (logged,
at most once a minute; nobody else notices); the server stops. Requests in work then are cancelled, except that ``stop``
lets them finish within the grace period.

With ``max_requests=1`` a request is handled in the reading task itself, so answers keep the order of the
requests; otherwise they go out as they are ready, as the protocol allows.
"""

from __future__ import annotations

import errno
import logging
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.config import ServerLimits
from rocketmq_lite.errors import ConnectionLost, LocalProtocolError, RemoteProtocolError
from rocketmq_lite.protocol.codes import ResponseCode, request_name
from rocketmq_lite.protocol.connection import Connection
from rocketmq_lite.records import dataclass
from rocketmq_lite.transport.dispatch import Handler, respond
from rocketmq_lite.transport.flood import Flood
from rocketmq_lite.transport.nursery import ProtectedNursery
from rocketmq_lite.transport.stream import CommandStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.network import Listener

__all__ = ["CommandServer", "Peer", "ServerStatistics", "serve"]

_log = logging.getLogger(__name__)

_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ACCEPT_REST: Final = 0.1
"""Seconds before ``accept`` is tried again that failed for want of something (as the broker's engine waits)."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One accepted connection.

    Attributes:
        id: Never used twice within a server.
        address: The other end's ``host:port``.
    """

    id: int
    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True)
class ServerStatistics:
    """What a server has done so far and is doing now."""

    connections: int
    accepted: int
    refused: int
    requests: int
    answers: int
    in_work: int
    malformed: int
    idle_closed: int


class CommandServer:
    """Serves one or more listeners with one handler.

    Args:
        handle: Answers requests.
        limits: What peers may do.
        on_close: Told, once, that a connection has gone, after its last request has ended.
    """

    def __init__(
        self,
        handle: Handler[Peer],
        *,
        limits: ServerLimits | None = None,
        on_close: Callable[[Peer], None] = lambda _peer: None,
    ) -> None:
        self._handle = handle
        self._limits = limits or ServerLimits()
        self._on_close = on_close
        self._accepting = trio.CancelScope()
        self._readers: set[trio.CancelScope] = set()
        self._stopping = False
        self._connections = 0
        self._accepted = 0
        self._refused = 0
        self._requests = 0
        self._answers = 0
        self._in_work = 0
        self._malformed = 0
        self._idle_closed = 0
        self._failures = Flood()
        self._refusals = Flood()
        self._garbage = Flood()
        self._stuck = Flood()

    def statistics(self) -> ServerStatistics:
        """A snapshot of the counters."""
        return ServerStatistics(
            connections=self._connections,
            accepted=self._accepted,
            refused=self._refused,
            requests=self._requests,
            answers=self._answers,
            in_work=self._in_work,
            malformed=self._malformed,
            idle_closed=self._idle_closed,
        )

    def stop(self) -> None:
        """Accept and read nothing more.

        ``serve`` returns when the running requests are answered, or after the grace period.
        """
        self._stopping = True
        self._accepting.cancel()
        for reader in self._readers:
            reader.cancel()

    async def serve(
        self, listener: Listener, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Accept connections until ``stop`` or cancellation; the status is the bound address."""

        async def accepted(stream: trio.abc.Stream) -> None:
            await self._serve_connection(stream, listener.peer_address(stream))

        async with listener, ProtectedNursery() as connections:
            task_status.started(listener.address)
            with self._accepting:
                while True:
                    connections.start_soon(accepted, await self._accept(listener))
            connections.cancel_scope.deadline = trio.current_time() + self._limits.grace

    async def _accept(self, listener: Listener) -> trio.abc.Stream:
        """The next connection. While there are no descriptors for one, others wait in the system's queue."""
        while True:
            try:
                return await listener.accept()
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                if (untold := self._failures.admit(trio.current_time())) is not None:
                    _log.warning(
                        "no connection can be accepted: %s%s; raise the limit on open files (ulimit -n)",
                        error.strerror,
                        untold,
                    )
                await trio.sleep(_ACCEPT_REST)

    async def _serve_connection(self, stream: trio.abc.Stream, address: str) -> None:
        self._accepted += 1
        if self._connections >= self._limits.max_connections:
            self._refused += 1
            if (untold := self._refusals.admit(trio.current_time())) is not None:
                _log.warning("refused a connection of %s: %d are open%s", address, self._connections, untold)
            await trio.aclose_forcefully(stream)
            return
        peer = Peer(self._accepted, address)
        self._connections += 1
        idle = trio.CancelScope(deadline=trio.current_time() + self._limits.idle_timeout)

        def active(now: float) -> None:
            idle.deadline = now + self._limits.idle_timeout

        commands = CommandStream(stream, Connection(self._limits.max_frame), peer=address, on_activity=active)
        try:
            with idle:
                async with ProtectedNursery() as requests:
                    await self._read_requests(peer, commands, requests)
                    # What is in work may finish: a one-way request followed by a close is executed too.
                    requests.cancel_scope.deadline = trio.current_time() + self._limits.grace
            if idle.cancelled_caught:
                self._closed_idle(peer, commands.unfinished)
        finally:
            self._connections -= 1
            self._on_close(peer)
            await commands.aclose()

    def _closed_idle(self, peer: Peer, unfinished: str | None) -> None:
        """Count a connection on which nothing moved, and log one that stopped in the middle."""
        self._idle_closed += 1
        if unfinished is None or (untold := self._stuck.admit(trio.current_time())) is None:
            return
        _log.warning(
            "closed the connection of %s: nothing moved for %g s, %s%s",
            peer,
            self._limits.idle_timeout,
            unfinished,
            untold,
        )

    async def _read_requests(self, peer: Peer, commands: CommandStream, requests: ProtectedNursery) -> None:
        """Hand out requests until the connection ends or the server stops."""
        slots = trio.Semaphore(self._limits.max_requests)
        try:
            while (command := await self._next_command(commands, slots)) is not None:
                if command.is_response:
                    slots.release()  # an answer to nothing: servers do not ask
                elif self._limits.max_requests == 1:
                    await self._answer(peer, commands, command, slots)
                else:
                    requests.start_soon(self._answer, peer, commands, command, slots)
        except RemoteProtocolError as error:
            self._malformed += 1
            if (untold := self._garbage.admit(trio.current_time())) is not None:
                _log.warning("closed the connection of %s: %s%s", peer, error, untold)
        except ConnectionLost:
            pass

    async def _next_command(self, commands: CommandStream, slots: trio.Semaphore) -> Command | None:
        """Wait for a free slot and a command; ``None`` when there will be no more."""
        if self._stopping:
            return None
        command = None
        with trio.CancelScope() as reading:
            self._readers.add(reading)
            try:
                await slots.acquire()
                command = await commands.receive()
            finally:
                self._readers.discard(reading)
        return command

    async def _answer(
        self, peer: Peer, commands: CommandStream, request: Command, slots: trio.Semaphore
    ) -> None:
        self._requests += 1
        self._in_work += 1
        try:
            answer = await respond(self._handle, peer, request)
            if answer is not None:
                await commands.send_bytes(_encode_answer(commands, request, answer))
                self._answers += 1
        except ConnectionLost:
            pass  # the reader sees it too and ends the connection
        finally:
            self._in_work -= 1
            slots.release()


def _encode_answer(commands: CommandStream, request: Command, answer: Command) -> bytes:
    try:
        return commands.encode(answer)
    except LocalProtocolError as error:
        _log.warning("the answer to %s cannot be sent: %s", request_name(request.code), error)
        return commands.encode(request.answer(ResponseCode.SYSTEM_ERROR, remark=error.message))


async def serve(
    listener: Listener,
    handle: Handler[Peer],
    *,
    limits: ServerLimits | None = None,
    on_close: Callable[[Peer], None] = lambda _peer: None,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; the status is the bound address.

    ``CommandServer`` is the same with ``stop`` and ``statistics``.
    """
    await CommandServer(handle, limits=limits, on_close=on_close).serve(listener, task_status=task_status)
