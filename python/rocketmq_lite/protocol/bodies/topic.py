"""Topics and routes: what brokers register and clients look up (namesrv.md 2, request-codes.md 13)."""

from __future__ import annotations

from dataclasses import field

from rocketmq_lite.protocol.bodies.shape import JsonBody
from rocketmq_lite.protocol.headers.shape import I32
from rocketmq_lite.records import dataclass

__all__ = [
    "BrokerData",
    "BrokerMemberGroup",
    "ClusterInfo",
    "DataVersion",
    "KVTable",
    "QueueData",
    "TopicConfig",
    "TopicConfigList",
    "TopicList",
    "TopicRouteData",
]


@dataclass(frozen=True, slots=True)
class DataVersion(JsonBody):
    """Version of a table; equal only if all three are."""

    counter: int = 0
    state_version: int = 0
    timestamp: int = 0

    def next(self, now_ms: int) -> DataVersion:
        """The version after a change."""
        return DataVersion(counter=self.counter + 1, state_version=self.state_version, timestamp=now_ms)


@dataclass(frozen=True, slots=True)
class TopicConfig(JsonBody):
    """A topic's settings on one broker."""

    topic_name: str
    read_queue_nums: I32 = 16
    write_queue_nums: I32 = 16
    perm: I32 = 6
    topic_filter_type: str = "SINGLE_TAG"
    topic_sys_flag: I32 = 0
    order: bool = False
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicConfigList(JsonBody):
    """18. Attributes are changes here: their names carry ``+`` or ``-``."""

    topic_config_list: tuple[TopicConfig, ...]


@dataclass(frozen=True, slots=True)
class QueueData(JsonBody):
    """How many queues of a topic one broker has."""

    broker_name: str
    read_queue_nums: int = 0
    write_queue_nums: int = 0
    perm: int = 0
    topic_sys_flag: int = 0


@dataclass(frozen=True, slots=True)
class BrokerData(JsonBody):
    """A replica group: broker id to address; 0 is the master."""

    cluster: str
    broker_name: str
    broker_addrs: dict[int, str] = field(default_factory=dict)
    enable_acting_master: bool = False
    zone_name: str | None = None


@dataclass(frozen=True, slots=True)
class TopicRouteData(JsonBody):
    """Where a topic's queues are."""

    queue_datas: tuple[QueueData, ...] = ()
    broker_datas: tuple[BrokerData, ...] = ()
    filter_server_table: dict[str, object] = field(default_factory=dict)
    order_topic_conf: str | None = None


@dataclass(frozen=True, slots=True)
class ClusterInfo(JsonBody):
    """Every replica group, and which cluster it belongs to."""

    broker_addr_table: dict[str, BrokerData] = field(default_factory=dict)
    cluster_addr_table: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BrokerMemberGroup(JsonBody):
    """The members of one replica group."""

    cluster: str
    broker_name: str
    broker_addrs: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicList(JsonBody):
    """Names of topics (or, for system topics, of clusters and brokers)."""

    topic_list: tuple[str, ...] = ()
    broker_addr: str | None = None


@dataclass(frozen=True, slots=True)
class KVTable(JsonBody):
    """A table of texts."""

    table: dict[str, str] = field(default_factory=dict)
