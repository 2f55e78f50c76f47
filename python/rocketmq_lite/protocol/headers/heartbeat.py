"""Headers about clients and their groups (request-codes.md 4)."""

from __future__ import annotations

from rocketmq_lite.protocol.headers.shape import Header, key
from rocketmq_lite.records import dataclass

__all__ = [
    "ConsumeMessageDirectlyResultRequestHeader",
    "GetConsumerConnectionListRequestHeader",
    "GetConsumerListByGroupRequestHeader",
    "GetConsumerRunningInfoRequestHeader",
    "GetProducerConnectionListRequestHeader",
    "NotifyConsumerIdsChangedRequestHeader",
    "UnregisterClientRequestHeader",
]


@dataclass(frozen=True, slots=True)
class UnregisterClientRequestHeader(Header):
    """35."""

    client_id: str = key("clientID")
    producer_group: str | None = None
    consumer_group: str | None = None


@dataclass(frozen=True, slots=True)
class GetConsumerListByGroupRequestHeader(Header):
    """38."""

    consumer_group: str


@dataclass(frozen=True, slots=True)
class NotifyConsumerIdsChangedRequestHeader(Header):
    """40."""

    consumer_group: str


@dataclass(frozen=True, slots=True)
class GetConsumerConnectionListRequestHeader(Header):
    """203."""

    consumer_group: str


@dataclass(frozen=True, slots=True)
class GetProducerConnectionListRequestHeader(Header):
    """204."""

    producer_group: str


@dataclass(frozen=True, slots=True)
class GetConsumerRunningInfoRequestHeader(Header):
    """307. ``jstack_enable`` asks for the stacks of a Java client's threads."""

    consumer_group: str
    client_id: str
    jstack_enable: bool = False


@dataclass(frozen=True, slots=True)
class ConsumeMessageDirectlyResultRequestHeader(Header):
    """309. ``msg_id`` is an offset message id; a broker adds its name, and the message as the body, for the client."""

    consumer_group: str
    client_id: str | None = None
    msg_id: str | None = None
    broker_name: str | None = None
    topic: str | None = None
