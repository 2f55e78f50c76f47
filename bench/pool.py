"""The servers of a run: started when first asked for, kept for the workloads that follow, ended together.

A virtual machine is fast only after a while, so a server is not started anew for each workload. Those that take
processor time while they idle are frozen (SIGSTOP) while another one is measured.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bench import clients
from bench.drivers import DRIVERS
from bench.load import LoadProgram

if TYPE_CHECKING:
    from bench.drivers.driver import Driver, Running

WARM_UP = {"kind": "send", "topic": "warm-up", "outstanding": 64, "size": 1024, "warm_up": 0}
WARM_UP_SECONDS = 12.0
"""Enough for the JVM's second compiler: Apache's first 100,000 sends cost three times as much as later ones."""


class Pool:
    """Servers by name and flush setting; a context manager that ends them."""

    def __init__(self, directory: Path, *, warm_up: float = WARM_UP_SECONDS) -> None:
        self._directory = directory
        self._warm_up = warm_up
        self._running: dict[tuple[str, str], Running] = {}
        self._frozen: set[tuple[str, str]] = set()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for key in list(self._frozen):
            self._thaw(key)
        self._stack.close()

    def alone(self, server: str, flush: str) -> Running:
        """The server, running, and no other that would disturb it."""
        key = (server, flush)
        self.freeze_others(key)
        if key in self._frozen:
            self._thaw(key)
        if key not in self._running:
            self._running[key] = self._start(DRIVERS[server], server, flush)
        return self._running[key]

    def freeze_others(self, key: tuple[str, str] | None = None) -> None:
        """Freeze all that would disturb; but for one server, if it is given."""
        for other in self._running.keys() - self._frozen - {key}:
            if DRIVERS[other[0]].idles_loudly:
                self._freeze(other)

    def _start(self, driver: Driver, server: str, flush: str) -> Running:
        directory = Path(tempfile.mkdtemp(prefix=f"{server}-{flush}-", dir=self._directory))
        with contextlib.ExitStack() as stack:
            running = stack.enter_context(driver.launch(directory, flush))
            driver.await_first_ack(running)
            if driver.warms_with and self._warm_up:
                self._load(driver.prepares_with, {"kind": "prepare", "topic": WARM_UP["topic"]}, running)
                self._load(driver.warms_with, {**WARM_UP, "seconds": self._warm_up}, running)
            self._stack.push(stack.pop_all())
        return running

    def _load(self, client: str | None, job: dict[str, object], running: Running) -> None:
        if client:
            with LoadProgram(clients.command(client), {**job, "address": running.address}) as load:
                load.run()

    def _freeze(self, key: tuple[str, str]) -> None:
        self._frozen.add(key)
        for pid in self._running[key].pids:
            os.kill(pid, signal.SIGSTOP)

    def _thaw(self, key: tuple[str, str]) -> None:
        self._frozen.discard(key)
        for pid in self._running[key].pids:
            os.kill(pid, signal.SIGCONT)
