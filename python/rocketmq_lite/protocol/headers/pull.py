"""Headers of reads: pulling, looking up by key, viewing one message (request-codes.md 3)."""

from __future__ import annotations

from enum import IntFlag

from rocketmq_lite.protocol.headers.shape import I32, Header
from rocketmq_lite.protocol.headers.shape import key as wire_key
from rocketmq_lite.records import dataclass

__all__ = [
    "PullMessageRequestHeader",
    "PullMessageResponseHeader",
    "PullSysFlag",
    "QueryMessageRequestHeader",
    "QueryMessageResponseHeader",
    "ViewMessageRequestHeader",
]


class PullSysFlag(IntFlag):
    """Which parts of a pull request are meant."""

    COMMIT_OFFSET = 1
    SUSPEND = 2
    SUBSCRIPTION = 4
    CLASS_FILTER = 8
    LITE_PULL = 16


@dataclass(frozen=True, slots=True)
class PullMessageRequestHeader(Header):
    """11 and 361. ``suspend_timeout_millis`` is how long the broker may hold a pull that finds nothing."""

    consumer_group: str
    topic: str
    queue_id: I32
    queue_offset: int
    max_msg_nums: I32
    sys_flag: I32
    commit_offset: int
    suspend_timeout_millis: int
    subscription: str | None = None
    sub_version: int = 0
    expression_type: str | None = None
    max_msg_bytes: I32 | None = None
    request_source: I32 | None = None
    proxy_froward_client_id: str | None = None  # spelt so on the wire
    broker_name: str | None = wire_key("bname", default=None)


@dataclass(frozen=True, slots=True)
class PullMessageResponseHeader(Header):
    """Comes with codes 0, 19, 20 and 21."""

    suggest_which_broker_id: int
    next_begin_offset: int
    min_offset: int
    max_offset: int
    offset_delta: int | None = None
    topic_sys_flag: I32 | None = None
    group_sys_flag: I32 | None = None
    forbidden_type: I32 | None = None


@dataclass(frozen=True, slots=True)
class QueryMessageRequestHeader(Header):
    """12. With ``unique_key`` the key is a message id that a producer made."""

    topic: str
    key: str
    max_num: I32
    begin_timestamp: int
    end_timestamp: int
    index_type: str | None = None
    last_key: str | None = None
    unique_key: bool | None = wire_key("_UNIQUE_KEY_QUERY", default=None)


@dataclass(frozen=True, slots=True)
class QueryMessageResponseHeader(Header):
    """Comes with 0 and 22."""

    index_last_update_timestamp: int
    index_last_update_phyoffset: int


@dataclass(frozen=True, slots=True)
class ViewMessageRequestHeader(Header):
    """33. ``offset`` is the one in the commit log, out of the broker's message id."""

    offset: int
    topic: str | None = None
