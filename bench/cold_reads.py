"""Does a consumer that reads old data slow a sender down? `make bench-cold`.

One connection sends 1 KiB messages, one outstanding, alone and while another reads a backlog that the page cache has been
told to forget. Prints milliseconds: what the reader threads are for is that the second line is not far from the first.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from tests.support.processes import broker, name_server
from tests.support.raw_client import RawClient, send_fields

BODY = b"x" * 1024
BACKLOG = 300_000
OUTSTANDING = 256
SECONDS = 8.0
SEND_MESSAGE_V2 = 310


def fill(address: str) -> None:
    """Store the backlog, many sends outstanding."""
    with RawClient(address) as client:
        client.send("cold", BODY)
        for number in range(BACKLOG + OUTSTANDING):
            if number < BACKLOG:
                client.post(SEND_MESSAGE_V2, send_fields("cold"), BODY)
            if number >= OUTSTANDING:
                client.read()


def forget(log: Path) -> None:
    """Take the log out of the page cache."""
    os.sync()
    for file in log.iterdir():
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def drain(address: str, ended: threading.Event, counts: list[int]) -> None:
    """Read the backlog, once."""
    with RawClient(address) as client:
        offset = 0
        while not ended.is_set() and offset < BACKLOG:
            answer = client.pull("cold", 0, offset)
            counts.append(int(answer.fields["nextBeginOffset"]) - offset)
            offset += counts[-1]


def latencies(address: str, seconds: float) -> list[float]:
    """Milliseconds of each send, one after the other."""
    taken = []
    with RawClient(address) as client:
        end = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < end:
            assert client.send("hot", BODY).code == 0
            taken.append((time.perf_counter() - begun) * 1000)
    return taken


def line(what: str, taken: list[float]) -> None:
    """Print one result."""
    cuts = quantiles(taken, n=1000)
    print(
        f"{what:<34} {len(taken):>7} sends  p50 {cuts[499]:.3f}  p99 {cuts[989]:.3f}  p99.9 {cuts[998]:.3f} ms"
    )


def main() -> None:
    """Alone and beside a reader, twice each."""
    with TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as directory:
        root = Path(directory)
        with (
            name_server(root / "namesrv") as names,
            broker(root / "broker", "broker-a", names.ready["namesrv"]) as running,
        ):
            address = running.ready["broker"]
            fill(address)
            latencies(address, 1.0)
            for _ in range(2):
                line("alone", latencies(address, SECONDS))
                forget(root / "broker" / "store" / "commitlog")
                ended, counts = threading.Event(), list[int]()
                reader = threading.Thread(target=drain, args=(address, ended, counts))
                reader.start()
                taken = latencies(address, SECONDS)
                ended.set()
                reader.join()
                line(f"while {sum(counts)} old ones are read", taken)


if __name__ == "__main__":
    main()
