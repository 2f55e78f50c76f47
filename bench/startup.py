"""Start-up and idle memory of `rmq up`, against a bare interpreter that imports trio and typer, in the same run.

    python bench/startup.py [--runs 10]

From the start of the process to the first acknowledged send of a raw client that retries every 5 ms. Each run
starts on an empty directory. The pairs alternate, so that a machine whose speed drifts does not favour one side.
"""

from __future__ import annotations

import argparse
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.raw_client import RawClient

RETRY_EVERY = 0.005
GIVE_UP_AFTER = 30.0
IDLE_FOR = 2.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def time_bare_interpreter() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import trio, typer"], check=True)
    return time.perf_counter() - start


def first_acknowledged_send(address: str) -> None:
    deadline = time.perf_counter() + GIVE_UP_AFTER
    while time.perf_counter() < deadline:
        try:
            with RawClient(address) as client:
                if client.send("startup", b"first").code == 0:
                    return
        except OSError:
            time.sleep(RETRY_EVERY)
    message = f"no acknowledged send at {address} within {GIVE_UP_AFTER} s"
    raise RuntimeError(message)


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    message = f"no VmRSS for process {pid}"
    raise RuntimeError(message)


def measure_up(*, idle: bool) -> tuple[float, float]:
    """Seconds to the first acknowledged send, and resident MB afterwards."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        arguments = ["up", "--data", data, "--namesrv-port", "0", "--broker-port", str(port)]
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "rocketmq_lite", *arguments], stdout=subprocess.DEVNULL
        )
        try:
            first_acknowledged_send(f"127.0.0.1:{port}")
            seconds = time.perf_counter() - start
            if idle:
                time.sleep(IDLE_FOR)
            memory = resident_mb(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
    return seconds, memory


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    measure_up(idle=False)
    bare: list[float] = []
    up: list[float] = []
    for _ in range(runs):
        bare.append(time_bare_interpreter())
        up.append(measure_up(idle=False)[0])
    _, memory = measure_up(idle=True)
    above = statistics.median(u - b for u, b in zip(up, bare, strict=True))
    print(f"Python {platform.python_version()}, {platform.machine()}, {runs} pairs, medians")
    print(f"python -c 'import trio, typer'        {statistics.median(bare) * 1000:7.0f} ms")
    print(f"rmq up to first acknowledged send     {statistics.median(up) * 1000:7.0f} ms")
    print(f"above the bare interpreter            {above * 1000:7.0f} ms   (aim: at most 250)")
    print(f"resident after {IDLE_FOR:.0f} s idle               {memory:7.1f} MB   (aim: under 60)")


if __name__ == "__main__":
    main()
