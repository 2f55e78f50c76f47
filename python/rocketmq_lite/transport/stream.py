"""One Trio stream pumped through one protocol connection.

Reading is for one task at a time. Sending is for any task: frames go out whole, in the order of the calls.
A send that is cut short (cancelled, or the stream broke) poisons the connection: it is closed at once, and
the reading task finds that out by :exc:`~rocketmq_lite.errors.ConnectionLost`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.errors import ConnectionLost
from rocketmq_lite.protocol.connection import CLOSED, Connection, Half, Signal
from rocketmq_lite.transport.direct import DirectStream
from rocketmq_lite.transport.failures import using

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Sequence

    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.protocol.framing import RawCommand

__all__ = ["CommandStream"]

_READ_SIZE: Final = 131_072
"""Bytes at most that are read at once: the answer to a pull has twice as many, and each read is a round of the scheduler."""


class CommandStream:
    """Commands over a stream.

    Args:
        stream: Owned from now on.
        connection: Its protocol state.
        peer: The other end's address, for messages.
        on_activity: Called with the time after every read and every write.

    Attributes:
        last_read: Trio's time of the last bytes that came, at first of the opening.
        last_active: The same of bytes that came or went.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        connection: Connection,
        *,
        peer: str,
        on_activity: Callable[[float], None] | None = None,
    ) -> None:
        self._stream = stream
        self._direct = stream if isinstance(stream, DirectStream) else None
        self._connection = connection
        self._peer = peer
        self._on_activity = on_activity
        self._send_lock = trio.Lock()
        self._cut_short = False
        self.last_read = self.last_active = trio.current_time()

    def encode(self, command: Command) -> bytes:
        """The bytes of a command, for ``send_bytes``.

        Raises:
            LocalProtocolError: The command cannot be sent.
            ConnectionLost: Nothing can be sent on this connection any more.
        """
        if self._connection.writing is not Half.OPEN:
            raise ConnectionLost(f"the connection with {self._peer} was lost")
        return self._connection.send(command)

    async def receive(self) -> Command | None:
        """The next command; ``None`` once the peer has closed.

        Raises:
            RemoteProtocolError: The peer sent something else than commands.
            ConnectionLost: The stream broke, or this side closed it.
        """
        while isinstance(event := self._connection.next_event(), Signal):
            if event is CLOSED:
                return None
            await self._read()
        return event

    async def receive_all(self) -> deque[RawCommand] | None:
        """All commands that have come, at least one and unconverted; ``None`` once the peer has closed.

        Raises:
            RemoteProtocolError: As :meth:`receive`.
            ConnectionLost: As :meth:`receive`.
        """
        while isinstance(events := self._connection.next_events(), Signal):
            if events is CLOSED:
                return None
            await self._read()
        return events

    async def _read(self) -> None:
        with using(self._peer):
            data = await self._stream.receive_some(_READ_SIZE)
        self.last_read = self._note_activity()
        self._connection.receive_data(data)

    async def send(self, command: Command) -> None:
        """Send one command.

        Raises:
            LocalProtocolError: The command cannot be sent.
            ConnectionLost: The connection broke.
        """
        await self.send_bytes(self.encode(command))

    async def send_bytes(self, data: bytes) -> None:
        """Send whole frames made by ``encode``; cut short, it closes the connection."""
        await self.send_parts((data,))

    async def send_parts(self, parts: Sequence[bytes]) -> None:
        """As :meth:`send_bytes`, of frames in several parts."""
        async with self._send_lock:
            if self._connection.writing is not Half.OPEN:
                raise ConnectionLost(f"the connection with {self._peer} was lost")
            try:
                with using(self._peer):
                    if self._direct is not None and len(parts) > 1:
                        await self._direct.send_parts(parts)
                    else:
                        await self._stream.send_all(b"".join(parts))
            except BaseException:
                self._cut_short = True
                await self.aclose()
                raise
            self._note_activity()

    def send_nowait(self, frame: bytes) -> bytes:
        """Send what the system takes of a frame at once; the rest must be the next that ``send_bytes`` sends.

        Not while anything else is being sent.
        """
        if self._direct is None or self._connection.writing is not Half.OPEN:
            return frame
        sent = self._direct.send_nowait(frame)
        if sent:
            self._note_activity()
        return frame[sent:]

    def _note_activity(self) -> float:
        self.last_active = now = trio.current_time()
        if self._on_activity is not None:
            self._on_activity(now)
        return now

    @property
    def unfinished(self) -> str | None:
        """In the middle of what the connection has stopped, for the log; ``None`` if it is merely quiet."""
        if self._cut_short:
            return "an answer was not read"
        if begun := self._connection.buffered:
            return f"{begun} bytes of a frame had come and not the rest"
        return None

    async def aclose(self) -> None:
        """Close at once; there is no good-bye in the protocol.

        Shielded, and without waiting: a Cancelled raised here would take the place of the error that is being
        handled, a Ctrl-C for one, and the scope that it belongs to would swallow it.
        """
        self._connection.send_failed()
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(self._stream)
