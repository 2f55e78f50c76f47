"""Other languages' compilers: which are missing, and a build once for each state of its sources.

What a build makes stays beside its sources (ignored by git) with a stamp of what it was made from, so a second
run starts no compiler and needs no network. A file lock keeps parallel processes from building at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

BUILD_SECONDS = 600
_WANTED = {
    "java": "a JDK, 17 or newer",
    "javac": "a JDK, 17 or newer",
    "mvn": "Maven, 3.6 or newer",
    "go": "Go, 1.19 or newer",
}


class BuildError(Exception):
    """A compiler did not build the drivers."""


def missing_tools() -> list[str]:
    """What has to be installed before anything here can run, as text for a person."""
    return sorted({what for command, what in _WANTED.items() if shutil.which(command) is None})


def build_once(sources: Sequence[Path], target: Path, build: Callable[[], None]) -> None:
    """Call ``build`` with an empty ``target`` unless a call for the same sources has filled it.

    Raises:
        BuildError: the build failed; the next call tries again.
    """
    project = sources[0].parent
    state = _state(sources, project)
    stamp = target / "built-from"
    with _locked(project):
        if not stamp.exists() or stamp.read_text() != state:
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            build()
            stamp.write_text(state)


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    # The directory itself: a compiler may lock its own files, as go does go.mod.
    lock = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _state(sources: Sequence[Path], project: Path) -> str:
    digest = hashlib.sha256()
    for path in sources:
        digest.update(str(path.relative_to(project)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def output_of_failure(command: Sequence[str], *, directory: Path) -> str | None:
    """What a compiler printed when it failed; None when it did not."""
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    return None if done.returncode == 0 else done.stdout + done.stderr
