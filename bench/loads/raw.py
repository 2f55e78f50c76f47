"""Load by rmq-load (bench/micro): connections without a client library, from as little processor time as possible.

    python -m bench.loads.raw < job

It counts the server's processor time by itself. The round before the word to go warms the server.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any

from bench.drivers.rmq_load import PROGRAM
from bench.loads import handshake


def main() -> None:
    """Do the job: a connection for each send that is to be under way."""
    given = json.loads(sys.stdin.readline())
    options = {
        "address": given["entry"],
        "topic": given["topic"],
        "connections": given["outstanding"],
        "body": given["size"],
        "warmup": 0,
        "seconds": given["seconds"],
        "pid": given["pids"][0],
    }
    _send({**options, "seconds": given["warm_up"]})
    before = _used()
    handshake.ready("rmq-load")
    _report(_send(options), before)


def _send(options: dict[str, object]) -> dict[str, Any]:
    arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    done = subprocess.run([PROGRAM, "send", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    line: dict[str, Any] = json.loads(done.stdout)
    return line


def _used() -> float:
    """Seconds of processor time of the programs that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _report(found: dict[str, Any], before: float) -> None:
    """The program's line in the words of the handshake."""
    latency = found["latency"]
    figures = {
        "p50_us": latency["p50_us"],
        "p99_us": latency["p99_us"],
        "p999_us": latency["p99_9_us"],
        "server_cpu_us": found["server_cpu_us"]["total"],
        "client_cpu_us": (_used() - before) / found["messages"] * 1e6,
        "client_rss_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    handshake.done(found["messages"], found["seconds"], figures=figures)


if __name__ == "__main__":
    main()
