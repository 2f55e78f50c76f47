"""Which files of the log go, and whether messages are taken: decided from the files' ages and the use of the disk.

    use of the disk           files older than the reserved time go    messages
    up to ``clean_ratio``     in the ``delete_hours``                   taken
    up to ``force_ratio``     at any hour                               taken
    up to ``full_ratio``      all go, whatever their age                as before
    above                     all go, whatever their age                refused

With ``force`` off the last two rows remove what the second does. A directory of the log whose disk is above
``force_ratio`` gets no new files while another one has room. Always from the oldest on, and never the file that is
written. "As before" keeps a disk that is about full from changing its mind with every message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rocketmq_lite.config import RetentionSettings

__all__ = ["DiskUse", "LogFile", "Retention", "RetentionPlan"]

_MS_PER_HOUR: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of the log.

    Attributes:
        start: The log position that it begins at; its name.
        end: The log position behind it.
        changed_ms: When it was last written, as wall time.
    """

    start: int
    end: int
    changed_ms: int


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """What to do now.

    Attributes:
        purge_before: The log position that the log may begin at; ``None`` when nothing goes.
        accept_writes: Whether messages are taken.
        changed: Whether ``accept_writes`` is news.
        full: Directories of the log that take no new files while others have room.
        full_changed: Whether ``full`` is news.
    """

    purge_before: int | None
    accept_writes: bool
    changed: bool
    full: frozenset[Path] = frozenset()
    full_changed: bool = False


@dataclass(frozen=True, slots=True)
class DiskUse:
    """How full the disks are, each as a part of 1.

    Attributes:
        log: Of each directory of the log.
        root: Of the rest: queues, index, configuration.
    """

    log: Mapping[Path, float]
    root: float

    @property
    def decisive(self) -> float:
        """What the table above goes by: messages find room as long as one disk of the log, and the root's, have some."""
        return max(min(self.log.values()), self.root)


class Retention:
    """Remembers only whether messages are refused, and which disks are full.

    Attributes:
        settings: By which it decides; may change at any time.
    """

    def __init__(self, settings: RetentionSettings) -> None:
        self.settings = settings
        self._accepts = True
        self._full: frozenset[Path] = frozenset()

    def plan(
        self, files: Sequence[LogFile], *, disks: DiskUse, now_ms: int, local_hour: int
    ) -> RetentionPlan:
        """Decide.

        Args:
            files: All files of the log, oldest first.
            disks: How full they are.
            now_ms: Wall time.
            local_hour: Hour of the local day.
        """
        disk_use = disks.decisive
        full = frozenset(path for path, use in disks.log.items() if use > self.settings.force_ratio)
        full_changed, self._full = full != self._full, full
        old = self._due(files[:-1], disk_use, now_ms, local_hour)[: self.settings.batch]
        accepts = disk_use <= self.settings.force_ratio or (
            self._accepts and disk_use <= self.settings.full_ratio
        )
        changed, self._accepts = accepts != self._accepts, accepts
        return RetentionPlan(
            purge_before=old[-1].end if old else None,
            accept_writes=accepts,
            changed=changed,
            full=full,
            full_changed=full_changed,
        )

    def _due(
        self, files: Sequence[LogFile], disk_use: float, now_ms: int, local_hour: int
    ) -> Sequence[LogFile]:
        settings = self.settings
        if settings.force and disk_use > settings.force_ratio:
            return files
        if disk_use <= settings.clean_ratio and local_hour not in settings.delete_hours:
            return ()
        oldest_ms = now_ms - settings.reserved_hours * _MS_PER_HOUR
        young = (place for place, file in enumerate(files) if file.changed_ms > oldest_ms)
        return files[: next(young, len(files))]
