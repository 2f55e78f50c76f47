"""From a broker's answer to what the caller of a send gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.model import MessageQueue, SendStatus

if TYPE_CHECKING:
    from rocketmq_lite.model import SendReceipt
    from rocketmq_lite.protocol.framing import MessageIds, SendAnswer

__all__ = ["receipt_of", "receipts_of"]

_STATUS: Final = {status.value: status for status in SendStatus}


def receipt_of(message_id: str, queue: MessageQueue, answer: SendAnswer) -> SendReceipt:
    """The receipt of a single message."""
    return answer.receipt(message_id, _stored_in(queue, answer.queue_id), _STATUS[answer.code])


def receipts_of(message_ids: MessageIds, queue: MessageQueue, answer: SendAnswer) -> list[SendReceipt]:
    """One receipt for each message of a request."""
    return answer.receipts(message_ids, _stored_in(queue, answer.queue_id), _STATUS[answer.code])


def _stored_in(queue: MessageQueue, queue_id: int) -> MessageQueue:
    """The queue that the broker names, which may not be the one asked for."""
    return queue if queue_id == queue.queue_id else MessageQueue(queue.topic, queue.broker_name, queue_id)
