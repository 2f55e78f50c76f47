"""The topics that a broker has from its first start, and why a name is refused. The names are `protocol.reserved`'s.

Surprise: the topics named like the cluster and like the broker are templates for auto-creation too, which is why
they carry the inherit bit that only ``TBW102`` is known for.
"""

from __future__ import annotations

from typing import Final

from rocketmq_lite.protocol import reserved
from rocketmq_lite.protocol.reserved import (
    DLQ_PREFIX,
    MAX_GROUP_LENGTH,
    MAX_TOPIC_LENGTH,
    RETRY_PREFIX,
    SYSTEM_TOPIC_PREFIX,
    TEMPLATE_TOPIC,
    VALID_NAME,
)
from rocketmq_lite.records import dataclass

PERM_INHERIT: Final = 1
PERM_WRITE: Final = 2
PERM_READ: Final = 4
PERM_READ_WRITE: Final = PERM_READ | PERM_WRITE

MAX_PREFIXED_TOPIC_LENGTH: Final = 255  # %RETRY% and %DLQ% topics carry a whole group name


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
        SystemTopic(reserved.SELF_TEST_TOPIC, 1),
        *template,
        SystemTopic(reserved.BENCHMARK_TOPIC, 1024),
        SystemTopic(cluster, 16, inheritable),
        SystemTopic(broker_name, 1, inheritable),
        SystemTopic(reserved.OFFSET_MOVED_EVENT, 1),
        SystemTopic(reserved.SCHEDULE_TOPIC, 18),
        SystemTopic(reserved.reply_topic(cluster), 1),
        SystemTopic(f"{SYSTEM_TOPIC_PREFIX}REVIVE_LOG_{cluster}", 8),
        SystemTopic(f"{SYSTEM_TOPIC_PREFIX}SYNC_BROKER_MEMBER_{broker_name}", 1, PERM_INHERIT),
        SystemTopic(reserved.TRANS_HALF_TOPIC, 1),
        SystemTopic(reserved.TRANS_OP_HALF_TOPIC, 1),
        SystemTopic(reserved.WHEEL_TIMER_TOPIC, 1),
    )


def system_topic_names(*, cluster: str, broker_name: str) -> tuple[str, ...]:
    """All names the broker reserves, sorted: the answer of GET_SYSTEM_TOPIC_LIST_FROM_BROKER."""
    own = {topic.name for topic in system_topics(cluster=cluster, broker_name=broker_name, template_queues=1)}
    return tuple(sorted(reserved.SYSTEM_TOPICS | own))


def is_retry_topic(name: str) -> bool:
    """Whether this is a group's retry topic."""
    return name.startswith(RETRY_PREFIX)


def is_dead_letter_topic(name: str) -> bool:
    """Whether this is the topic of a group's dead letters."""
    return name.startswith(DLQ_PREFIX)


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
    if VALID_NAME.fullmatch(name):
        return None
    return f"the {kind} name {name!r} holds characters other than letters, digits and % | _ -"
