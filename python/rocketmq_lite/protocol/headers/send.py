"""Headers of sending (request-codes.md 3)."""

from __future__ import annotations

from dataclasses import dataclass

from rocketmq_lite.protocol.headers.shape import Header, key

__all__ = ["SendMessageRequestHeaderV2", "SendMessageResponseHeader"]


@dataclass(frozen=True, slots=True)
class SendMessageRequestHeaderV2(Header):
    """310 (and 320 with ``batch``): the keys are single letters, ``n`` is the broker's name."""

    producer_group: str = key("a")
    topic: str = key("b")
    default_topic: str = key("c")
    default_topic_queue_nums: int = key("d")
    queue_id: int = key("e")
    sys_flag: int = key("f")
    born_timestamp: int = key("g")
    flag: int = key("h")
    properties: str | None = key("i", default=None)
    reconsume_times: int | None = key("j", default=None)
    unit_mode: bool | None = key("k", default=None)
    max_reconsume_times: int | None = key("l", default=None)
    batch: bool | None = key("m", default=None)
    broker_name: str | None = key("n", default=None)


@dataclass(frozen=True, slots=True)
class SendMessageResponseHeader(Header):
    """The answer to 10, 310 and 320 with code 0, 10, 11 or 12; ``msg_id`` is the broker's id."""

    msg_id: str
    queue_id: int
    queue_offset: int
    transaction_id: str | None = None
    recall_handle: str | None = None
