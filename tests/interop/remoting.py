"""A remoting client of a few lines, in nothing but the standard library and JSON headers.

It shares no code with the product, so that what it says of a server's answer is a second opinion; it also
tells the harness when a server answers. Values of extFields are text, as on the wire.
"""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

GET_MAX_OFFSET = 30
GET_BROKER_CLUSTER_INFO = 106
GET_ALL_SUBSCRIPTION_GROUPS = 201
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One response frame. ``members`` are the names of the header's members in the order they came."""

    code: int
    remark: str | None
    fields: dict[str, str]
    body: bytes
    members: tuple[str, ...] = field(compare=False)


class Remote:
    """One connection; one request at a time."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=_SECONDS)
        self._opaque = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def ask(self, code: int, body: bytes = b"", /, **fields: object) -> Answer:
        """Send a request and wait for its answer; what the server sends on its own account is passed over."""
        self._opaque += 1
        self._socket.sendall(
            _frame(code, self._opaque, {key: str(value) for key, value in fields.items()}, body)
        )
        while True:
            header, answer_body = self._read()
            if header.get("flag", 0) & 1 and header["opaque"] == self._opaque:
                fields_read = header.get("extFields") or {}
                return Answer(header["code"], header.get("remark"), fields_read, answer_body, tuple(header))

    def _read(self) -> tuple[dict[str, Any], bytes]:
        (length,) = struct.unpack(">I", self._exactly(4))
        frame = self._exactly(length)
        header_length = struct.unpack(">I", frame[:4])[0] & 0xFFFFFF
        return json.loads(frame[4 : 4 + header_length]), frame[4 + header_length :]

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self._socket.recv(size - len(data))
            if not chunk:
                raise ConnectionError(f"closed after {len(data)} of {size} bytes")
            data += chunk
        return data


def _frame(code: int, opaque: int, fields: dict[str, str], body: bytes) -> bytes:
    command = {
        "code": code,
        "language": "JAVA",
        "version": 479,
        "opaque": opaque,
        "flag": 0,
        "extFields": fields,
    }
    header = json.dumps(command, separators=(",", ":")).encode()
    return struct.pack(">II", 4 + len(header) + len(body), len(header)) + header + body


def answers(address: str) -> bool:
    """Whether a remoting server answers there."""
    try:
        with Remote(address) as remote:
            remote.ask(GET_BROKER_CLUSTER_INFO)
    except OSError:
        return False
    return True


def registered_brokers(namesrv: str) -> set[str]:
    """The names of the brokers that a name server knows."""
    with Remote(namesrv) as remote:
        text = remote.ask(GET_BROKER_CLUSTER_INFO).body.decode()
    # Broker ids are bare numbers as keys here, which is no JSON; the names are all that is wanted.
    return {part.split('"')[0] for part in text.split('"brokerName":"')[1:]}
