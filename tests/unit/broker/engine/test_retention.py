"""Which files go, and when messages are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rocketmq_lite.broker.engine.retention import DiskUse, LogFile, Retention, RetentionPlan
from rocketmq_lite.config import RetentionSettings

HOUR_MS = 3_600_000
NOW_MS = 1_700_000_000_000
SETTINGS = RetentionSettings(reserved_hours=72, delete_hours=(4,), batch=2)


def files(*hours_old: float) -> list[LogFile]:
    """Files of 100 bytes, last written so many hours ago."""
    return [
        LogFile(place * 100, place * 100 + 100, NOW_MS - int(hours * HOUR_MS))
        for place, hours in enumerate(hours_old)
    ]


def use(*log: float, root: float = 0.0) -> DiskUse:
    """Disks of the log's directories /0, /1, ..., and the root's."""
    return DiskUse({Path(f"/{place}"): part for place, part in enumerate(log)}, root)


def plan(log: list[LogFile], disk_use: float, *, hour: int = 12) -> int | None:
    """The position that the log may begin at."""
    return Retention(SETTINGS).plan(log, disks=use(disk_use), now_ms=NOW_MS, local_hour=hour).purge_before


@pytest.mark.parametrize(
    ("disk_use", "hour", "before"),
    [
        (0.5, 12, None),
        (0.5, 4, 100),
        (0.75, 12, None),
        (0.76, 12, 100),
        (0.85, 12, 100),
        (0.86, 12, 200),
        (0.99, 12, 200),
    ],
)
def test_age_hour_and_use_decide(disk_use: float, hour: int, before: int | None) -> None:
    assert plan(files(72, 71.9, 3, 1), disk_use, hour=hour) == before


def test_the_file_that_is_written_stays() -> None:
    assert plan(files(100), 0.99, hour=4) is None
    assert plan(files(), 0.99, hour=4) is None
    assert plan(files(100, 100), 0.99, hour=4) == 100


def test_a_young_file_keeps_the_old_ones_behind_it() -> None:
    assert plan(files(100, 1, 100, 100), 0.5, hour=4) == 100
    assert plan(files(1, 100, 100), 0.5, hour=4) is None


def test_no_more_than_a_batch_goes_at_once() -> None:
    assert plan(files(*[100.0] * 9), 0.5, hour=4) == 200


def test_a_full_disk_refuses_messages_until_there_is_room_again() -> None:
    retention = Retention(SETTINGS)

    def accepts(disk_use: float) -> tuple[bool, bool]:
        plan: RetentionPlan = retention.plan([], disks=use(disk_use), now_ms=NOW_MS, local_hour=12)
        return plan.accept_writes, plan.changed

    assert accepts(0.90) == (True, False)
    assert accepts(0.91) == (False, True)
    assert accepts(0.91) == (False, False)
    assert accepts(0.86) == (False, False)
    assert accepts(0.85) == (True, True)
    assert accepts(0.90) == (True, False)


def test_a_full_disk_does_not_shorten_the_time_when_that_is_switched_off() -> None:
    patient = Retention(replace(SETTINGS, force=False))
    full = patient.plan(files(80, 1, 0), disks=use(0.5, root=0.99), now_ms=NOW_MS, local_hour=12)
    assert full == RetentionPlan(purge_before=100, accept_writes=False, changed=True)


def test_the_emptiest_disk_of_the_log_decides_and_full_ones_are_told_once() -> None:
    retention = Retention(SETTINGS)

    def look(*log: float) -> tuple[bool, bool, set[str]]:
        found = retention.plan(files(100, 0), disks=use(*log), now_ms=NOW_MS, local_hour=12)
        assert found.accept_writes
        return found.purge_before is not None, found.full_changed, {str(path) for path in found.full}

    assert look(0.5, 0.6) == (False, False, set())
    assert look(0.99, 0.6) == (False, True, {"/0"})
    assert look(0.99, 0.8) == (True, False, {"/0"})
    assert look(0.86, 0.9) == (True, True, {"/0", "/1"})
    assert look(0.5, 0.5) == (False, True, set())
