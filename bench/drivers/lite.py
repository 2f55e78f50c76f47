"""RocketMQ Lite: `rmq up`, name server and broker in one process."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from bench.drivers import remoting
from bench.drivers.driver import Driver, Running, process
from tests.interop.processes import free_ports

import rocketmq_lite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Lite(Driver):
    """The driver."""

    title = "RocketMQ Lite"
    prepares_with = "lite"
    idles_loudly = False
    warms_with = None

    def missing(self) -> str | None:
        """Nothing: it runs from this tree."""
        return None

    def version(self) -> str:
        """The package's."""
        return rocketmq_lite.__version__

    def durability(self, flush: str) -> str:
        """Its own option."""
        return f"--flush {flush}"

    @contextlib.contextmanager
    def launch(self, directory: Path, flush: str, *options: str) -> Iterator[Running]:
        """One process for name server and broker, with further options of `rmq up`."""
        port = free_ports()
        address, entry = f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}"
        command = [sys.executable, "-m", "rocketmq_lite", "up", "--data", str(directory / "data")]
        ports = ["--namesrv-port", str(port), "--broker-port", str(port + 1)]
        with process([*command, *ports, "--flush", flush, *options], directory) as up:
            yield Running(address, flush, directory, worker=up, processes=[up], entry=entry)

    def await_first_ack(self, running: Running) -> None:
        """By a raw connection to the broker."""
        remoting.await_first_ack(running)
        remoting.await_registered(running)
