"""The shape of ``consumerOffset.json``, and when it is written."""

from __future__ import annotations

import pytest

from rocketmq_lite.broker.engine.offsets import CommittedOffset, OffsetSnapshots
from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.bodies import DataVersion
from rocketmq_lite.protocol.framing import json_loads

OFFSETS = (
    CommittedOffset("%RETRY%g", "g", 0, 3),
    CommittedOffset("T", "g", 1, 117),
    CommittedOffset("T", "g", 0, 120),
)


def snapshots() -> OffsetSnapshots:
    return OffsetSnapshots(DataVersion(counter=0, state_version=0, timestamp=0))


def test_unquoted_queue_numbers_as_apache_writes_them() -> None:
    text = b"""{"dataVersion":{"counter":9,"stateVersion":0,"timestamp":1},"groupTopicMap":{"g":["T"]},
        "offsetTable":{"T@g":{0:120,1:117},"%RETRY%g@g":{0:3}},"pullOffsetTable":{"T@g":{0:5}}}"""
    found = snapshots()
    assert set(found.restore(json_loads(text))) == set(OFFSETS)
    assert found.version.counter == 9


def test_a_file_without_a_version_is_read() -> None:
    assert snapshots().restore({"offsetTable": {"T@g": {"0": 1}}}) == (CommittedOffset("T", "g", 0, 1),)


def test_the_document() -> None:
    assert snapshots().plan_snapshot(OFFSETS, now_ms=7) == {
        "dataVersion": {"counter": 1, "stateVersion": 0, "timestamp": 7},
        "groupTopicMap": {"g": ["%RETRY%g", "T"]},
        "offsetTable": {"%RETRY%g@g": {"0": 3}, "T@g": {"0": 120, "1": 117}},
        "pullOffsetTable": {},
    }


def test_nothing_is_written_when_nothing_changed() -> None:
    found = snapshots()
    assert found.plan_snapshot((), now_ms=1) is None
    assert found.plan_snapshot(OFFSETS, now_ms=1) is not None
    assert found.plan_snapshot(reversed(OFFSETS), now_ms=2) is None
    assert found.plan_snapshot(OFFSETS[:1], now_ms=3) is not None
    assert found.plan_snapshot((), now_ms=4) is not None


def test_a_snapshot_that_failed_is_owed() -> None:
    found = snapshots()
    found.plan_snapshot(OFFSETS, now_ms=1)
    found.forget_snapshot()
    assert found.plan_snapshot(OFFSETS, now_ms=2) is not None


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"offsetTable": {"no separator": {}}},
        {"offsetTable": {"T@g": {"x": 1}}},
        {"offsetTable": {"T@g": {"0": []}}},
    ],
)
def test_what_is_no_offset_table_is_refused(document: object) -> None:
    with pytest.raises(LocalProtocolError):
        snapshots().restore(document)
