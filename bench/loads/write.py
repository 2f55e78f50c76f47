"""What the machine's own write(2) does with the same bytes: appended to one file, a body a call, unsynced."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from time import perf_counter

from bench.loads import handshake


def main() -> None:
    """Do the job: `count` bodies."""
    job = handshake.receive()
    if job.kind != "bulk":
        raise SystemExit(f"write(2) does bulk, not {job.kind}")
    path = Path(job.address) / "appended"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        handshake.ready(platform.release())
        body, write = job.body, os.write
        start = perf_counter()
        for _ in range(job.count):
            write(file, body)
        handshake.done(job.count, perf_counter() - start)
    finally:
        os.close(file)
        path.unlink()


if __name__ == "__main__":
    main()
