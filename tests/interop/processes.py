"""Child processes of the judges: output kept in a file, ended for certain, free ports found for them."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_STOP_SECONDS = 30
_TAIL_BYTES = 4000
# By fours, below the range of outgoing connections on Linux and elsewhere.
_PORTS = range(12_000, 32_000, 4)
# Where this process starts to look, so that two test runs on one machine do not ask for the same ports.
_candidates = itertools.count(os.getpid() * 37)


class StartError(Exception):
    """A server did not come up; the text holds the end of its output."""


class Process:
    """A running child whose output goes to a file."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        self._command = command
        self._home = home
        self._log = home / "output"
        self._popen = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "HOME": str(self._home), "ROCKETMQ_HOME": str(self._home)}
        with self._log.open("ab") as output:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def restart(self) -> None:
        """End the child at once and start it again."""
        self.kill()
        self._popen = self._start()

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Poll ``ready`` until it holds; a child that died or is too slow is an error showing its output."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check_running()
            if time.monotonic() > deadline:
                raise StartError(f"not ready after {seconds} s:\n{self.output_tail()}")
            # Another process's start has no event to wait for.
            time.sleep(0.05)

    def check_running(self) -> None:
        """Raise StartError, with the end of its output, when the child has ended."""
        if self._popen.poll() is not None:
            raise StartError(
                f"exited with {self._popen.returncode} before it was ready:\n{self.output_tail()}"
            )

    def stop(self) -> int:
        """Ask the child to end, kill it if it does not, and return its exit code."""
        self._popen.terminate()
        try:
            return self._popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End the child at once."""
        self._popen.kill()
        return self._popen.wait()

    def output_tail(self) -> str:
        """The end of what the child wrote, for an error message."""
        return self._log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")


@contextlib.contextmanager
def child(command: Sequence[str], *, home: Path) -> Iterator[Process]:
    """Run ``command`` with ``home`` as its home directory and its output there; leaving stops it."""
    process = Process(command, home)
    try:
        yield process
    finally:
        process.stop()


def free_ports() -> int:
    """The first of four neighbouring ports of the loopback address that are free.

    For servers that cannot be told to pick a port themselves. A port is handed out once, and none of those
    given to outgoing connections: between this look and the server's own, one of them would be taken.
    """
    for _ in range(len(_PORTS)):
        first = _PORTS[next(_candidates) % len(_PORTS)]
        if all(_is_free(port) for port in range(first, first + _PORTS.step)):
            return first
    raise StartError("no four neighbouring free ports on 127.0.0.1")


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
