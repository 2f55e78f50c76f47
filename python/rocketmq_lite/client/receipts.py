"""From a broker's answer to what the caller of a send gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.model import MessageQueue, SendReceipt, SendStatus
from rocketmq_lite.protocol.framing import receipts

if TYPE_CHECKING:
    from rocketmq_lite.protocol.framing import MessageIds
    from rocketmq_lite.protocol.sends import SendAnswer

__all__ = ["receipt_of", "receipts_of"]

_STATUS: Final = {status.value: status for status in SendStatus}


def receipt_of(message_id: str, queue: MessageQueue, answer: SendAnswer) -> SendReceipt:
    """The receipt of a single message."""
    code, queue_id, offset, offset_message_id = answer
    if queue_id != queue.queue_id:
        queue = _stored_in(queue, queue_id)
    return SendReceipt(message_id, queue, offset, _STATUS[code], offset_message_id)


def receipts_of(message_ids: MessageIds, queue: MessageQueue, answer: SendAnswer) -> list[SendReceipt]:
    """One receipt for each message of a request."""
    code, queue_id, offset, offset_message_ids = answer
    return receipts(message_ids, _stored_in(queue, queue_id), offset, _STATUS[code], offset_message_ids)


def _stored_in(queue: MessageQueue, queue_id: int) -> MessageQueue:
    """The queue that the broker names, which may not be the one asked for."""
    return queue if queue_id == queue.queue_id else MessageQueue(queue.topic, queue.broker_name, queue_id)
