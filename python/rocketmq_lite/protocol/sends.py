"""What sends share; the request of each, and the answer to it, are made and read by the extension.

The keys are those of :class:`~rocketmq_lite.protocol.headers.send.SendMessageRequestHeaderV2` and
:class:`~rocketmq_lite.protocol.headers.send.SendMessageResponseHeader`, taken from there.
"""

from __future__ import annotations

from typing import Final

from rocketmq_lite.model import SendStatus
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import LANGUAGE, VERSION
from rocketmq_lite.protocol.framing import SendTarget
from rocketmq_lite.protocol.headers.send import SendMessageRequestHeaderV2, SendMessageResponseHeader

__all__ = ["send_target"]

_VARYING: Final = SendMessageRequestHeaderV2.keys("queue_id", "sys_flag", "born_timestamp", "properties")
_ANSWERED: Final = SendMessageResponseHeader.keys("msg_id", "queue_id", "queue_offset")

_STATUS: Final = {status.value: status for status in SendStatus}
"""What the codes mean of brokers that have stored it."""


def send_target(
    group: str, topic: str, broker_name: str, default_topic: str, default_topic_queues: int, *, batch: bool
) -> SendTarget:
    """What makes the sends of a group to one broker's part of a topic."""
    header = SendMessageRequestHeaderV2(
        producer_group=group,
        topic=topic,
        default_topic=default_topic,
        default_topic_queue_nums=default_topic_queues,
        queue_id=0,
        sys_flag=0,
        born_timestamp=0,
        flag=0,
        reconsume_times=0,
        unit_mode=False,
        batch=batch,
        broker_name=broker_name,
    )
    code = RequestCode.SEND_BATCH_MESSAGE if batch else RequestCode.SEND_MESSAGE_V2
    return SendTarget(code, LANGUAGE, VERSION, header.to_fields(), _VARYING, _ANSWERED, _STATUS)
