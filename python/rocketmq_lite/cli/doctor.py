"""`rmq doctor`: what is known to be wrong in the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from rocketmq_lite.cli import session
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.render import show_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rocketmq_lite.client.engine.diagnosis import Problem


async def doctor(options: GlobalOptions) -> None:
    """Look for known problems of brokers and consumer groups; ends with 1 if there are any."""
    async with session.connected(options) as client:
        found = await client.admin.problems()
    show_rows(problem_rows(found), options, empty="nothing is known to be wrong")
    if found:
        raise typer.Exit(1)


def problem_rows(problems: Iterable[Problem]) -> list[dict[str, object]]:
    """One row a problem."""
    return [
        {"kind": each.kind, "subject": each.subject, "text": each.text, "hint": each.hint}
        for each in problems
    ]


def add_command(app: typer.Typer, *, panel: str) -> None:
    """Make it a command of the root."""
    app.command("doctor", rich_help_panel=panel)(with_global_options(doctor))
