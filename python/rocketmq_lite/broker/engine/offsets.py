"""The text form of the consumer offsets: ``consumerOffset.json``. The table itself lives in the message engine.

The file says ``topic@group -> queue -> next offset``. Of what Apache writes only that table and the version are read
back; the derived members are written because Apache's tools show them.

Surprise: group names cannot hold ``@`` and neither can topics, so the last ``@`` of a key is the separator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rocketmq_lite import records
from rocketmq_lite.broker.engine.document import members, table, whole_number
from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.bodies import DataVersion

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, order=True)
class CommittedOffset:
    """How far a group has come in one queue: the next offset it will read."""

    topic: str
    group: str
    queue_id: int
    offset: int


@records.dataclass(slots=True)
class OffsetSnapshots:
    """Compares each snapshot with the one before, so that a quiet broker writes nothing."""

    version: DataVersion
    _last: tuple[CommittedOffset, ...] | None = field(default=None)

    def restore(self, document: object) -> tuple[CommittedOffset, ...]:
        """The offsets of a ``consumerOffset.json``.

        Raises:
            LocalProtocolError: The document is not an offset table; nothing has changed.
        """
        offsets = tuple(sorted(_read(document)))
        version = members(document, "dataVersion")
        if version:  # releases before 5 wrote none
            self.version = DataVersion.from_json(version)
        self._last = offsets
        return offsets

    def plan_snapshot(self, offsets: Iterable[CommittedOffset], *, now_ms: int) -> dict[str, object] | None:
        """The document to write, or None when nothing has been committed since the last one."""
        current = tuple(sorted(offsets))
        if current == (self._last or ()):
            return None
        self._last = current
        self.version = self.version.next(now_ms)
        return picture(current, self.version)

    def forget_snapshot(self) -> None:
        """The last document could not be written: the next snapshot has to be, changed or not."""
        self._last = None


def picture(offsets: Iterable[CommittedOffset], version: DataVersion) -> dict[str, object]:
    """The offsets as ``consumerOffset.json`` has them."""
    table: dict[str, dict[str, int]] = {}
    topics: dict[str, list[str]] = {}
    for each in offsets:
        table.setdefault(f"{each.topic}@{each.group}", {})[str(each.queue_id)] = each.offset
        known = topics.setdefault(each.group, [])
        if each.topic not in known:
            known.append(each.topic)
    return {
        "dataVersion": version.to_json(),
        "groupTopicMap": topics,
        "offsetTable": table,
        "pullOffsetTable": {},
    }


def _read(document: object) -> Iterable[CommittedOffset]:
    for key, queues in table(document, "offsetTable").items():
        topic, separator, group = str(key).rpartition("@")
        if not separator:
            raise LocalProtocolError(f"{key!r} is not topic@group")
        for queue_id, offset in members({"queues": queues}, "queues").items():
            yield CommittedOffset(topic, group, whole_number(queue_id), whole_number(offset))
