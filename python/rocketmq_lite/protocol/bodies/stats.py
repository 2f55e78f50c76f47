"""Statistics of topics, whose tables have queues as keys (request-codes.md 9)."""

from __future__ import annotations

from dataclasses import dataclass

from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies.shape import JsonBody
from rocketmq_lite.protocol.framing import json_loads

__all__ = ["TopicOffset", "decode_topic_stats"]


@dataclass(frozen=True, slots=True)
class TopicOffset(JsonBody):
    """The bounds of one queue; the time is that of the last message in milliseconds, 0 if there is none."""

    min_offset: int = 0
    max_offset: int = 0
    last_update_timestamp: int = 0


def decode_topic_stats(data: bytes) -> dict[MessageQueue, TopicOffset]:
    """Read the answer to 202.

    Raises:
        LocalProtocolError: It is something else.
    """
    body = json_loads(data)
    table = body.get("offsetTable") if isinstance(body, dict) else None
    if not isinstance(table, dict):
        raise LocalProtocolError("topic statistics without an offsetTable")
    return {_queue(key): TopicOffset.from_json(value) for key, value in table.items()}


def _queue(key: object) -> MessageQueue:
    members = dict(key) if isinstance(key, tuple) else {}
    try:
        return MessageQueue(str(members["topic"]), str(members["brokerName"]), int(members["queueId"]))
    except (KeyError, TypeError, ValueError) as error:
        raise LocalProtocolError(f"{key!r} is no queue") from error
