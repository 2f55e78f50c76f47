"""No server: what the machine or an interpreter does by itself, for a load program that needs nobody else."""

from __future__ import annotations

import contextlib
import platform
import subprocess
import sys
from typing import TYPE_CHECKING

from bench.drivers.driver import Driver, Running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Machine(Driver):
    """The driver."""

    title = "this machine"
    prepares_with = None
    idles_loudly = False
    warms_with = None

    def missing(self) -> str | None:
        """Nothing."""
        return None

    def version(self) -> str:
        """The kernel's."""
        return platform.release()

    def durability(self, flush: str) -> str:  # noqa: ARG002 - a driver is asked for each
        """Nothing is promised."""
        return "none"

    @contextlib.contextmanager
    def launch(self, directory: Path, flush: str) -> Iterator[Running]:
        """Only a directory."""
        directory.mkdir(parents=True, exist_ok=True)
        yield Running(str(directory), flush, directory)

    def await_first_ack(self, running: Running) -> None:  # noqa: ARG002 - a driver is given what it launched
        """As long as a bare interpreter takes to import what `rmq` needs."""
        subprocess.run([sys.executable, "-c", "import trio, typer"], check=True)
