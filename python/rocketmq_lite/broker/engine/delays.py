"""How far each delay level has been delivered, and the text form of it: ``delayOffset.json``.

The file says ``level -> next offset`` in the level's queue of ``SCHEDULE_TOPIC_XXXX``, which is queue ``level - 1``.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from rocketmq_lite import records
from rocketmq_lite.broker.engine.document import members, table, whole_number
from rocketmq_lite.protocol.bodies import DataVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
MAX_WAIT: Final = 10.0
# Seconds. A level is looked at this often whatever it said, because the wall clock may be put forward meanwhile.


@records.dataclass(slots=True)
class DelayProgress:
    """The next offset of every level that has delivered something."""

    version: DataVersion
    _offsets: dict[int, int] = field(default_factory=dict)
    _saved: Mapping[int, int] = field(default_factory=dict)

    def restore(self, document: object) -> None:
        """Take over what ``delayOffset.json`` says, also of levels that do not exist now: they may come back.

        Raises:
            LocalProtocolError: The document is no such table; nothing has changed.
        """
        written = table(document, "offsetTable").items()
        offsets = {whole_number(level): whole_number(offset) for level, offset in written}
        version = members(document, "dataVersion")
        if version:  # releases before 5 wrote none
            self.version = DataVersion.from_json(version)
        self._offsets = {level: offset for level, offset in offsets.items() if level >= 1}
        self._saved = dict(self._offsets)

    def levels(self) -> tuple[int, ...]:
        """Those that have an offset, in order."""
        return tuple(sorted(self._offsets))

    def next_offset(self, level: int) -> int:
        """Where to go on in the level's queue."""
        return self._offsets.get(level, 0)

    def reached(self, level: int, offset: int) -> None:
        """Everything before this offset has been delivered."""
        if offset != self.next_offset(level):
            self._offsets[level] = offset

    def snapshot(self) -> Mapping[int, int] | None:
        """The offsets, or None when they are as they were saved last."""
        return None if self._offsets == self._saved else dict(self._offsets)

    def plan_save(self, snapshot: Mapping[int, int], *, now_ms: int) -> dict[str, object]:
        """The document that says what the snapshot says."""
        self.version = self.version.next(now_ms)
        return {
            "dataVersion": self.version.to_json(),
            "offsetTable": {str(level): offset for level, offset in sorted(snapshot.items())},
        }

    def saved(self, snapshot: Mapping[int, int]) -> None:
        """The snapshot is on disk."""
        self._saved = snapshot


def milliseconds(level: str) -> int:
    """How long messages of a level wait, by its name in ``messageDelayLevel``."""
    return int(level[:-1]) * _SECONDS[level[-1]] * 1000


def seconds_until(look_at_ms: int, *, now_ms: int) -> float:
    """How long to wait before a level is looked at, when the engine wants that at this wall time."""
    return min(max(look_at_ms - now_ms, 0) / 1000, MAX_WAIT)
