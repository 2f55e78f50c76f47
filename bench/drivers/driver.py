"""What every server is to the bench: something that can be launched, asked for a first acknowledgement and counted."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tests.interop.processes import Process, child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

GIVE_UP_AFTER = 120.0
RETRY_EVERY = 0.002
"""Seconds between two attempts at a first message: a fraction of the fastest start."""


@dataclass(slots=True)
class Running:
    """A server that was launched.

    Attributes:
        address: What load programs are told.
        entry: Where a first message goes, when that is elsewhere.
        trust: Who vouches for it, a PEM file; load programs come by TLS then.
        flush: async or sync.
        directory: Where it keeps its files.
        worker: Whose processor time is counted: the process that takes the messages.
        processes: All of it; memory is counted over all.
    """

    address: str
    flush: str
    directory: Path
    worker: Process | None = None
    processes: list[Process] = field(default_factory=list)
    entry: str = ""
    trust: str = ""

    @property
    def worker_pids(self) -> list[int]:
        """Whose processor time is counted."""
        return [self.worker.pid] if self.worker else []

    @property
    def pids(self) -> list[int]:
        """Whose memory is counted."""
        return [process.pid for process in self.processes]


class Driver(Protocol):
    """One system.

    Attributes:
        title: Its name in a report.
        prepares_with: The client that makes its topics and fills them.
        idles_loudly: It takes processor time from others while it has nothing to do, and is frozen meanwhile.
        warms_with: The client that warms it before it is measured, when it is slower at first.
    """

    title: str
    prepares_with: str | None
    idles_loudly: bool
    warms_with: str | None

    def missing(self) -> str | None:
        """What has to be installed first."""

    def version(self) -> str:
        """As it says itself."""

    def durability(self, flush: str) -> str:
        """What an acknowledgement stands for, in its own settings."""

    def launch(self, directory: Path, flush: str) -> contextlib.AbstractContextManager[Running]:
        """Start its processes without waiting for them; leaving ends them."""

    def await_first_ack(self, running: Running) -> None:
        """Return when it has acknowledged a message, or raise StartError or TimeoutError."""


@contextlib.contextmanager
def process(command: Sequence[str], home: Path) -> Iterator[Process]:
    """A server's process. It is killed at the end: nobody will read what an orderly stop would keep."""
    home.mkdir(parents=True, exist_ok=True)
    with child(command, home=home) as started:
        try:
            yield started
        finally:
            started.kill()


def until_acknowledged(running: Running, attempt: Callable[[], bool]) -> None:
    """Try until it is true; a server that is not there yet refuses the connection or breaks it.

    Raises:
        StartError: A process of it has ended.
        TimeoutError: It takes too long.
    """
    deadline = time.monotonic() + GIVE_UP_AFTER
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if attempt():
                return
        for each in running.processes:
            each.check_running()
        time.sleep(RETRY_EVERY)
    raise TimeoutError(f"no acknowledgement within {GIVE_UP_AFTER:.0f} s")
