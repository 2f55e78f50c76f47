"""`rmq msg`: send messages, watch them come, look one up."""

from __future__ import annotations

import secrets
import sys
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import trio
import typer

from rocketmq_lite.cli import lines, session
from rocketmq_lite.cli.arguments import TopicArgument
from rocketmq_lite.cli.failures import UsageFault
from rocketmq_lite.cli.interrupt import cancelled_by_ctrl_c
from rocketmq_lite.cli.message_consume import consume
from rocketmq_lite.cli.message_find import find
from rocketmq_lite.cli.message_get import get
from rocketmq_lite.cli.message_text import message_line, message_record
from rocketmq_lite.cli.moments import parse_time
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.pipe import until_reader_leaves
from rocketmq_lite.cli.render import show_line, show_record, show_rows
from rocketmq_lite.model import Tags, Where

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rocketmq_lite.client.client import Client
    from rocketmq_lite.client.consumer import Consumer
    from rocketmq_lite.client.consumer_settings import Model
    from rocketmq_lite.model import SendReceipt

app = typer.Typer(name="msg", help="Messages: send them, watch them come, look one up.", no_args_is_help=True)

TagOption = Annotated[str | None, typer.Option("--tag", help="Tag; when watching an expression: a || b.")]
PRODUCER_GROUP = "rmq-cli"

Start = Literal["earliest", "latest"] | datetime


async def send(
    options: GlobalOptions,
    topic: TopicArgument,
    body: Annotated[
        str | None,
        typer.Argument(metavar="[BODY]", help="The body; - reads standard input.", show_default=False),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="F", help="Read the body from a file.")
    ] = None,
    lines_: Annotated[
        bool, typer.Option("--lines", help="One message a line of the file or standard input.")
    ] = False,
    tag: TagOption = None,
    key: Annotated[list[str] | None, typer.Option("--key", metavar="K", help="Key; may be repeated.")] = None,
    property_: Annotated[
        list[str] | None, typer.Option("--property", metavar="K=V", help="Property; may be repeated.")
    ] = None,
    order_key: Annotated[
        str | None, typer.Option("--order-key", metavar="K", help="Same key, same queue, in order.")
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="Send the body so many times.")] = 1,
) -> None:
    """Send a message, or one a line."""
    message = lines.Template(
        topic=topic,
        tag=tag,
        keys=tuple(key or ()),
        properties=_properties(property_ or []),
        order_key=order_key,
    )
    if lines_:
        if body not in {None, "-"} or count != 1:
            raise UsageFault(
                "--lines takes its messages from --file or standard input", hint="leave BODY and --count out"
            )
        async with session.connected(options) as client:
            summary = await lines.send_lines(client.producer(PRODUCER_GROUP), message, file)
        if options.json:
            show_record({"topic": topic, "sent": summary.sent, "empty_lines_skipped": summary.empty}, options)
        else:
            sys.stdout.write(
                f"sent {summary.sent:,} messages to {topic}, skipped {summary.empty:,} empty lines\n"
            )
        return
    content = _body(body, file)
    async with session.connected(options) as client:
        receipts = await message.send(client.producer(PRODUCER_GROUP), [content] * count)
    rows = [_receipt(receipt) for receipt in receipts]
    if count == 1:
        show_record(rows[0], options)
    else:
        show_rows(rows, options, empty="")


async def tail(
    options: GlobalOptions,
    topic: TopicArgument,
    group: Annotated[
        str | None,
        typer.Option("--group", metavar="G", help="Consume as a member of this group; go on where it left."),
    ] = None,
    start: Annotated[
        str, typer.Option("--from", metavar="WHERE", help="earliest, latest or an ISO 8601 time.")
    ] = "latest",
    tag: TagOption = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="Condition over properties: price > 1.")
    ] = None,
    broadcast: Annotated[
        bool,
        typer.Option("--broadcast", help="Get every message of --group, from the position of this machine."),
    ] = False,
    count: Annotated[int | None, typer.Option("--count", min=1, help="Stop after so many.")] = None,
) -> None:
    """Print messages as they come, until Ctrl-C or --count."""
    begin = _start(start)
    if tag is not None and where is not None:
        raise UsageFault("both --tag and --where are given", hint="--where can ask for tags: TAGS = 'paid'")
    if broadcast and group is None:
        raise UsageFault(
            "--broadcast needs --group", hint="without a group every message is shown in any case"
        )
    wanted = Tags(tag or "*") if where is None else Where(where)
    seen = 0
    async with (
        session.connected(options) as client,
        _watching(client, topic, group, begin, wanted, broadcast=broadcast) as messages,
    ):
        with cancelled_by_ctrl_c():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(until_reader_leaves)
                async for message in messages:
                    # Before the block, which would take a failure for the message's.
                    show_line(message_record(message), options, text=message_line(message))
                    async with message:
                        seen += 1
                    if seen == count:
                        break
                nursery.cancel_scope.cancel()


@asynccontextmanager
async def _watching(
    client: Client, topic: str, group: str | None, start: Start, wanted: Tags | Where, *, broadcast: bool
) -> AsyncIterator[Consumer]:
    """A consumer in the group, or in one of its own that is removed afterwards."""
    if group is not None:
        model: Model = "broadcasting" if broadcast else "clustering"
        async with client.consumer(group, {topic: wanted}, start=start, model=model) as messages:
            yield messages
        return
    own = f"rmq-tail-{secrets.token_hex(6)}"
    try:
        async with client.consumer(own, {topic: wanted}, start=start) as messages:
            yield messages
    finally:
        with trio.move_on_after(2, shield=True):
            await client.admin.delete_group(own)


def _start(text: str) -> Start:
    named: dict[str, Start] = {"earliest": "earliest", "latest": "latest"}
    if text in named:
        return named[text]
    return parse_time("--from", text, otherwise="earliest, latest")


def _properties(pairs: list[str]) -> dict[str, str]:
    properties = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageFault(
                f"--property {pair} is not of the form k=v", hint="for example --property amount=12"
            )
        properties[name] = value
    return properties


def _body(body: str | None, file: Path | None) -> bytes:
    if body is not None and file is not None:
        raise UsageFault("both BODY and --file are given", hint="leave one of them out")
    if file is not None:
        return file.read_bytes()
    if body is None:
        raise UsageFault("there is no body", hint="give BODY, --file F, --lines, or - for standard input")
    return sys.stdin.buffer.read() if body == "-" else body.encode()


def _receipt(receipt: SendReceipt) -> dict[str, object]:
    return {
        "message_id": receipt.message_id,
        "offset_message_id": receipt.offset_message_id,
        "broker": receipt.queue.broker_name,
        "queue": receipt.queue.queue_id,
        "offset": receipt.offset,
        "status": "SEND_OK" if receipt.status.value == 0 else receipt.status.name,
    }


app.command("send")(with_global_options(send))
app.command("tail")(with_global_options(tail))
app.command("get")(with_global_options(get))
app.command("find")(with_global_options(find))
app.command("consume")(with_global_options(consume))
