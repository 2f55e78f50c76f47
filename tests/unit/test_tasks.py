"""Every task of the package starts in a nursery that Ctrl-C spares: nothing opens, takes or goes around Trio's own.

``transport/nursery.py`` is where that is done and why. Only the command line has tasks that are not ours: it is the
program, and ``cli/interrupt.py`` says what Ctrl-C does there.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import rocketmq_lite

PACKAGE = Path(rocketmq_lite.__file__).parent
MECHANISM = PACKAGE / "transport" / "nursery.py"
STARTERS = frozenset(
    {
        "Nursery",
        "open_nursery",
        "serve_listeners",
        "serve_ssl_over_tcp",
        "serve_tcp",
        "spawn_system_task",
    }
)
"""Trio's names by which a task can be started."""


def starters_in(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "trio":
            found.update(alias.name for alias in node.names)
    return found & STARTERS


def test_only_one_file_starts_tasks_by_trio_s_means() -> None:
    ours = [file for file in PACKAGE.rglob("*.py") if "cli" not in file.relative_to(PACKAGE).parts]
    found = {file: starters for file in ours if (starters := starters_in(file.read_text(encoding="utf-8")))}
    assert set(found) == {MECHANISM}, found


@pytest.mark.parametrize(
    "source",
    [
        "async def run():\n async with trio.open_nursery() as nursery: nursery.start_soon(work)",
        "def take(nursery: trio.Nursery): nursery.start_soon(work)",
        "import trio as t\nt.lowlevel.spawn_system_task(work)",
        "from trio import open_nursery",
        "from trio.lowlevel import spawn_system_task as spawn",
    ],
)
def test_it_would_be_seen(source: str) -> None:
    assert starters_in(source)
