"""Servers as real processes: start with a ready file, stop or kill, always reaped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

READY_WITHIN = 30.0


@dataclass
class Server:
    """One `rmq` server process; `ready` is what its ready file says."""

    arguments: list[str]
    ready_file: Path
    environment: dict[str, str] | None = None
    process: subprocess.Popen[bytes] = field(init=False)
    ready: dict[str, str] = field(init=False)

    def __enter__(self) -> Self:
        self.ready_file.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rocketmq_lite", *self.arguments, "--ready-file", str(self.ready_file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )
        try:
            self.ready = self._await_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def interrupt(self, sig: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        """Ask it to stop; its exit code, standard output and standard error."""
        self.process.send_signal(sig)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out.decode(), err.decode()

    def kill(self) -> None:
        """SIGKILL and reap; nothing happens when it has ended."""
        self.process.kill()
        self.process.communicate()

    def _await_ready(self) -> dict[str, str]:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if self.ready_file.exists():
                answer: dict[str, str] = json.loads(self.ready_file.read_text())
                return answer
            if self.process.poll() is not None:
                _, err = self.process.communicate()
                message = f"{self.arguments} ended with {self.process.returncode}: {err.decode()}"
                raise AssertionError(message)
            # Another process: there is no event to wait for but the file it writes.
            time.sleep(0.005)
        message = f"{self.arguments} was not ready within {READY_WITHIN} s"
        raise AssertionError(message)


def up(data: Path, *arguments: str) -> Server:
    """`rmq up` on free ports with its data in `data`."""
    data.mkdir(parents=True, exist_ok=True)
    ports = ["--namesrv-port", "0", "--broker-port", "0"]
    return Server(["up", "--data", str(data), *ports, *arguments], data / "ready.json")
