"""Which names in a list are RocketMQ's own, where these clusters and brokers are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.protocol.reserved import DLQ_PREFIX, RETRY_PREFIX, is_system_topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from rocketmq_lite.protocol.bodies import ClusterInfo


def reserved_topics(info: ClusterInfo) -> Callable[[str], bool]:
    """What says of a topic whether users may leave it alone: RocketMQ's own ones, and those of groups."""
    clusters, brokers = frozenset(info.cluster_addr_table), frozenset(info.broker_addr_table)

    def is_reserved(name: str) -> bool:
        return name.startswith((RETRY_PREFIX, DLQ_PREFIX)) or is_system_topic(
            name, clusters=clusters, brokers=brokers
        )

    return is_reserved
