"""NATS JetStream: nats-server with a file store."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from bench.drivers.driver import Driver, Running, process, until_acknowledged
from tests.interop.processes import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALLED = Path(__file__).parent.parent / "target" / "bin"
"""Where `make bench-peers` puts it."""
_SYNC_INTERVAL = {"async": "2m", "sync": "always"}
_FIRST = "first"


class Nats(Driver):
    """The driver."""

    title = "NATS JetStream"
    prepares_with = "nats"
    idles_loudly = False
    warms_with = None

    def missing(self) -> str | None:
        """The server."""
        if _binary() is None:
            return "nats-server (make bench-peers, or: go install github.com/nats-io/nats-server/v2@latest)"
        return None

    def version(self) -> str:
        """As the server prints it."""
        done = subprocess.run([str(_binary()), "--version"], capture_output=True, text=True, check=True)
        return done.stdout.split()[-1].removeprefix("v")

    def durability(self, flush: str) -> str:
        """How often the file store calls fsync; two minutes is its default."""
        return f"file store, sync_interval: {_SYNC_INTERVAL[flush]}"

    @contextlib.contextmanager
    def launch(self, directory: Path, flush: str) -> Iterator[Running]:
        """One process."""
        address = f"127.0.0.1:{free_ports()}"
        store = f'store_dir: "{directory / "store"}", sync_interval: {_SYNC_INTERVAL[flush]}'
        directory.mkdir(parents=True, exist_ok=True)
        settings = directory / "nats.conf"
        settings.write_text(f'listen: "{address}"\njetstream {{ {store} }}\n')
        with process([str(_binary()), "-c", str(settings)], directory) as server:
            yield Running(address, flush, directory, worker=server, processes=[server])

    def await_first_ack(self, running: Running) -> None:
        """A stream is made and a message published to it, by the text protocol."""
        until_acknowledged(running, lambda: _publish(running.address))


def _binary() -> str | None:
    return shutil.which("nats-server") or shutil.which("nats-server", path=str(INSTALLED))


def _publish(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        lines = connection.makefile("rwb")
        lines.write(b'CONNECT {"verbose":false}\r\nSUB answers 1\r\n')
        stream = json.dumps({"name": _FIRST, "subjects": [_FIRST]}).encode()
        for subject, body in ((f"$JS.API.STREAM.CREATE.{_FIRST}", stream), (_FIRST, b"first")):
            lines.write(b"PUB %b answers %d\r\n%b\r\n" % (subject.encode(), len(body), body))
            lines.flush()
            while not (line := lines.readline()).startswith(b"MSG "):
                if not line:
                    raise ConnectionResetError("the server closed")
            answer = json.loads(lines.readline())
            if "error" in answer:
                return False
    return True
