"""Published jars, gathered by Maven once for each state of a project file; and what is compiled against them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.interop.toolchain import BuildError, build_once, output_of_failure

PROJECT = Path(__file__).parent.parent / "java"
HEAP = "2g"
"""The largest heap a server's JVM may use; everything else of it is the JVM's default."""


def missing() -> str | None:
    """What has to be installed before any jar can be used."""
    absent = [command for command in ("java", "javac", "mvn") if shutil.which(command) is None]
    if not absent:
        return None
    return f"{', '.join(absent)} (Debian: apt-get install default-jdk-headless maven)"


def class_path(name: str) -> str:
    """The class path of a project file: `rocketmq` or `kafka`.

    Raises:
        BuildError: Maven failed.
    """
    pom = PROJECT / ("pom.xml" if name == "rocketmq" else f"{name}.xml")
    sources = [pom, *(sorted((PROJECT / "src").rglob("*.*")) if name == "rocketmq" else ())]
    target = PROJECT / "target" / name
    build_once(sources, target, lambda: _run_maven(pom))
    return f"{target / 'classes'}:{target / 'lib'}/*"


def java(class_path: str, main: str, *arguments: str, options: tuple[str, ...] = ()) -> list[str]:
    """The command line that runs ``main`` on a JVM with its own choice of compilers and collector."""
    return ["java", f"-Xmx{HEAP}", "-XX:-UsePerfData", *options, "-cp", class_path, main, *arguments]


def _run_maven(pom: Path) -> None:
    command = ["mvn", "--quiet", "--batch-mode", "--file", pom.name, "process-classes"]
    # First from the local repository alone: that needs no network and cannot be slowed down by one.
    if output_of_failure([*command, "--offline"], directory=PROJECT) is None:
        return
    output = output_of_failure(command, directory=PROJECT)
    if output is not None:
        raise BuildError(f"{' '.join(command)} failed:\n{output}")
