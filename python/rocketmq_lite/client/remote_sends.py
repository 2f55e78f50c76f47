"""What stores messages: a request for one queue; `remote` sends it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rocketmq_lite.client.engine.routes import TEMPLATE_QUEUES
from rocketmq_lite.protocol.reserved import TEMPLATE_TOPIC
from rocketmq_lite.protocol.sends import send_target

if TYPE_CHECKING:
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import OutgoingMessage, SendRequest, SendTarget

__all__ = ["send_request"]


def send_request(group: str, message: OutgoingMessage, queue: MessageQueue, born_at: int) -> SendRequest:
    """310: store a message; 320: a batch of them. Of a broker that has not, its answer is taken as it is.

    Args:
        group: The producer group.
        message: The message, or the batch.
        queue: Where it is to be stored.
        born_at: Wall time of the send, in milliseconds.
    """
    target = _target(group, message.topic, queue.broker_name, message.is_batch)
    return target.request(message, queue, born_at)


@lru_cache(maxsize=4096)
def _target(group: str, topic: str, broker_name: str, batch: bool) -> SendTarget:  # noqa: FBT001 - asked for every message
    """What all sends of a group to a broker's part of a topic share; made once, as long as it is in use."""
    return send_target(group, topic, broker_name, TEMPLATE_TOPIC, TEMPLATE_QUEUES, batch=batch)
