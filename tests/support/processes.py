"""`rmq` as real processes: servers with a ready file, commands that run long; stopped or killed, always reaped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

READY_WITHIN = 30.0
ENDED_WITHIN = 30.0


class Output:
    """What a process writes to one pipe, read while it runs: a full pipe would stop it."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._lines: list[str] = []
        self._ended = False
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_for(self, text: str, *, within: float = READY_WITHIN) -> str:
        """The first line with a text in it, as soon as there is one."""
        with self._came:
            self._came.wait_for(lambda: self._ended or self._first(text) is not None, within)
            found = self._first(text)
        if found is None:
            raise AssertionError(f"no line with {text!r}, but: {self.text()}")
        return found

    def wait_for_end(self) -> str:
        """Everything, once the process has closed the pipe."""
        self._thread.join()
        self._pipe.close()
        return self.text()

    def text(self) -> str:
        """Everything that has come so far."""
        return "".join(self._lines)

    def _first(self, text: str) -> str | None:
        return next((line for line in self._lines if text in line), None)

    def _read(self) -> None:
        for line in self._pipe:
            with self._came:
                self._lines.append(line.decode())
                self._came.notify_all()
        with self._came:
            self._ended = True
            self._came.notify_all()


class Program:
    """One `rmq` command as a process."""

    process: subprocess.Popen[bytes]
    out: Output
    err: Output

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        module: str = "rocketmq_lite",
    ) -> None:
        self.arguments = [sys.executable, "-m", module, *arguments]
        self._environment = environment
        self._stdin = stdin

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self.arguments,
            stdin=self._stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.out, self.err = Output(self.process.stdout), Output(self.process.stderr)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def interrupt(self, sig: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        """Ask it to stop; its exit code, standard output and standard error."""
        self.process.send_signal(sig)
        code = self.process.wait(timeout=ENDED_WITHIN)
        return code, self.out.wait_for_end(), self.err.wait_for_end()

    def wait_until_it_stops(self) -> None:
        """Wait until a signal has made a server begin to stop: from then on it catches no SIGTERM any more."""
        deadline = time.monotonic() + ENDED_WITHIN
        status = Path(f"/proc/{self.process.pid}/status")
        while int(_field(status.read_text(encoding="ascii"), "SigCgt:"), 16) & 1 << signal.SIGTERM - 1:
            assert time.monotonic() < deadline, "it did not begin to stop"
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL and reap; nothing happens when it has ended."""
        self.process.kill()
        self.process.wait()
        self.out.wait_for_end()
        self.err.wait_for_end()

    def resident_bytes(self) -> int:
        """Memory of the process that is in RAM now."""
        statm = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii")
        return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Server(Program):
    """One `rmq` server process; `ready` is what its ready file says."""

    def __init__(
        self,
        arguments: Sequence[str],
        ready_file: Path,
        environment: Mapping[str, str] | None = None,
        *,
        module: str = "rocketmq_lite",
    ) -> None:
        own = ["--ready-file", str(ready_file)]
        super().__init__([*arguments, *own], environment=environment, module=module)
        self.ready_file = ready_file
        self.ready: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.ready_file.unlink(missing_ok=True)
        super().__enter__()
        try:
            self.ready = self._await_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def _await_ready(self) -> dict[str, str]:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if self.ready_file.exists():
                answer: dict[str, str] = json.loads(self.ready_file.read_text())
                return answer
            if self.process.poll() is not None:
                raise AssertionError(
                    f"{self.arguments} ended with {self.process.returncode}: {self.err.wait_for_end()}"
                )
            # Another process: there is no event to wait for but the file it writes.
            time.sleep(0.005)
        raise AssertionError(f"{self.arguments} was not ready within {READY_WITHIN} s: {self.err.text()}")


def _field(status: str, name: str) -> str:
    return next(line.removeprefix(name) for line in status.splitlines() if line.startswith(name))


def up(data: Path, *arguments: str) -> Server:
    """`rmq up` on free ports with its data in `data`."""
    data.mkdir(parents=True, exist_ok=True)
    ports = ["--namesrv-port", "0", "--broker-port", "0"]
    return Server(["up", "--data", str(data), *ports, *arguments], data / "ready.json")


def name_server(directory: Path, *arguments: str, port: int = 0) -> Server:
    """`rmq namesrv` with its data in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    own = ["namesrv", "--port", str(port), "--data", str(directory)]
    return Server([*own, *arguments], directory / "ready.json")


def broker(directory: Path, name: str, namesrv: str, *arguments: str, port: int = 0) -> Server:
    """`rmq broker` with its data in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    own = ["broker", "--name", name, "-n", namesrv, "--port", str(port), "--data", str(directory)]
    return Server([*own, *arguments], directory / "ready.json")
