"""Names that RocketMQ keeps for itself, and what makes a name valid: spelt here and nowhere else.

Surprise: the topics named like a cluster and like a broker are reserved too, so whether a name is depends on what
clusters and brokers there are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

RETRY_PREFIX: Final = "%RETRY%"
DLQ_PREFIX: Final = "%DLQ%"
SYSTEM_TOPIC_PREFIX: Final = "rmq_sys_"
SYSTEM_GROUP_PREFIX: Final = "CID_RMQ_SYS_"

TEMPLATE_TOPIC: Final = "TBW102"
SELF_TEST_TOPIC: Final = "SELF_TEST_TOPIC"
BENCHMARK_TOPIC: Final = "BenchmarkTest"
CHECKPOINT_TOPIC: Final = "CHECKPOINT_TOPIC"
OFFSET_MOVED_EVENT: Final = "OFFSET_MOVED_EVENT"
SCHEDULE_TOPIC: Final = "SCHEDULE_TOPIC_XXXX"
TRACE_TOPIC: Final = "RMQ_SYS_TRACE_TOPIC"
TRANS_HALF_TOPIC: Final = "RMQ_SYS_TRANS_HALF_TOPIC"
TRANS_OP_HALF_TOPIC: Final = "RMQ_SYS_TRANS_OP_HALF_TOPIC"
ROCKSDB_HALF_TOPIC: Final = "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC"
ROCKSDB_OP_HALF_TOPIC: Final = "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC"
TRANS_CHECK_MAX_TIME_TOPIC: Final = "TRANS_CHECK_MAX_TIME_TOPIC"
WHEEL_TIMER_TOPIC: Final = "rmq_sys_wheel_timer"

SYSTEM_TOPICS: Final = frozenset(
    {
        TEMPLATE_TOPIC,
        SELF_TEST_TOPIC,
        BENCHMARK_TOPIC,
        CHECKPOINT_TOPIC,
        OFFSET_MOVED_EVENT,
        SCHEDULE_TOPIC,
        TRACE_TOPIC,
        TRANS_HALF_TOPIC,
        TRANS_OP_HALF_TOPIC,
        ROCKSDB_HALF_TOPIC,
        ROCKSDB_OP_HALF_TOPIC,
        TRANS_CHECK_MAX_TIME_TOPIC,
        WHEEL_TIMER_TOPIC,
    }
)
"""Always system topics, whatever clusters and brokers are called (client-semantics.md 22)."""

SYSTEM_GROUPS: Final = (
    "TOOLS_CONSUMER",
    "FILTERSRV_CONSUMER",
    "SELF_TEST_C_GROUP",
    "CID_ONS-HTTP-PROXY",
    "CID_ONSAPI_PULL",
    "CID_ONSAPI_PERMISSION",
    "CID_ONSAPI_OWNER",
    "CID_RMQ_SYS_TRANS",
)
"""The consumer groups that every broker has from its first start."""

TOOLS_GROUP: Final = SYSTEM_GROUPS[0]
"""The group in whose name tools read (Java's ``MixAll.TOOLS_CONSUMER_GROUP``)."""

MAX_TOPIC_LENGTH: Final = 127
"""Characters of a topic's name: a record of the first version has one signed byte for their number."""
MAX_GROUP_LENGTH: Final = 120
"""Characters of a group's name: leaves room for the prefixes of its topics."""
VALID_NAME: Final = re.compile(r"[%|a-zA-Z0-9_-]+")
"""What a name of a topic or a group is made of."""


def reply_topic(cluster: str) -> str:
    """The topic through which a cluster's request-reply answers go."""
    return f"{cluster}_REPLY_TOPIC"


def retry_topic(group: str) -> str:
    """The topic through which messages come back to a consumer group that could not work on them."""
    return RETRY_PREFIX + group


def dead_letter_topic(group: str) -> str:
    """The topic in which a group's given-up messages end."""
    return DLQ_PREFIX + group


def is_system_topic(name: str, *, clusters: Collection[str], brokers: Collection[str]) -> bool:
    """Whether a topic is RocketMQ's own where these clusters and brokers are; groups' topics are not."""
    return (
        name in SYSTEM_TOPICS
        or name.startswith(SYSTEM_TOPIC_PREFIX)
        or name in clusters
        or name in brokers
        or any(name == reply_topic(cluster) for cluster in clusters)
    )


def is_system_group(name: str) -> bool:
    """Whether a consumer group is RocketMQ's own."""
    return name in SYSTEM_GROUPS or name.startswith(SYSTEM_GROUP_PREFIX)
