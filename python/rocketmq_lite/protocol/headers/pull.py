"""Headers of pulling (request-codes.md 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

from rocketmq_lite.protocol.headers.shape import Header

__all__ = ["PullMessageRequestHeader", "PullMessageResponseHeader", "PullSysFlag"]


class PullSysFlag(IntFlag):
    """What a pull asks for besides messages (Java's ``PullSysFlag``)."""

    COMMIT_OFFSET = 1
    SUSPEND = 2
    SUBSCRIPTION = 4
    CLASS_FILTER = 8
    LITE_PULL = 16


@dataclass(frozen=True, slots=True)
class PullMessageRequestHeader(Header):
    """11 and 361."""

    consumer_group: str
    topic: str
    queue_id: int
    queue_offset: int
    max_msg_nums: int
    sys_flag: int
    commit_offset: int
    suspend_timeout_millis: int
    sub_version: int
    subscription: str | None = None
    expression_type: str | None = None
    max_msg_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class PullMessageResponseHeader(Header):
    """The answer to 11 and 361 with code 0, 19, 20 or 21."""

    suggest_which_broker_id: int
    next_begin_offset: int
    min_offset: int
    max_offset: int
