"""`rmq producer`: who is in a producer group."""

from __future__ import annotations

from typing import Annotated

import typer

from rocketmq_lite.cli import session
from rocketmq_lite.cli.group_rows import client_row
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.render import show_rows

app = typer.Typer(name="producer", help="Producer groups: who sends.", no_args_is_help=True)


async def ls(
    options: GlobalOptions,
    group: Annotated[str, typer.Argument(metavar="GROUP", help="The producer group.", show_default=False)],
) -> None:
    """List the clients that are online in a producer group."""
    async with session.connected(options) as client:
        members = await client.admin.producers(group)
    rows = [client_row(each) for each in members]
    show_rows(rows, options, empty=f"nobody of producer group {group} is online")


app.command("ls")(with_global_options(ls))
