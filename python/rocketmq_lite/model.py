"""Frozen data that crosses layers: what a message, a queue and a receipt are.

Nothing here does I/O or knows the wire; names are RocketMQ's words in snake_case. Types that only one
layer needs (headers, bodies, settings) live in that layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import TYPE_CHECKING

from rocketmq_lite import records
from rocketmq_lite._native import SendReceipt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Message", "MessageQueue", "Perm", "SendReceipt", "SendStatus", "Tags", "Where"]


class Perm(IntFlag):
    """Permission bits of a topic or a broker (Java's ``PermName``)."""

    INHERIT = 1
    WRITE = 2
    READ = 4
    PRIORITY = 8


class SendStatus(Enum):
    """How firmly a sent message is stored; the value is RocketMQ's response code."""

    OK = 0
    FLUSH_DISK_TIMEOUT = 10
    SLAVE_NOT_AVAILABLE = 11
    FLUSH_SLAVE_TIMEOUT = 12


@dataclass(frozen=True, slots=True, order=True)
class MessageQueue:
    """One queue of a topic on one broker group; the order is Java's (topic, broker name, queue id)."""

    topic: str
    broker_name: str
    queue_id: int


@dataclass(frozen=True, slots=True)
class Message:
    """One of many messages to send that is more than a body.

    Attributes:
        body: At least one byte, at most 4 MiB.
        tag: One word that consumers can filter by.
        keys: One key, or several, by which the message can be found later.
        properties: Your own pairs of text.
    """

    body: bytes
    tag: str | None = None
    keys: str | Iterable[str] = ()
    properties: Mapping[str, str] | None = None


@records.dataclass(frozen=True, slots=True)
class Tags:
    """A subscription by tags: ``"paid || refunded"``; ``"*"`` takes every message."""

    expression: str = "*"


@records.dataclass(frozen=True, slots=True)
class Where:
    """A subscription by an SQL92 condition over message properties."""

    expression: str
