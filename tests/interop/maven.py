"""Apache's published jars of one version, and our drivers compiled against them (java/)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.interop.toolchain import BuildError, build_once, output_of_failure

if TYPE_CHECKING:
    from collections.abc import Sequence

# The newest has the servers and the admin tool too; the others the client alone. Each is a profile of the pom.
NEWEST = "5.5.0"
_PROJECT = Path(__file__).parent / "java"

# Short-lived JVMs on few cores: the first compiler tier, one collector thread, no files in /tmp.
_SMALL_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto")


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


def build(version: str = NEWEST) -> Java:
    """Build what is out of date and return the JVM to run it with."""
    target = _PROJECT / "target" / version
    sources = [_PROJECT / "pom.xml", *sorted((_PROJECT / "src").rglob("*.*"))]
    build_once(sources, target, lambda: _run_maven(version))
    return Java(class_path=f"{target / 'classes'}:{target / 'lib'}/*")


def _run_maven(version: str) -> None:
    command = ["mvn", "--quiet", "--batch-mode", "--activate-profiles", version, "process-classes"]
    # First from the local repository alone: that needs no network and cannot be slowed down by one.
    if output_of_failure([*command, "--offline"], directory=_PROJECT) is None:
        return
    output = output_of_failure(command, directory=_PROJECT)
    if output is not None:
        raise BuildError(f"{' '.join(command)} failed:\n{output}")
