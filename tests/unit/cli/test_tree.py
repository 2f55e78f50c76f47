"""The whole command tree, and the part of it that a server's start needs."""

from __future__ import annotations

import pytest
import typer.main

from rocketmq_lite.cli import servers
from rocketmq_lite.cli.app import ORDER, build


def test_the_whole_tree_has_every_command() -> None:
    assert sorted(typer.main.get_group(build()).commands) == sorted(ORDER)


@pytest.mark.parametrize("server", servers.NAMES)
def test_a_servers_start_builds_its_own_command_alone(server: str) -> None:
    whole, part = typer.main.get_group(build()), typer.main.get_group(build(server=server))
    assert list(part.commands) == [server]
    own, same = part.commands[server], whole.commands[server]
    assert [option.opts for option in own.params] == [option.opts for option in same.params]
