"""The topics of this broker: what exists, what may be created, and what an update turns a topic into.

Rules:
- A ``plan_`` method says what a topic would become, or raises the refusal as ``BrokerError`` with the code that the
  requester gets; it changes nothing. ``put`` and ``remove`` change the table and step its version.
- System topics are in the table from the start, but nobody writes them to disk before the first real change: a fresh
  directory has no ``topics.json``, in Apache's broker as here.

Surprises: an update carries attributes with a sign (``+message.type=FIFO,-reserve.time``); the stored form has none.
Permission bits are stored as they come, those without a meaning too, as Apache does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rocketmq_lite.broker.engine import names
from rocketmq_lite.broker.engine.config_table import ConfigTable
from rocketmq_lite.broker.engine.document import member, table
from rocketmq_lite.errors import BrokerError
from rocketmq_lite.protocol.bodies import DataVersion, TopicConfig
from rocketmq_lite.protocol.codes import ResponseCode
from rocketmq_lite.protocol.reserved import TEMPLATE_TOPIC, is_system_topic

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_QUEUES: Final = 65_536
# Apache sets no bound; ours keeps a typing error from filling every route and statistics answer.

_UNIT_SYS_FLAG: Final = 1

# Attribute -> values it may have (None: any number), and whether it may change after the topic's creation.
_ATTRIBUTES: Final[Mapping[str, tuple[frozenset[str] | None, bool]]] = {
    "queue.type": (frozenset({"SimpleCQ", "BatchCQ"}), False),
    "cleanup.policy": (frozenset({"DELETE", "COMPACTION"}), False),
    "message.type": (frozenset({"UNSPECIFIED", "NORMAL", "FIFO", "DELAY", "TRANSACTION", "MIXED"}), True),
    "reserve.time": (None, True),
}
# Kinds of topics that this broker does not have: refused, never created as an ordinary topic.
_NOT_SUPPORTED: Final = frozenset({("queue.type", "BatchCQ"), ("cleanup.policy", "COMPACTION")})


class TopicTable(ConfigTable[TopicConfig]):
    """All topics by name, with the version of the whole."""

    def __init__(self, *, cluster: str, broker_name: str, template_queues: int | None, now_ms: int) -> None:
        self._cluster = cluster
        self._broker_name = broker_name
        self._template_queues = template_queues
        reserved = names.system_topics(
            cluster=cluster, broker_name=broker_name, template_queues=template_queues
        )
        super().__init__(
            (
                TopicConfig(
                    topic_name=topic.name,
                    read_queue_nums=topic.queues,
                    write_queue_nums=topic.queues,
                    perm=topic.perm,
                )
                for topic in reserved
            ),
            name_of=lambda topic: topic.topic_name,
            now_ms=now_ms,
        )

    # --- questions

    def is_system(self, name: str) -> bool:
        """Whether administrators have to leave this topic alone."""
        return is_system_topic(name, clusters={self._cluster}, brokers={self._broker_name})

    def system_names(self) -> tuple[str, ...]:
        """All names that this broker reserves."""
        return names.system_topic_names(cluster=self._cluster, broker_name=self._broker_name)

    # --- plans

    def plan_auto_create(self, name: str, *, default_topic: str, queue_nums: int, unit: bool) -> TopicConfig:
        """The topic that a send to an unknown name creates, derived from the template the producer named.

        A group's own topics need none: its retry topic, which gets one queue, and where the broker itself wants them and
        names no template, that topic and the one of its dead letters, which get as many as it says.

        Raises:
            BrokerError: 29 for a name that cannot be, 17 when there is no such template or it may not be inherited.
        """
        _refuse_bad_name(name)
        sys_flag = _UNIT_SYS_FLAG if unit else 0
        template = self._entries.get(default_topic)
        if template is not None and template.perm & names.PERM_INHERIT:
            queues = max(0, min(queue_nums, template.write_queue_nums))
            return TopicConfig(
                topic_name=name,
                read_queue_nums=queues,
                write_queue_nums=queues,
                perm=template.perm & ~names.PERM_INHERIT,
                topic_filter_type=template.topic_filter_type,
                topic_sys_flag=sys_flag,
            )
        if names.is_retry_topic(name) or (names.is_dead_letter_topic(name) and not default_topic):
            return self.plan_retry_topic(name, queues=1 if default_topic else queue_nums, sys_flag=sys_flag)
        reason = "does not exist" if template is None else "may not be inherited"
        raise BrokerError(
            ResponseCode.TOPIC_NOT_EXIST,
            f"topic[{name}] not exist, apply first please! (the template topic {default_topic} {reason})",
        )

    def plan_retry_topic(self, name: str, *, queues: int, sys_flag: int = 0) -> TopicConfig:
        """A topic of a group's own: through which its failed messages come back, or where its dead letters lie."""
        return TopicConfig(
            topic_name=name,
            read_queue_nums=queues,
            write_queue_nums=queues,
            perm=names.PERM_READ_WRITE,
            topic_sys_flag=sys_flag,
        )

    def plan_update(self, wanted: TopicConfig, attribute_changes: str) -> TopicConfig | None:
        """The topic after an administrator's request, or None when that changes nothing.

        Args:
            wanted: The topic as requested; its attributes are ignored.
            attribute_changes: ``+key=value`` and ``-key``, separated by commas.

        Raises:
            BrokerError: 29 for names and numbers that cannot be, 1 for attributes that cannot.
        """
        _refuse_bad_name(wanted.topic_name)
        if self.is_system(wanted.topic_name):
            raise BrokerError(
                ResponseCode.INVALID_PARAMETER,
                f"The topic[{wanted.topic_name}] is conflict with system topic.",
            )
        _refuse_bad_numbers(wanted)
        known = self._entries.get(wanted.topic_name)
        attributes = plan_attributes(None if known is None else known.attributes, attribute_changes)
        planned = replace(wanted, attributes=attributes)
        return None if planned == known else planned

    def plan_removal(self, name: str) -> TopicConfig | None:
        """The topic to delete, or None when there is none.

        Raises:
            BrokerError: 29 for a blank name or a system topic.
        """
        if not name.strip():
            raise BrokerError(ResponseCode.INVALID_PARAMETER, "The specified topic is blank.")
        if self.is_system(name):
            raise BrokerError(
                ResponseCode.INVALID_PARAMETER, f"The topic[{name}] is conflict with system topic."
            )
        return self._entries.get(name)

    # --- topics.json

    def picture(self) -> dict[str, object]:
        """The table as ``topics.json`` has it."""
        return {
            "dataVersion": self._version.to_json(),
            "topicConfigTable": {name: topic.to_json() for name, topic in self._entries.items()},
        }

    def restore(self, document: object) -> None:
        """Take over what ``topics.json`` says; system topics that it lacks stay as they are.

        A template that was written while auto-creation was on loses its power when it is off now.

        Raises:
            LocalProtocolError: The document is not a topic table; nothing has changed.
        """
        topics = [TopicConfig.from_json(topic) for topic in table(document, "topicConfigTable").values()]
        version = DataVersion.from_json(member(document, "dataVersion"))
        self._take_over(map(self._without_disabled_power, topics), version)

    def _without_disabled_power(self, topic: TopicConfig) -> TopicConfig:
        if topic.topic_name == TEMPLATE_TOPIC and self._template_queues is None:
            return replace(topic, perm=topic.perm & ~names.PERM_INHERIT)
        return topic


