"""Headers of what is asked of a name server (namesrv.md)."""

from __future__ import annotations

from rocketmq_lite.protocol.headers.shape import I32, Header, key
from rocketmq_lite.records import dataclass

__all__ = [
    "AddWritePermResponseHeader",
    "BrokerHeartbeatRequestHeader",
    "BrokerNameRequestHeader",
    "ClusterRequestHeader",
    "DeleteTopicInNamesrvRequestHeader",
    "GetBrokerMemberGroupRequestHeader",
    "GetKVConfigResponseHeader",
    "GetRouteInfoRequestHeader",
    "KVKeyRequestHeader",
    "KVNamespaceRequestHeader",
    "PutKVConfigRequestHeader",
    "QueryDataVersionRequestHeader",
    "QueryDataVersionResponseHeader",
    "RegisterBrokerRequestHeader",
    "RegisterBrokerResponseHeader",
    "UnregisterBrokerRequestHeader",
    "WipeWritePermResponseHeader",
]


@dataclass(frozen=True, slots=True)
class GetRouteInfoRequestHeader(Header):
    """105. A missing topic is looked up as ``null``, as Apache does."""

    topic: str = "null"
    accept_standard_json_only: bool | None = None


@dataclass(frozen=True, slots=True)
class RegisterBrokerRequestHeader(Header):
    """103. ``enable_acting_master`` is absent from brokers older than 5.0."""

    broker_name: str
    broker_addr: str
    cluster_name: str
    ha_server_addr: str
    broker_id: int
    heartbeat_timeout_millis: int | None = None
    enable_acting_master: bool | None = None
    compressed: bool = False
    body_crc32: I32 = key("bodyCrc32", default=0)


@dataclass(frozen=True, slots=True)
class RegisterBrokerResponseHeader(Header):
    """103. Both are given to slaves whose master is alive."""

    master_addr: str | None = None
    ha_server_addr: str | None = None


@dataclass(frozen=True, slots=True)
class BrokerHeartbeatRequestHeader(Header):
    """904; what only controllers read is left out."""

    cluster_name: str
    broker_addr: str
    broker_name: str


@dataclass(frozen=True, slots=True)
class UnregisterBrokerRequestHeader(Header):
    """104."""

    broker_name: str
    broker_addr: str
    cluster_name: str
    broker_id: int


@dataclass(frozen=True, slots=True)
class QueryDataVersionRequestHeader(Header):
    """322."""

    broker_name: str
    broker_addr: str
    cluster_name: str
    broker_id: int


@dataclass(frozen=True, slots=True)
class QueryDataVersionResponseHeader(Header):
    """322."""

    changed: bool


@dataclass(frozen=True, slots=True)
class GetBrokerMemberGroupRequestHeader(Header):
    """901."""

    cluster_name: str
    broker_name: str


@dataclass(frozen=True, slots=True)
class BrokerNameRequestHeader(Header):
    """205 and 327: a broker's write permission in the routes."""

    broker_name: str


@dataclass(frozen=True, slots=True)
class WipeWritePermResponseHeader(Header):
    """205: how many topics the broker has."""

    wipe_topic_count: I32


@dataclass(frozen=True, slots=True)
class AddWritePermResponseHeader(Header):
    """327: how many topics the broker has."""

    add_topic_count: I32


@dataclass(frozen=True, slots=True)
class ClusterRequestHeader(Header):
    """224."""

    cluster: str


@dataclass(frozen=True, slots=True)
class DeleteTopicInNamesrvRequestHeader(Header):
    """216."""

    topic: str
    cluster_name: str | None = None


@dataclass(frozen=True, slots=True)
class KVNamespaceRequestHeader(Header):
    """219."""

    namespace: str


@dataclass(frozen=True, slots=True)
class KVKeyRequestHeader(Header):
    """101 and 102."""

    namespace: str
    key: str


@dataclass(frozen=True, slots=True)
class PutKVConfigRequestHeader(Header):
    """100."""

    namespace: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class GetKVConfigResponseHeader(Header):
    """101."""

    value: str
