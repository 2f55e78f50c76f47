"""What the documents tell a reader to run, runs: Python blocks as programs or tests, `$ rmq` lines as commands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.processes import up

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)

pytestmark = [pytest.mark.slow]


def blocks(language: str) -> Iterator[object]:
    for page in PAGES:
        for number, match in enumerate(BLOCK.finditer(page.read_text())):
            if match[1] == language:
                yield pytest.param(match[2], id=f"{page.relative_to(ROOT)}-{number}")


@pytest.mark.parametrize("program", list(blocks("python")))
def test_python_block(program: str, tmp_path: Path) -> None:
    script = tmp_path / "test_block.py"
    script.write_text(program)
    runner = ["-m", "pytest", "-q", "-o", "trio_mode=true"] if "def test_" in program else []
    run = subprocess.run(
        [sys.executable, "-W", "error", *runner, script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert run.stdout


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An environment in which `rmq` is on the PATH and finds a running cluster."""
    folder = tmp_path_factory.mktemp("console")
    shim = folder / "rmq"
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m rocketmq_lite "$@"\n')
    shim.chmod(0o755)
    with up(folder / "data") as server:
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        yield os.environ | {"PATH": path, "ROCKETMQ_NAMESRV": server.ready["namesrv"]}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_console_lines(page: Path, console: dict[str, str], tmp_path: Path) -> None:
    transcripts = [match[2] for match in BLOCK.finditer(page.read_text()) if match[1] == "console"]
    for command in re.findall(r"^\$ (.*)$", "\n".join(transcripts), re.MULTILINE):
        run = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env=console,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"
        assert run.stdout, command
