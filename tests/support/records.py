"""Stored messages as brokers send them, for tests that have no broker."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from rocketmq_lite.protocol.framing import MessageBatch, decode_batch, encode_properties

if TYPE_CHECKING:
    from collections.abc import Iterable

_HOST = bytes([127, 0, 0, 1]) + struct.pack(">i", 10911)
_MAGIC = 0xDAA320A7
PLAIN_SIZE = 92
"""Bytes of a record without a body and properties, of a topic of one letter."""


def record(offset: int, body: bytes = b"", *, attempt: int = 0, tag: str | None = None) -> bytes:
    """One message of topic T, which was sent back ``attempt`` times; its checksum is wrong, and nobody looks."""
    properties = encode_properties({"TAGS": tag} if tag else {}).encode()
    fields = (
        struct.pack(">Iiiiqqiq", _MAGIC, 0, 0, 0, offset, 0, 0, 0)
        + _HOST
        + struct.pack(">q", 0)
        + _HOST
        + struct.pack(">iqi", attempt, 0, len(body))
        + body
        + b"\x01T"
        + struct.pack(">h", len(properties))
        + properties
    )
    return struct.pack(">i", 4 + len(fields)) + fields


def batch(records: Iterable[bytes]) -> MessageBatch:
    """What a pull brings."""
    return decode_batch(b"".join(records))


def at(*offsets: int) -> MessageBatch:
    """A pull that brings an empty message at each offset."""
    return batch(map(record, offsets))
