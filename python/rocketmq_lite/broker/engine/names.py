"""The names RocketMQ reserves, and what makes a name valid.

Rules: a name that is special anywhere in the broker is spelt here and nowhere else; whether a *given* broker treats
a topic as a system topic depends on its own and its cluster's name, so that question takes both.

Surprise: the topics named like the cluster and like the broker are templates for auto-creation too, which is why
they carry the inherit bit that only ``TBW102`` is known for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

PERM_INHERIT: Final = 1
PERM_WRITE: Final = 2
PERM_READ: Final = 4
PERM_READ_WRITE: Final = PERM_READ | PERM_WRITE

RETRY_PREFIX: Final = "%RETRY%"
DLQ_PREFIX: Final = "%DLQ%"
SYSTEM_TOPIC_PREFIX: Final = "rmq_sys_"
SYSTEM_GROUP_PREFIX: Final = "CID_RMQ_SYS_"

TEMPLATE_TOPIC: Final = "TBW102"
SELF_TEST_TOPIC: Final = "SELF_TEST_TOPIC"
BENCHMARK_TOPIC: Final = "BenchmarkTest"
OFFSET_MOVED_EVENT: Final = "OFFSET_MOVED_EVENT"
SCHEDULE_TOPIC: Final = "SCHEDULE_TOPIC_XXXX"
TRACE_TOPIC: Final = "RMQ_SYS_TRACE_TOPIC"
TRANS_HALF_TOPIC: Final = "RMQ_SYS_TRANS_HALF_TOPIC"
TRANS_OP_HALF_TOPIC: Final = "RMQ_SYS_TRANS_OP_HALF_TOPIC"
TRANS_CHECK_MAX_TIME_TOPIC: Final = "TRANS_CHECK_MAX_TIME_TOPIC"
WHEEL_TIMER_TOPIC: Final = "rmq_sys_wheel_timer"

# Always system topics, whether or not this broker has created them.
_FIXED_SYSTEM_TOPICS: Final = frozenset(
    {
        TEMPLATE_TOPIC,
        SELF_TEST_TOPIC,
        BENCHMARK_TOPIC,
        OFFSET_MOVED_EVENT,
        SCHEDULE_TOPIC,
        TRACE_TOPIC,
        TRANS_HALF_TOPIC,
        TRANS_OP_HALF_TOPIC,
        TRANS_CHECK_MAX_TIME_TOPIC,
        WHEEL_TIMER_TOPIC,
    }
)

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

MAX_TOPIC_LENGTH: Final = 127  # one signed length byte in a V1 record
MAX_PREFIXED_TOPIC_LENGTH: Final = 255  # %RETRY% and %DLQ% topics carry a whole group name
MAX_GROUP_LENGTH: Final = 120  # leaves room for the prefixes

_VALID_NAME: Final = re.compile(r"[%|a-zA-Z0-9_-]+")


@dataclass(frozen=True, slots=True)
class SystemTopic:
    """A topic that every broker has from its first start."""

    name: str
    queues: int
    perm: int = PERM_READ_WRITE


def system_topics(*, cluster: str, broker_name: str, template_queues: int | None) -> tuple[SystemTopic, ...]:
    """The topics a broker of this name has from the start.

    Args:
        cluster: The cluster's name, itself a template topic.
        broker_name: The broker's name, itself a template topic.
        template_queues: Queues of ``TBW102``; None leaves it out, which switches auto-creation through it off.
    """
    inheritable = PERM_READ_WRITE | PERM_INHERIT
    template = () if template_queues is None else (SystemTopic(TEMPLATE_TOPIC, template_queues, inheritable),)
    return (
        SystemTopic(SELF_TEST_TOPIC, 1),
        *template,
        SystemTopic(BENCHMARK_TOPIC, 1024),
        SystemTopic(cluster, 16, inheritable),
        SystemTopic(broker_name, 1, inheritable),
        SystemTopic(OFFSET_MOVED_EVENT, 1),
        SystemTopic(SCHEDULE_TOPIC, 18),
        SystemTopic(f"{cluster}_REPLY_TOPIC", 1),
        SystemTopic(f"{SYSTEM_TOPIC_PREFIX}REVIVE_LOG_{cluster}", 8),
        SystemTopic(f"{SYSTEM_TOPIC_PREFIX}SYNC_BROKER_MEMBER_{broker_name}", 1, PERM_INHERIT),
        SystemTopic(TRANS_HALF_TOPIC, 1),
        SystemTopic(TRANS_OP_HALF_TOPIC, 1),
        SystemTopic(WHEEL_TIMER_TOPIC, 1),
    )


def is_system_topic(name: str, *, cluster: str, broker_name: str) -> bool:
    """Whether administrators may neither change nor delete this topic on such a broker."""
    return (
        name in _FIXED_SYSTEM_TOPICS
        or name.startswith(SYSTEM_TOPIC_PREFIX)
        or name in {cluster, broker_name, f"{cluster}_REPLY_TOPIC"}
    )


def system_topic_names(*, cluster: str, broker_name: str) -> tuple[str, ...]:
    """All names the broker reserves, sorted: the answer of GET_SYSTEM_TOPIC_LIST_FROM_BROKER."""
    own = {topic.name for topic in system_topics(cluster=cluster, broker_name=broker_name, template_queues=1)}
    return tuple(sorted(_FIXED_SYSTEM_TOPICS | own))


def is_retry_topic(name: str) -> bool:
    """Whether this is a group's retry topic."""
    return name.startswith(RETRY_PREFIX)


def retry_topic(group: str) -> str:
    """The topic a group's failed messages come back through."""
    return RETRY_PREFIX + group


def dead_letter_topic(group: str) -> str:
    """The topic a group's given-up messages end in."""
    return DLQ_PREFIX + group


def topic_name_problem(name: str) -> str | None:
    """Why this cannot be a topic's name, or None when it can."""
    if not name.strip():
        return "the topic name is blank"
    limit = MAX_PREFIXED_TOPIC_LENGTH if name.startswith((RETRY_PREFIX, DLQ_PREFIX)) else MAX_TOPIC_LENGTH
    if len(name) > limit:
        return f"the topic name has {len(name)} characters, at most {limit} are allowed"
    return _character_problem("topic", name)


def group_name_problem(name: str) -> str | None:
    """Why this cannot be a consumer group's name, or None when it can."""
    if not name.strip():
        return "the group name is blank"
    if len(name) > MAX_GROUP_LENGTH:
        return f"the group name has {len(name)} characters, at most {MAX_GROUP_LENGTH} are allowed"
    return _character_problem("group", name)


def _character_problem(kind: str, name: str) -> str | None:
    if _VALID_NAME.fullmatch(name):
        return None
    return f"the {kind} name {name!r} holds characters other than letters, digits and % | _ -"
