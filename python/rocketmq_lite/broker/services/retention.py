"""Keeps the log from growing for ever: looks at its files and its disk every ten seconds, and lets old files go.

What goes is decided in ``broker.engine.retention``; the engine forgets the files at once, its own thread removes them.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.broker.engine.retention import LogFile, Retention
from rocketmq_lite.clock import local_hour

if TYPE_CHECKING:
    from pathlib import Path

    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.config import RetentionSettings
    from rocketmq_lite.config_files import Offload

_log: Final = logging.getLogger(__name__)

_NAME_DIGITS: Final = 20
disk_of = os.statvfs


async def run(
    settings: RetentionSettings, root: Path, *, owner: EngineOwner, clock: Clock, offload: Offload
) -> None:
    """Look, decide and act, until cancelled."""
    retention = Retention(settings)
    seen: deque[tuple[list[LogFile], float]] = deque(maxlen=1)
    while True:
        await trio.sleep(settings.interval)
        try:
            await offload(lambda: seen.append(_look(root)))
        except OSError as error:
            _log.error("cannot look at the log's files: %s", error)
            continue
        files, disk_use = seen.pop()
        now_ms = clock.wall_ms()
        plan = retention.plan(files, disk_use=disk_use, now_ms=now_ms, local_hour=local_hour(now_ms))
        if plan.changed:
            owner.set_accept_writes(accept=plan.accept_writes)
            _report(plan.accept_writes, disk_use, root)
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


def _look(root: Path) -> tuple[list[LogFile], float]:
    """The files of the log, oldest first, and how much of their disk is in use."""
    files = []
    with os.scandir(root / "commitlog") as entries:
        for entry in entries:
            if len(entry.name) == _NAME_DIGITS and entry.name.isdecimal():
                try:
                    found = entry.stat()
                except FileNotFoundError:  # purged since the directory was read
                    continue
                start = int(entry.name)
                files.append(LogFile(start, start + found.st_size, found.st_mtime_ns // 1_000_000))
    files.sort(key=lambda file: file.start)
    disk = disk_of(root)
    # As df does: what only the administrator may use is neither free nor used.
    used = disk.f_blocks - disk.f_bfree
    return files, used / max(used + disk.f_bavail, 1)
