"""A load program as the runner sees it: a process that is given a job, is ready, may go, and is done."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parent.parent
GIVE_UP_AFTER = 240.0
"""Seconds for a whole job; one that hangs must not hold up what comes after it."""


class LoadError(Exception):
    """A load program did not do its job; the text has the end of what it wrote."""


class LoadProgram:
    """One process and its job."""

    process: subprocess.Popen[str]
    _errors: IO[bytes]

    def __init__(self, command: Sequence[str], job: Mapping[str, object]) -> None:
        self._command = command
        self._job = job
        self._stack = contextlib.ExitStack()
        self._late = threading.Timer(GIVE_UP_AFTER, self._give_up)

    def __enter__(self) -> Self:
        self._errors = self._stack.enter_context(tempfile.TemporaryFile())
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._late.start()
        self._write(json.dumps(self._job))
        return self

    def __exit__(self, *_: object) -> None:
        self._late.cancel()
        self.process.kill()
        self.process.communicate()
        self._stack.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def ready(self) -> dict[str, Any]:
        """Wait until it is connected and warm; what it says of itself."""
        return self._expect("ready")

    def go(self) -> None:
        """Let it begin."""
        self._write("go")

    def done(self) -> dict[str, Any]:
        """Wait for its report."""
        return self._expect("done")

    def run(self) -> dict[str, Any]:
        """All of it, unmeasured."""
        self.ready()
        self.go()
        return self.done()

    def _write(self, line: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None

    def _expect(self, event: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            # Libraries print, too.
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                if found.get("event") == event:
                    return found
        raise self._failure()

    def _failure(self) -> LoadError:
        code = self.process.wait()
        self._errors.seek(0)
        output = self._errors.read()[-4000:].decode(errors="replace")
        return LoadError(f"{' '.join(self._command[-3:])} ended with {code} on {self._job}:\n{output}")

    def _give_up(self) -> None:
        self.process.kill()
