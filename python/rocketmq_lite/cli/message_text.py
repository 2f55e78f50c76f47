"""How a message is shown: as a record for programs, as a line for people."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rocketmq_lite.client.message_view import MessageView


def message_record(message: MessageView) -> dict[str, object]:
    """The message under the names of docs/cli.md; a body that is no text comes as base64."""
    record: dict[str, object] = {
        "topic": message.topic,
        "broker": message.queue.broker_name,
        "queue": message.queue.queue_id,
        "offset": message.offset,
        "message_id": message.message_id,
        "tag": message.tag,
        "keys": list(message.keys),
        "properties": dict(message.properties),
        "born_at": message.born_at.isoformat(timespec="milliseconds"),
        "stored_at": message.stored_at.isoformat(timespec="milliseconds"),
    }
    return record | body_record(message.body)


def body_record(body: bytes) -> dict[str, object]:
    """The body as text, or in base64 under another name."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def message_line(message: MessageView) -> str:
    """When, where, what, in one line."""
    where = f"{message.queue.broker_name}/{message.queue.queue_id}@{message.offset}"
    labels = [f"[{message.tag}]"] if message.tag else []
    labels += [f"({' '.join(message.keys)})"] if message.keys else []
    return " ".join(
        [
            message.stored_at.astimezone().strftime("%H:%M:%S"),
            where,
            *labels,
            message.body.decode(errors="replace"),
        ]
    )
