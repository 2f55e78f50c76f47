"""Headers of sends (request-codes.md 3).

Version 2 is version 1 with single-letter keys; everybody but very old clients sends version 2.
"""

from __future__ import annotations

from rocketmq_lite.protocol.headers.shape import I32, Header, key
from rocketmq_lite.records import dataclass

__all__ = [
    "ConsumerSendMsgBackRequestHeader",
    "SendMessageRequestHeader",
    "SendMessageRequestHeaderV2",
    "SendMessageResponseHeader",
]


@dataclass(frozen=True, slots=True)
class SendMessageRequestHeader(Header):
    """10. ``queue_id`` -1 leaves the choice to the broker."""

    producer_group: str
    topic: str
    default_topic: str
    default_topic_queue_nums: I32
    queue_id: I32
    sys_flag: I32
    born_timestamp: int
    flag: I32
    properties: str | None = None
    reconsume_times: I32 | None = None
    unit_mode: bool | None = None
    max_reconsume_times: I32 | None = None
    batch: bool | None = None
    broker_name: str | None = key("bname", default=None)


@dataclass(frozen=True, slots=True)
class SendMessageRequestHeaderV2(Header):
    """310, and 320 with ``batch``."""

    producer_group: str = key("a")
    topic: str = key("b")
    default_topic: str = key("c")
    default_topic_queue_nums: I32 = key("d")
    queue_id: I32 = key("e")
    sys_flag: I32 = key("f")
    born_timestamp: int = key("g")
    flag: I32 = key("h")
    properties: str | None = key("i", default=None)
    reconsume_times: I32 | None = key("j", default=None)
    unit_mode: bool | None = key("k", default=None)
    max_reconsume_times: I32 | None = key("l", default=None)
    batch: bool | None = key("m", default=None)
    broker_name: str | None = key("n", default=None)


@dataclass(frozen=True, slots=True)
class ConsumerSendMsgBackRequestHeader(Header):
    """36. ``offset`` is a position of the commit log; ``delay_level`` 0 leaves the delay to the broker."""

    offset: int
    group: str
    delay_level: I32
    origin_msg_id: str | None = None
    origin_topic: str | None = None
    unit_mode: bool | None = None
    max_reconsume_times: I32 | None = None


@dataclass(frozen=True, slots=True)
class SendMessageResponseHeader(Header):
    """Comes with codes 0, 10, 11 and 12. ``msg_id`` is the broker's id; of a batch, all joined by commas."""

    msg_id: str
    queue_id: I32
    queue_offset: int
    transaction_id: str | None = None
    batch_uniq_id: str | None = None
    recall_handle: str | None = None
    region_id: str | None = key("MSG_REGION", default=None)
    trace_on: bool | None = key("TRACE_ON", default=None)
