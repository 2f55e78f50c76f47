"""`rmq msg get`: one message, by what a receipt, a log line or `rmq msg tail` says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rocketmq_lite.cli import completion, session
from rocketmq_lite.cli.failures import UsageFault
from rocketmq_lite.cli.message_text import message_record
from rocketmq_lite.cli.options import GlobalOptions
from rocketmq_lite.cli.render import show_record

if TYPE_CHECKING:
    from rocketmq_lite.client.client import Client
    from rocketmq_lite.client.message_view import StoredMessage
    from rocketmq_lite.model import MessageQueue

_PARTS_OF_A_PLACE = 4


MessageArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="An offset message id, a producer's message id (with --topic), or T/BROKER/QUEUE/OFFSET.",
        show_default=False,
    ),
]
TopicOption = Annotated[
    str | None,
    typer.Option(
        "--topic",
        metavar="T",
        help="Where to search for a producer's message id.",
        autocompletion=completion.topics,
    ),
]


async def get(options: GlobalOptions, message_id: MessageArgument, topic: TopicOption = None) -> None:
    """Show one message with everything that is stored with it."""
    async with session.connected(options) as client:
        message = await find_message(client, message_id, topic)
    show_record(_record(message), options)


async def find_message(client: Client, message_id: str, topic: str | None) -> StoredMessage:
    """The message that a MessageArgument and a TopicOption name."""
    place = _place(message_id)
    if place is None:
        return await client.admin.message(message_id, topic=topic)
    if topic not in {None, place[0].topic}:
        raise UsageFault(f"{message_id} names another topic than --topic {topic}", hint="leave --topic out")
    return await client.admin.message_at(*place)


def _place(text: str) -> tuple[MessageQueue, int] | None:
    """Queue and offset of ``T/BROKER/QUEUE/OFFSET``; None for an id, which has no slash."""
    from rocketmq_lite.model import MessageQueue

    if "/" not in text:
        return None
    parts = text.split("/")
    if len(parts) != _PARTS_OF_A_PLACE or not all(part.isdecimal() for part in parts[2:]):
        raise UsageFault(
            f"{text} is neither an id nor a place",
            hint="a place is T/BROKER/QUEUE/OFFSET: orders/broker-a/0/42",
        )
    topic, broker, queue, offset = parts
    return MessageQueue(topic, broker, int(queue)), int(offset)


def _record(message: StoredMessage) -> dict[str, object]:
    return {
        **message_record(message),
        "offset_message_id": message.offset_message_id,
        "system_properties": dict(message.system_properties),
        "born_host": message.born_host,
        "store_host": message.store_host,
        "reconsume_times": message.reconsume_times,
    }
