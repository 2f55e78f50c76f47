"""`rmq msg find`: the messages that have a key."""

from __future__ import annotations

from typing import Annotated

import typer

from rocketmq_lite.cli import completion, session
from rocketmq_lite.cli.message_text import message_line, message_record
from rocketmq_lite.cli.options import GlobalOptions
from rocketmq_lite.cli.render import show_line

_MOST = 64  # a broker gives no more for one question


async def find(
    options: GlobalOptions,
    topic: Annotated[
        str,
        typer.Argument(metavar="T", help="The topic.", show_default=False, autocompletion=completion.topics),
    ],
    key: Annotated[str, typer.Option("--key", metavar="K", help="One of the keys.", show_default=False)],
    count: Annotated[
        int, typer.Option("--count", min=1, max=_MOST, help="The most from each broker; the newest count.")
    ] = 32,
) -> None:
    """Print the messages that have a key, oldest first."""
    async with session.connected(options) as client:
        found = await client.admin.messages_by_key(topic, key, limit=count)
    for message in found:
        show_line(message_record(message), options, text=message_line(message))
