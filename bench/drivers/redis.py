"""Redis Streams, with the append-only file: redis-server."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

from bench.drivers.driver import Driver, Running, process, until_acknowledged
from tests.interop.processes import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_APPENDFSYNC = {"async": "everysec", "sync": "always"}


class Redis(Driver):
    """The driver."""

    title = "Redis Streams"
    prepares_with = "redis"
    idles_loudly = False
    warms_with = None

    def missing(self) -> str | None:
        """The server."""
        return None if shutil.which("redis-server") else "redis-server (Debian: apt-get install redis-server)"

    def version(self) -> str:
        """As the server prints it."""
        done = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True)
        return next(word for word in done.stdout.split() if word.startswith("v="))[2:]

    def durability(self, flush: str) -> str:
        """How often the append-only file is synced."""
        return f"appendonly yes, appendfsync {_APPENDFSYNC[flush]}"

    @contextlib.contextmanager
    def launch(self, directory: Path, flush: str) -> Iterator[Running]:
        """One process."""
        port = free_ports()
        settings = {
            "bind": "127.0.0.1",
            "port": str(port),
            "dir": str(directory),
            "save": "",
            "appendonly": "yes",
            "appendfsync": _APPENDFSYNC[flush],
        }
        arguments = [word for name, value in settings.items() for word in (f"--{name}", value)]
        with process(["redis-server", *arguments], directory) as server:
            yield Running(f"127.0.0.1:{port}", flush, directory, worker=server, processes=[server])

    def await_first_ack(self, running: Running) -> None:
        """An XADD by the inline protocol."""
        until_acknowledged(running, lambda: _add(running.address))


def _add(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"XADD first * body first\r\n")
        # The id as a bulk string; an error line while it is loading.
        return connection.recv(256).startswith(b"$")
