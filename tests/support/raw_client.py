"""A remoting client of a few lines that shares no code with the package: what it reads and writes is judged
by the protocol's description alone. Blocking; JSON headers."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

SEND_MESSAGE_V2 = 310
PULL_MESSAGE = 11


@dataclass(frozen=True)
class Answer:
    code: int
    fields: dict[str, str]
    remark: str | None
    body: bytes
    header: dict[str, object] = field(repr=False)


class RawClient:
    """One connection; requests one after the other unless `post` and `read` are used directly."""

    def __init__(self, address: str, *, timeout: float = 10.0, tls: ssl.SSLContext | None = None) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self._opaque = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def post(self, code: int, fields: dict[str, object], body: bytes = b"", *, flag: int = 0) -> int:
        """Write one request and return its opaque."""
        self._opaque += 1
        self.socket.sendall(encode(code, fields, body, flag=flag, opaque=self._opaque))
        return self._opaque

    def read(self) -> Answer:
        """The next frame."""
        length = self._exactly(4)
        return decode(length + self._exactly(int.from_bytes(length)))

    def call(self, code: int, fields: dict[str, object], body: bytes = b"") -> Answer:
        """One request, its answer."""
        opaque = self.post(code, fields, body)
        while (answer := self.read()).header["opaque"] != opaque:
            pass
        return answer

    def send(self, topic: str, body: bytes, *, queue: int = 0, properties: str = "") -> Answer:
        """SEND_MESSAGE_V2 with auto-creation from TBW102, four queues."""
        return self.call(SEND_MESSAGE_V2, send_fields(topic, queue=queue, properties=properties), body)

    def pull(
        self, topic: str, queue: int, offset: int, *, group: str = "raw-group", hold_ms: int = 0
    ) -> Answer:
        """PULL_MESSAGE with the subscription `*` in the request."""
        return self.call(PULL_MESSAGE, pull_fields(topic, queue, offset, group=group, hold_ms=hold_ms))

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = self.socket.recv(count - len(parts))
            if not part:
                message = f"the peer closed after {len(parts)} of {count} bytes"
                raise ConnectionResetError(message)
            parts += part
        return bytes(parts)


def encode(
    code: int, fields: dict[str, object], body: bytes = b"", *, flag: int = 0, opaque: int = 1
) -> bytes:
    """One request as a frame."""
    header = json.dumps(
        {
            "code": code,
            "extFields": {name: str(value) for name, value in fields.items()},
            "flag": flag,
            "language": "OTHER",
            "opaque": opaque,
            "version": 479,
        }
    ).encode()
    return struct.pack(">II", 4 + len(header) + len(body), len(header)) + header + body


def decode(frame: bytes) -> Answer:
    """An answer out of its frame."""
    (header_word,) = struct.unpack_from(">I", frame, 4)
    end = 8 + (header_word & 0xFFFFFF)
    header = json.loads(frame[8:end])
    return Answer(header["code"], header.get("extFields") or {}, header.get("remark"), frame[end:], header)


def send_fields(
    topic: str, *, queue: int = 0, properties: str = "", group: str = "raw-producer"
) -> dict[str, object]:
    """The header of SEND_MESSAGE_V2 with its one-letter names."""
    return {
        "a": group,
        "b": topic,
        "c": "TBW102",
        "d": 4,
        "e": queue,
        "f": 0,
        "g": 1_700_000_000_000,
        "h": 0,
        "i": properties,
        "j": 0,
        "k": "false",
        "m": "false",
    }


def pull_fields(
    topic: str, queue: int, offset: int, *, group: str = "raw-group", hold_ms: int = 0
) -> dict[str, object]:
    """The header of PULL_MESSAGE."""
    return {
        "consumerGroup": group,
        "topic": topic,
        "queueId": queue,
        "queueOffset": offset,
        "maxMsgNums": 32,
        "sysFlag": 4 | (2 if hold_ms else 0),
        "commitOffset": 0,
        "suspendTimeoutMillis": hold_ms,
        "subscription": "*",
        "subVersion": 0,
    }


def bodies(records: bytes) -> list[tuple[int, bytes]]:
    """Queue offset and body of each stored message in a pull's body (IPv4 hosts, message version 1 or 2)."""
    return [(_long(record, 20), _body(record)) for record in _cut(records)]


def stamped(records: bytes) -> list[tuple[bytes, int]]:
    """Body and store time of each, likewise."""
    return [(_body(record), _long(record, 56)) for record in _cut(records)]


def _cut(records: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(records):
        (size,) = struct.unpack_from(">I", records, at)
        yield records[at : at + size]
        at += size


def _long(record: bytes, at: int) -> int:
    return int(struct.unpack_from(">q", record, at)[0])


def _body(record: bytes) -> bytes:
    (length,) = struct.unpack_from(">I", record, 84)
    return record[88 : 88 + length]
