"""One peer's state: received bytes in, commands out; commands in, bytes to send out.

A connection has two halves that fail apart. Reading ends when the peer closes between two frames, or
breaks when it sends something that is no frame or closes within one. Writing breaks when a frame was cut
short (``send_failed``): the peer would take the next frame for the rest of the cut one, so nothing may
follow. Every change of state is in ``_TRANSITIONS``; there is no way back from an ended or broken half.

Incomplete input is a value: ``next_event`` answers ``Signal.NEED_DATA``.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from rocketmq_lite.errors import LocalProtocolError, RemoteProtocolError
from rocketmq_lite.protocol.framing import MAX_FRAME, CommandDecoder, encode_command, to_command

if TYPE_CHECKING:
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.protocol.framing import LongFrame, RawCommand
    from rocketmq_lite.protocol.request import Request

__all__ = ["CLOSED", "NEED_DATA", "Connection", "Half", "Signal"]

_OPAQUE_MASK: Final = 0x7FFF_FFFF


class Signal(Enum):
    """What ``next_event`` answers when there is no command."""

    NEED_DATA = auto()
    """Feed more bytes first."""

    CLOSED = auto()
    """The peer has closed, between two frames; nothing more will come."""


NEED_DATA: Final = Signal.NEED_DATA
CLOSED: Final = Signal.CLOSED


class Half(Enum):
    """State of one direction."""

    OPEN = auto()
    ENDED = auto()
    BROKEN = auto()


class _Happening(Enum):
    END_OF_STREAM = auto()
    GARBAGE = auto()
    CUT = auto()


_TRANSITIONS: Final[dict[Half, dict[_Happening, Half]]] = {
    Half.OPEN: {
        _Happening.END_OF_STREAM: Half.ENDED,
        _Happening.GARBAGE: Half.BROKEN,
        _Happening.CUT: Half.BROKEN,
    },
    Half.ENDED: {_Happening.GARBAGE: Half.BROKEN, _Happening.END_OF_STREAM: Half.ENDED},
    Half.BROKEN: dict.fromkeys(_Happening, Half.BROKEN),
}


class Connection:
    """The protocol's state for one connection, client or server side alike.

    Args:
        max_frame: Largest frame that is accepted or sent, length word included.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max_frame = max_frame
        self._decoder = CommandDecoder(max_frame)
        self._events: deque[RawCommand] = deque()
        self._reading = Half.OPEN
        self._writing = Half.OPEN
        self._last_opaque = 0

    @property
    def reading(self) -> Half:
        """State of the receiving half."""
        return self._reading

    @property
    def writing(self) -> Half:
        """State of the sending half."""
        return self._writing

    @property
    def buffered(self) -> int:
        """Bytes received that are not yet a whole frame."""
        return self._decoder.buffered

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take what was read from the peer; empty bytes mean that it closed.

        Raises:
            LocalProtocolError: Bytes after the end of the stream.
        """
        if self._reading is Half.BROKEN:
            return
        if not data:
            self._reading = _TRANSITIONS[self._reading][_Happening.END_OF_STREAM]
            return
        if self._reading is Half.ENDED:
            raise LocalProtocolError("bytes were fed after the end of the stream")
        self._events.extend(self._decoder.feed(data))

    def next_event(self) -> Command | Signal:
        """The next command, or why there is none.

        Raises:
            RemoteProtocolError: The peer sent something that is not a frame, or closed within one. Commands
                that came before it have been returned by then; the connection reads no further.
        """
        if self._events:
            return to_command(self._events.popleft())
        return self._signal()

    def next_events(self) -> deque[RawCommand] | Signal:
        """All commands that have come, unconverted, or why there is none.

        Raises:
            RemoteProtocolError: As :meth:`next_event`.
        """
        if self._events:
            events, self._events = self._events, deque()
            return events
        return self._signal()

    def _signal(self) -> Signal:
        problem = self._decoder.error
        if problem is None and self._reading is Half.ENDED and self._decoder.buffered:
            problem = f"the peer closed within a frame, {self._decoder.buffered} bytes of it had come"
        if problem is not None:
            self._reading = _TRANSITIONS[self._reading][_Happening.GARBAGE]
            raise RemoteProtocolError(problem)
        return CLOSED if self._reading is Half.ENDED else NEED_DATA

    def send(self, command: Command) -> bytes:
        """The bytes of a command, to be sent whole and in the order of the calls.

        Raises:
            LocalProtocolError: An earlier frame was cut short, or this one is too large to be accepted.
        """
        frame = encode_command(command)
        self._check(frame)
        return frame

    def request(self, request: Request[object], flag: int = 0) -> tuple[int, bytes | LongFrame]:
        """A new opaque, and the frame of a request under it, to be sent as that of :meth:`send`.

        Raises:
            LocalProtocolError: As :meth:`send`.
        """
        opaque = self._last_opaque = (self._last_opaque + 1) & _OPAQUE_MASK
        try:
            frame = request.frame(opaque, flag)
        except (ValueError, OverflowError) as error:
            raise LocalProtocolError(f"cannot encode the request: {error}") from error
        self._check(frame)
        return opaque, frame

    def _check(self, frame: bytes | LongFrame) -> None:
        if self._writing is not Half.OPEN:
            raise LocalProtocolError("an earlier frame was cut short; nothing may follow it")
        if len(frame) > self._max_frame:
            raise LocalProtocolError(
                f"a frame of {len(frame)} bytes exceeds the limit of {self._max_frame}",
                hint="send a smaller message, or several",
            )

    def send_failed(self) -> None:
        """Say that bytes returned by ``send`` may have been sent in part; nothing can be sent any more."""
        self._writing = _TRANSITIONS[self._writing][_Happening.CUT]

    def next_opaque(self) -> int:
        """A correlation id that this side has not used for a long time; wraps before it gets negative."""
        self._last_opaque = (self._last_opaque + 1) & _OPAQUE_MASK
        return self._last_opaque
