"""The conditions that groups have subscribed with, and the text form of them: ``consumerFilter.json``.

Rules, all of them Apache's:
- Subscriptions by tag, and texts that are no condition, are not kept. A condition with a newer version replaces an older
  one; an older one is not taken.
- A condition that its group does not subscribe to any more, and those of a group that nobody is left of, are *dead*: kept
  for a day, in case the group comes back, and then forgotten.
- After a restart every condition is dead until its group comes.

The file is what a broker of Apache's finds when it goes on with a store. Here conditions come from heartbeats.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rocketmq_lite.broker.engine.bloom import BITS, POSITIONS, bit_positions
from rocketmq_lite.broker.engine.document import member, members, table, whole_number
from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.conditions import check_condition
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rocketmq_lite.protocol.bodies import SubscriptionData

_TAG_TYPES: Final = frozenset({"", "TAG"})
_FORGET_MS: Final = 24 * 3_600_000
_DEAD_AT_START_MS: Final = 30_000  # so long before a start, groups that are not back yet count as gone


@dataclass(frozen=True, slots=True)
class Condition:
    """What a group subscribes to a topic with.

    Attributes:
        version: The client's, of its subscription.
        born_ms: When it was first heard of.
        dead_ms: Since when nobody subscribes with it; 0 while somebody does.
    """

    topic: str
    group: str
    expression: str
    expression_type: str
    version: int
    born_ms: int
    dead_ms: int = 0

    @property
    def is_dead(self) -> bool:
        """Whether nobody subscribes with it."""
        return self.dead_ms >= self.born_ms

    def to_json(self) -> dict[str, object]:
        """As the file has it."""
        return {
            "bloomFilterData": {"bitNum": BITS, "bitPos": bit_positions(self.group, self.topic)},
            "bornTime": self.born_ms,
            "clientVersion": self.version,
            "consumerGroup": self.group,
            "deadTime": self.dead_ms,
            "expression": self.expression,
            "expressionType": self.expression_type,
            "topic": self.topic,
        }


class ConditionTable:
    """All conditions, by topic and group."""

    def __init__(self) -> None:
        self._conditions: dict[tuple[str, str], Condition] = {}
        self._saved: dict[tuple[str, str], Condition] = {}

    def register(self, group: str, subscriptions: Iterable[SubscriptionData], *, now_ms: int) -> None:
        """A group has these subscriptions and no others; none when nobody of it is left."""
        wanted = {each.topic: each for each in subscriptions if each.expression_type not in _TAG_TYPES}
        for subscription in wanted.values():
            if _is_condition(subscription.sub_string):
                self._take(group, subscription, now_ms)
        for key, known in self._conditions.items():
            if known.group == group and known.topic not in wanted and not known.is_dead:
                self._conditions[key] = replace(known, dead_ms=now_ms)

    def _take(self, group: str, wanted: SubscriptionData, now_ms: int) -> None:
        key = (wanted.topic, group)
        fresh = Condition(
            wanted.topic, group, wanted.sub_string, wanted.expression_type, wanted.sub_version, now_ms
        )
        known = self._conditions.get(key)
        if known is None:
            self._conditions[key] = fresh
        elif wanted.sub_version < known.version:
            return
        elif (known.expression, known.expression_type) == (fresh.expression, fresh.expression_type):
            self._conditions[key] = replace(known, version=fresh.version, dead_ms=0)
        elif wanted.sub_version > known.version:
            self._conditions[key] = fresh

    def forget(self, *, now_ms: int) -> None:
        """Drop what has been dead for a day."""
        self._conditions = {
            key: known
            for key, known in self._conditions.items()
            if not (known.is_dead and now_ms - known.dead_ms >= _FORGET_MS)
        }

    # --- consumerFilter.json

    @property
    def is_saved(self) -> bool:
        """Whether the file says what the table says."""
        return self._conditions == self._saved

    def picture(self) -> dict[str, object]:
        """The table as ``consumerFilter.json`` has it; it counts as saved from here on."""
        topics: dict[str, dict[str, object]] = {}
        for (topic, group), known in self._conditions.items():
            topics.setdefault(topic, {})[group] = known.to_json()
        self._saved = dict(self._conditions)
        return {
            "filterDataByTopic": {
                topic: {"topic": topic, "groupFilterData": groups} for topic, groups in topics.items()
            }
        }

    def not_saved(self) -> None:
        """The file could not be written."""
        self._saved = {}

    def restore(self, document: object, *, now_ms: int) -> None:
        """Take over what ``consumerFilter.json`` says; nothing of it, as Apache, if its filters have another size.

        Raises:
            LocalProtocolError: The document is no such table; nothing has changed.
        """
        entries = [
            entry
            for topic in table(document, "filterDataByTopic").values()
            for entry in members(topic, "groupFilterData").values()
        ]
        if not all(_has_our_filter(entry) for entry in entries):
            return
        found = [_condition(entry) for entry in entries]
        self._saved = {(each.topic, each.group): each for each in found}
        dead_ms = now_ms - _DEAD_AT_START_MS
        self._conditions = {
            key: known if known.is_dead else replace(known, dead_ms=max(dead_ms, known.born_ms))
            for key, known in self._saved.items()
        }


def _is_condition(text: str) -> bool:
    try:
        check_condition(text)
    except LocalProtocolError:
        return False
    return True


def _has_our_filter(entry: object) -> bool:
    bloom = members(entry, "bloomFilterData")
    positions = bloom.get("bitPos")
    return bloom.get("bitNum") == BITS and isinstance(positions, list) and len(positions) == POSITIONS


def _condition(entry: object) -> Condition:
    return Condition(
        topic=str(member(entry, "topic")),
        group=str(member(entry, "consumerGroup")),
        expression=str(member(entry, "expression")),
        expression_type=str(member(entry, "expressionType")),
        version=whole_number(member(entry, "clientVersion")),
        born_ms=whole_number(member(entry, "bornTime")),
        dead_ms=whole_number(member(entry, "deadTime")),
    )
