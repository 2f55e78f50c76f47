"""From a broker's answer to what the caller of a send gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.model import MessageQueue, SendReceipt, SendStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rocketmq_lite.protocol.sends import SendAnswer

__all__ = ["receipt_of", "receipts_of"]

_STATUS: Final = {status.value: status for status in SendStatus}


def receipt_of(message_id: str, queue: MessageQueue, answer: SendAnswer) -> SendReceipt:
    """The receipt of a single message."""
    stored_in = _stored_in(queue, answer)
    return SendReceipt(
        message_id, stored_in, answer.queue_offset, _STATUS[answer.code], answer.offset_message_id
    )


def receipts_of(message_ids: Sequence[str], queue: MessageQueue, answer: SendAnswer) -> list[SendReceipt]:
    """One receipt for each message of a request."""
    stored_in = _stored_in(queue, answer)
    status = _STATUS[answer.code]
    offset_ids = answer.offset_message_id.split(",")
    if len(offset_ids) != len(message_ids):  # a batch stored as one record has one id
        offset_ids = [answer.offset_message_id] * len(message_ids)
    return [
        SendReceipt(message_id, stored_in, answer.queue_offset + place, status, offset_id)
        for place, (message_id, offset_id) in enumerate(zip(message_ids, offset_ids, strict=True))
    ]


def _stored_in(queue: MessageQueue, answer: SendAnswer) -> MessageQueue:
    """The queue that the broker names, which may not be the one asked for."""
    if answer.queue_id == queue.queue_id:
        return queue
    return MessageQueue(queue.topic, queue.broker_name, answer.queue_id)
