"""Keeps the log from growing for ever: looks at its files and its disk every ten seconds, and lets old files go.

What goes is decided in ``broker.engine.retention``; the engine forgets the files at once, its own thread removes them.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.broker.engine.retention import DiskUse, LogFile, Retention, RetentionPlan
from rocketmq_lite.clock import local_hour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.config import RetentionSettings
    from rocketmq_lite.config_files import Offload

_log: Final = logging.getLogger(__name__)

_NAME_DIGITS: Final = 20
disk_of = os.statvfs


async def run(
    settings: Callable[[], RetentionSettings],
    root: Path,
    log_dirs: Sequence[Path],
    *,
    owner: EngineOwner,
    clock: Clock,
    offload: Offload,
) -> None:
    """Look, decide and act, until cancelled.

    Args:
        settings: Tells how long messages are kept, as it is to be at the moment.
        root: The store.
        log_dirs: Where the log's files are.
        owner: Of the engine.
        clock: Time.
        offload: Runs what waits for the disk.
    """
    retention = Retention(settings())
    seen: deque[tuple[list[LogFile], DiskUse]] = deque(maxlen=1)
    while True:
        await trio.sleep(retention.settings.interval)
        retention.settings = settings()
        try:
            await offload(lambda: seen.append((_files(log_dirs), _use(root, log_dirs))))
        except OSError as error:
            _log.error("cannot look at the log's files: %s", error)
            continue
        files, disks = seen.pop()
        now_ms = clock.wall_ms()
        plan = retention.plan(files, disks=disks, now_ms=now_ms, local_hour=local_hour(now_ms))
        _act(plan, disks.decisive, root, owner)


def _act(plan: RetentionPlan, disk_use: float, root: Path, owner: EngineOwner) -> None:
    if plan.changed:
        owner.set_accept_writes(accept=plan.accept_writes)
        _report(plan.accept_writes, disk_use, root)
    if plan.full_changed:
        owner.set_full_log_dirs(plan.full)
        if plan.full:
            names = ", ".join(sorted(map(str, plan.full)))
            _log.warning("little room is left for the log in %s", names)
    if plan.purge_before is not None:
        _log.info(
            "messages before log position %s go, the disk is %.0f %% full",
            plan.purge_before,
            disk_use * 100,
        )
        owner.purge(plan.purge_before)


def _report(accepts: bool, disk_use: float, root: Path) -> None:  # noqa: FBT001 - says what it is
    if accepts:
        _log.warning("messages are taken again: the disk of %s is %.0f %% full", root, disk_use * 100)
    else:
        _log.error(
            "messages are refused: the disk of %s is %.0f %% full; free some of it, or keep messages for less long",
            root,
            disk_use * 100,
        )


def _files(log_dirs: Sequence[Path]) -> list[LogFile]:
    """The files of the log, oldest first."""
    files = []
    for directory in filter(Path.exists, log_dirs):
        with os.scandir(directory) as entries:
            files += [found for entry in entries if (found := _log_file(entry)) is not None]
    files.sort(key=lambda file: file.start)
    return files


def _log_file(entry: os.DirEntry[str]) -> LogFile | None:
    if len(entry.name) != _NAME_DIGITS or not entry.name.isdecimal():
        return None
    try:
        found = entry.stat()
    except FileNotFoundError:  # purged since the directory was read
        return None
    start = int(entry.name)
    return LogFile(start, start + found.st_size, found.st_mtime_ns // 1_000_000)


def _use(root: Path, log_dirs: Sequence[Path]) -> DiskUse:
    return DiskUse({path: used_part(path) for path in log_dirs}, used_part(root))


def used_part(path: Path) -> float:
    """How much of the disk that holds a path is in use, as ``df`` has it: 0 to 1.

    A directory that does not exist yet will lie where the one above it lies.
    """
    while not path.exists():
        path = path.parent
    disk = disk_of(path)
    # What only the administrator may use is neither free nor used.
    used = disk.f_blocks - disk.f_bfree
    return used / max(used + disk.f_bavail, 1)
