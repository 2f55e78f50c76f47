"""How far delay levels have been delivered, and when to look at them again."""

from __future__ import annotations

import pytest

from rocketmq_lite.broker.engine.delays import DelayProgress, milliseconds, seconds_until
from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.bodies import DataVersion


def fresh() -> DelayProgress:
    return DelayProgress(DataVersion(counter=0, state_version=0, timestamp=1))


def test_a_saved_table_is_read_back() -> None:
    progress = fresh()
    assert progress.snapshot() is None
    progress.reached(3, 7)
    progress.reached(1, 2)
    snapshot = progress.snapshot()
    assert snapshot == {1: 2, 3: 7}
    document = progress.plan_save(snapshot, now_ms=5)
    assert document["offsetTable"] == {"1": 2, "3": 7}
    progress.saved(snapshot)
    assert progress.snapshot() is None
    restored = fresh()
    restored.restore(document)
    assert [restored.next_offset(level) for level in (1, 2, 3)] == [2, 0, 7]
    assert restored.snapshot() is None
    assert restored.version == progress.version


def test_what_is_reached_while_a_snapshot_is_written_is_saved_by_the_next() -> None:
    progress = fresh()
    progress.reached(1, 1)
    snapshot = progress.snapshot()
    assert snapshot is not None
    progress.reached(1, 2)
    progress.saved(snapshot)
    assert progress.snapshot() == {1: 2}


def test_apaches_file_is_understood() -> None:
    progress = fresh()
    progress.restore({"offsetTable": {1: 100, "2": 5, 40: 9}})  # keys are written without quotes, too
    assert [progress.next_offset(level) for level in (1, 2, 3)] == [100, 5, 0]
    assert progress.levels() == (1, 2, 40)


def test_levels_that_are_gone_are_kept_for_when_they_come_back() -> None:
    progress = fresh()
    progress.restore({"offsetTable": {"40": 9}})
    progress.reached(1, 1)
    snapshot = progress.snapshot()
    assert snapshot == {1: 1, 40: 9}


@pytest.mark.parametrize(
    ("level", "expected"),
    [("1s", 1_000), ("90s", 90_000), ("2m", 120_000), ("1h", 3_600_000), ("3d", 259_200_000)],
)
def test_a_level_is_named_by_how_long_it_waits(level: str, expected: int) -> None:
    assert milliseconds(level) == expected


@pytest.mark.parametrize(
    "document", [[], {}, {"offsetTables": {}}, {"offsetTable": 1}, {"offsetTable": {"x": 1}}]
)
def test_anything_else_is_refused(document: object) -> None:
    with pytest.raises(LocalProtocolError):
        fresh().restore(document)


def test_a_level_is_looked_at_in_time_and_at_least_every_ten_seconds() -> None:
    assert seconds_until(1_250, now_ms=1_000) == 0.25
    assert seconds_until(900, now_ms=1_000) == 0
    assert seconds_until(7_200_000, now_ms=0) == 10
