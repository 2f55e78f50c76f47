"""`rmq msg consume`: a message handed to one member of a group, and how its work on it ended."""

from __future__ import annotations

from typing import Annotated

import typer

from rocketmq_lite.cli import completion, session
from rocketmq_lite.cli.message_get import MessageArgument, TopicOption, find_message
from rocketmq_lite.cli.options import GlobalOptions
from rocketmq_lite.cli.render import show_record


async def consume(
    options: GlobalOptions,
    message_id: MessageArgument,
    group: Annotated[
        str,
        typer.Option(
            "--group",
            metavar="G",
            help="Whose member is to work on it.",
            show_default=False,
            autocompletion=completion.groups,
        ),
    ],
    client: Annotated[
        str | None,
        typer.Option(
            "--client",
            metavar="ID",
            help="Which member, as `rmq group clients` lists them; else the only one.",
        ),
    ] = None,
    topic: TopicOption = None,
) -> None:
    """Have a member of a group work on one message now; moves no position, and ends with 1 if the work failed."""
    async with session.connected(options) as connected:
        message = await find_message(connected, message_id, topic)
        found = await connected.admin.consume_directly(group, message, client_id=client)
    record = {
        "message_id": message.message_id,
        "group": group,
        "client_id": found.client_id,
        "result": found.result,
        "remark": found.remark,
        "spent_ms": found.spent_ms,
        "ordered": found.ordered,
    }
    show_record(record, options)
    if not found.succeeded:
        raise typer.Exit(1)