def plan_attributes(known: Mapping[str, str] | None, changes: str) -> dict[str, str]:
    """A topic's attributes after the changes of an update; ``known`` is None for a topic to be created.

    Raises:
        BrokerError: 1 when a change is malformed, unknown, read-only or of a kind this broker does not have.
    """
    attributes = dict(known or {})
    seen: set[str] = set()
    for change in filter(None, (part.strip() for part in changes.split(","))):
        sign, (key, _, value) = change[:1], change[1:].partition("=")
        if sign not in "+-" or not key or key in seen:
            raise _bad_attribute(f"attribute change {change!r} is not +key=value or -key, each key once")
        seen.add(key)
        if known is None and sign == "-":
            raise _bad_attribute(f"attribute {key} cannot be removed from a topic that is being created")
        _check_attribute(key, value, removes=sign == "-", creating=known is None, old=attributes.get(key))
        if sign == "-":
            attributes.pop(key, None)
        else:
            attributes[key] = value
    return attributes


def _check_attribute(key: str, value: str, *, removes: bool, creating: bool, old: str | None) -> None:
    if key not in _ATTRIBUTES:
        raise _bad_attribute(f"unsupported attribute {key}")
    allowed, changeable = _ATTRIBUTES[key]
    if not creating and not changeable and (removes or value != old):
        raise _bad_attribute(f"attribute {key} cannot change after the topic's creation")
    if removes:
        return
    if not (value in allowed if allowed is not None else value.lstrip("-").isdecimal()):
        raise _bad_attribute(f"attribute {key} cannot be {value!r}")
    if (key, value) in _NOT_SUPPORTED:
        raise _bad_attribute(f"{key}={value} is not supported by this broker")


def _bad_attribute(remark: str) -> BrokerError:
    return BrokerError(ResponseCode.SYSTEM_ERROR, remark)


def _refuse_bad_name(name: str) -> None:
    problem = names.topic_name_problem(name)
    if problem is not None:
        raise BrokerError(ResponseCode.INVALID_PARAMETER, problem)


def _refuse_bad_numbers(topic: TopicConfig) -> None:
    for kind, count in (("read", topic.read_queue_nums), ("write", topic.write_queue_nums)):
        if not 0 <= count <= MAX_QUEUES:
            raise BrokerError(
                ResponseCode.INVALID_PARAMETER, f"{count} {kind} queues are not between 0 and {MAX_QUEUES}"
            )
