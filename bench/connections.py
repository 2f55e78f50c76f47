"""What idle connections cost a broker: `make bench-connections`.

Opens 10,000 of them, says what each adds to the broker's memory, and that it goes on serving without using its processor.
"""

from __future__ import annotations

import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.processes import Server, broker, name_server
from tests.support.raw_client import RawClient

COUNT = 10_000
IDLE_SECONDS = 5.0


def processor_seconds(server: Server) -> float:
    """Processor time that the process has used."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def connect(address: str) -> socket.socket:
    """One more connection that says nothing."""
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def main() -> None:
    """Open them, look, and say what was seen."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with TemporaryDirectory() as directory, ExitStack() as stack:
        names = stack.enter_context(name_server(Path(directory, "namesrv")))
        running = stack.enter_context(broker(Path(directory, "broker"), "broker-a", names.ready["namesrv"]))
        address = running.ready["broker"]
        client = stack.enter_context(RawClient(address))
        assert client.send("t", b"x").code == 0
        before = running.resident_bytes()
        for _ in range(COUNT):
            stack.enter_context(connect(address))
        assert client.send("t", b"x").code == 0
        grown = running.resident_bytes() - before
        busy = processor_seconds(running)
        time.sleep(IDLE_SECONDS)
        busy = processor_seconds(running) - busy
        print(f"memory before          {before / 1e6:.1f} MB")
        print(f"{COUNT} idle connections {grown / 1e6:.1f} MB, {grown / COUNT:.0f} bytes each")
        print(f"processor while idle   {100 * busy / IDLE_SECONDS:.2f} %")
        assert client.send("t", b"x").code == 0


if __name__ == "__main__":
    main()
