"""The whole command tree, and the part of it that a server's start needs."""

from __future__ import annotations

import typer.main

from rocketmq_lite.cli import servers
from rocketmq_lite.cli.app import ORDER, build


def test_a_servers_start_builds_the_servers_alone() -> None:
    whole = typer.main.get_group(build())
    part = typer.main.get_group(build(servers_only=True))
    assert sorted(whole.commands) == sorted(ORDER)
    assert sorted(part.commands) == sorted(servers.NAMES)
