"""The three passes that every incremental decoder must survive: whole, byte by byte, with trailing bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.protocol.connection import Connection, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rocketmq_lite.protocol.command import Command


def events(connection: Connection, pieces: Iterable[bytes]) -> list[Command]:
    """All commands that come out while the pieces go in."""
    found: list[Command] = []
    for piece in pieces:
        connection.receive_data(piece)
        while not isinstance(event := connection.next_event(), Signal):
            found.append(event)
    return found


def decode_three_ways(data: bytes) -> list[Command]:
    """The commands in the data, after seeing that the three passes agree on them."""
    whole = events(Connection(), [data])
    assert events(Connection(), [data[i : i + 1] for i in range(len(data))]) == whole
    trailing = Connection()
    assert events(trailing, [data + b"\0\0"]) == whole
    assert trailing.buffered == 2
    return whole
