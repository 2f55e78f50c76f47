"""What can be asked of a server: how it becomes a frame, and as what its answer is read.

A :class:`~rocketmq_lite.protocol.command.Command` is the general form, and answered by one. Requests that are made for every
message have forms of their own, which go around the dictionary of fields in both directions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from rocketmq_lite.protocol.framing import encode_command, to_command

if TYPE_CHECKING:
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.protocol.framing import LongFrame, RawCommand

__all__ = ["CommandRequest", "Request"]

A_co = TypeVar("A_co", covariant=True)


class Request(Protocol[A_co]):
    """One request that is answered by an ``A``."""

    @property
    def code(self) -> int:
        """The request's code."""

    def frame(self, opaque: int, flag: int) -> bytes | LongFrame:
        """The whole frame.

        Raises:
            ValueError: A part does not fit into it.
            OverflowError: The same.
            LocalProtocolError: The same.
        """

    def read(self, raw: RawCommand) -> A_co:
        """The answer, whatever its code.

        Raises:
            ValueError: It makes no sense.
            LocalProtocolError: The same.
        """


class CommandRequest:
    """A command as a request; its own opaque does not count."""

    __slots__ = ("_command",)

    def __init__(self, command: Command) -> None:
        self._command = command

    @property
    def code(self) -> int:
        """The request's code."""
        return self._command.code

    def frame(self, opaque: int, flag: int) -> bytes:
        """The whole frame; ``flag`` is added to the command's."""
        return encode_command(self._command, opaque=opaque, flag=self._command.flag | flag)

    def read(self, raw: RawCommand) -> Command:
        """The answer as a command."""
        return to_command(raw)
