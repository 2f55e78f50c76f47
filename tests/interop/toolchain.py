"""Finds the JDK and Maven, and builds the drivers of java/ once for each state of their sources.

What Maven makes stays in java/target (ignored by git) with a stamp of the sources it was made from, so a
second run starts no Maven and needs no network. A file lock keeps parallel processes from building at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PROJECT = Path(__file__).parent / "java"
TARGET = PROJECT / "target"
STAMP = TARGET / "built-from"
_BUILD_SECONDS = 600

# Short-lived JVMs on few cores: the first compiler tier, one collector thread, no files in /tmp.
_SMALL_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto")


class BuildError(Exception):
    """Maven did not build the drivers."""


def missing_tools() -> list[str]:
    """What has to be installed before anything here can run, as text for a person."""
    wanted = {"java": "a JDK, 17 or newer", "javac": "a JDK, 17 or newer", "mvn": "Maven, 3.6 or newer"}
    return sorted({what for command, what in wanted.items() if shutil.which(command) is None})


@dataclass(frozen=True, slots=True)
class Java:
    """A JVM with Apache's jars and our drivers on its class path."""

    class_path: str

    def command(
        self, main: str, *arguments: str, home: Path, heap: str, options: Sequence[str] = ()
    ) -> list[str]:
        """The command line that runs ``main``; what it writes for itself goes below ``home``."""
        redirected = (f"-Duser.home={home}", f"-Drocketmq.home.dir={home}")
        logging = "-Drmq.logback.configurationFile=quiet.logback.xml"
        memory = f"-Xmx{heap}"
        return [
            "java",
            *_SMALL_JVM,
            memory,
            *redirected,
            logging,
            *options,
            "-cp",
            self.class_path,
            main,
            *arguments,
        ]


def build() -> Java:
    """Build what is out of date and return the JVM to run it with."""
    state = _state_of_sources()
    with (PROJECT / "pom.xml").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not STAMP.exists() or STAMP.read_text() != state:
            shutil.rmtree(TARGET, ignore_errors=True)
            _run_maven()
            STAMP.write_text(state)
    return Java(class_path=f"{TARGET / 'classes'}:{TARGET / 'lib'}/*")


def _state_of_sources() -> str:
    digest = hashlib.sha256()
    for path in [PROJECT / "pom.xml", *sorted((PROJECT / "src").rglob("*.*"))]:
        digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _run_maven() -> None:
    command = ["mvn", "--quiet", "--batch-mode", "--file", str(PROJECT / "pom.xml"), "process-classes"]
    # First from the local repository alone: that needs no network and cannot be slowed down by one.
    if _output_of_failure([*command, "--offline"]) is None:
        return
    output = _output_of_failure(command)
    if output is not None:
        raise BuildError(f"{' '.join(command)} failed:\n{output}")


def _output_of_failure(command: Sequence[str]) -> str | None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False)
    return None if done.returncode == 0 else done.stdout + done.stderr
