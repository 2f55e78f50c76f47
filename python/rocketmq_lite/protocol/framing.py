"""Bytes to commands and back: the only importer of the extension's wire half.

What passes through here is converted once: the extension's exceptions become
:exc:`~rocketmq_lite.errors.LocalProtocolError` (``Connection`` turns them into the remote kind where the
bytes came from a peer), its raw commands become :class:`~rocketmq_lite.protocol.command.Command`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite import _native
from rocketmq_lite._native import (
    BatchEncoder,
    LongFrame,
    MessageBatch,
    MessageIds,
    OutgoingMessage,
    RawCommand,
    RawMessage,
    SendAnswer,
    SendRequest,
    SendTarget,
    UniqueKeys,
    __version__,
)
from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.command import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MAX_FRAME",
    "BatchEncoder",
    "CommandDecoder",
    "FrameTemplate",
    "LongFrame",
    "MessageBatch",
    "MessageIds",
    "OutgoingMessage",
    "RawCommand",
    "RawMessage",
    "SendAnswer",
    "SendRequest",
    "SendTarget",
    "UniqueKeys",
    "__version__",
    "decode_batch",
    "decode_messages",
    "decode_properties",
    "encode_command",
    "encode_properties",
    "java_hash",
    "json_dumps",
    "json_loads",
    "messages_of",
    "parse_offset_id",
    "to_command",
]

MAX_FRAME: Final = 16_777_216
"""Largest frame, length word included (Apache's ``frameMaxLength``)."""

_MAX_BINARY_CODE: Final = 32_767


def to_command(raw: RawCommand) -> Command:
    """The extension's decoded frame as a command."""
    return Command(
        code=raw.code,
        opaque=raw.opaque,
        flag=raw.flag,
        language=raw.language,
        version=raw.version,
        remark=raw.remark,
        fields=raw.fields,
        body=raw.body,
        codec=raw.codec,
    )


class CommandDecoder:
    """Splits a byte stream into commands; ``error`` is set, for good, once the bytes make no sense."""

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._decoder = _native.FrameDecoder(max_frame)

    @property
    def error(self) -> str | None:
        """Why no further command can be read, or ``None``."""
        return self._decoder.error

    @property
    def buffered(self) -> int:
        """Bytes held that are not yet a whole frame."""
        return self._decoder.buffered

    def feed(self, data: bytes | bytearray | memoryview) -> list[RawCommand]:
        """Take bytes and return the commands that they complete; those before an error too."""
        return self._decoder.feed(data)


def encode_command(command: Command, *, opaque: int | None = None, flag: int | None = None) -> bytes:
    """The whole frame of a command, with another opaque or flag where one is given.

    A code that the binary header cannot hold is written with the JSON header.

    Raises:
        LocalProtocolError: A part does not fit into the frame.
    """
    try:
        return _native.encode_command(
            command.code,
            command.opaque if opaque is None else opaque,
            command.flag if flag is None else flag,
            command.language,
            command.version,
            command.remark,
            command.fields if type(command.fields) is dict else dict(command.fields),
            command.body,
            "JSON" if command.code > _MAX_BINARY_CODE else command.codec,
        )
    except (_native.WireError, ValueError, OverflowError) as error:
        raise LocalProtocolError(f"cannot encode the command: {error}") from error


class FrameTemplate:
    """Requests without a body that differ in a few fields; the rest of the header is encoded once.

    Args:
        command: What they share; opaque, flag, remark and body are not looked at, and the header is binary.
        varying: The names of the fields that differ; what the command has in them is not looked at either.

    Raises:
        LocalProtocolError: A part does not fit into the header.
    """

    __slots__ = ("_template",)

    def __init__(self, command: Command, varying: tuple[str, ...]) -> None:
        try:
            self._template = _native.FrameTemplate(
                command.code, command.language, command.version, dict(command.fields), varying
            )
        except (_native.WireError, ValueError, OverflowError) as error:
            raise LocalProtocolError(f"cannot encode the command: {error}") from error

    def frame(self, opaque: int, flag: int, values: tuple[str | int | bool | None, ...]) -> bytes:
        """A whole frame; ``None`` leaves a field out.

        Raises:
            ValueError: A part does not fit into the frame.
            OverflowError: A number has more than 64 bits.
        """
        return self._template.frame(opaque, flag, values)


def json_loads(data: bytes) -> object:
    """Read a fastjson text; map keys are ``str``, ``int`` or, for objects as keys, tuples of pairs.

    Raises:
        LocalProtocolError: The text is not even tolerantly JSON.
    """
    try:
        return _native.json_loads(data)
    except _native.WireError as error:
        raise LocalProtocolError(f"cannot read the body: {error}") from error


def json_dumps(value: object, *, standard: bool = False) -> bytes:
    """Write a fastjson text: members sorted, nulls left out, numeric keys bare unless ``standard``.

    Raises:
        LocalProtocolError: The value holds something that has no place in JSON.
    """
    try:
        return _native.json_dumps(value, standard=standard)
    except (_native.WireError, TypeError, ValueError, OverflowError) as error:
        raise LocalProtocolError(f"cannot write the body: {error}") from error


def decode_batch(body: bytes) -> MessageBatch:
    """The stored messages that an answer holds back to back, checked and not yet read.

    Raises:
        LocalProtocolError: The bytes are not whole, valid records.
    """
    try:
        return MessageBatch(body)
    except _native.WireError as error:
        raise LocalProtocolError(f"cannot read the stored messages: {error}") from error


def messages_of(raw: RawCommand) -> MessageBatch:
    """As :func:`decode_batch`, of a command's body where it is.

    Raises:
        LocalProtocolError: The bytes are not whole, valid records.
    """
    try:
        return raw.messages()
    except _native.WireError as error:
        raise LocalProtocolError(f"cannot read the stored messages: {error}") from error


def decode_messages(body: bytes) -> list[RawMessage]:
    """The messages of :func:`decode_batch`, one by one.

    Raises:
        LocalProtocolError: The bytes are not whole, valid records.
    """
    return list(decode_batch(body))


def encode_properties(properties: Mapping[str, str]) -> str:
    """The property text of a message.

    Raises:
        LocalProtocolError: A name or value holds one of the two separator characters.
    """
    try:
        return _native.encode_properties(dict(properties))
    except (_native.WireError, ValueError) as error:
        raise LocalProtocolError(f"cannot write the properties: {error}") from error


def decode_properties(text: str) -> dict[str, str]:
    """The pairs of a property text; pieces that are not pairs are skipped."""
    return _native.decode_properties(text)


def java_hash(text: str) -> int:
    """Java's ``String.hashCode``: a tag's code on the wire and on disk."""
    return _native.java_hash(text)


def parse_offset_id(text: str) -> tuple[str, int] | None:
    """Address and commit-log offset of a broker's message id, or ``None`` if it is none."""
    return _native.parse_offset_id(text)
