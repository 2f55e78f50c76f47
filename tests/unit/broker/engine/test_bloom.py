"""The bits that Apache's ``BloomFilter.createByFn(20, 32)`` of 5.5.0 gives for the same names."""

from __future__ import annotations

import pytest

from rocketmq_lite.broker.engine.bloom import bit_positions


@pytest.mark.parametrize(
    ("group", "topic", "positions"),
    [
        ("groupA", "TopicTest", [49, 5, 28]),
        ("billing", "orders", [31, 20, 9]),
        ("g", "T", [90, 68, 28]),
        ("a-much-longer-consumer-group-name", "%RETRY%another-topic-name", [109, 3, 22]),
        ("é", "中文", [76, 99, 92]),
    ],
)
def test_the_positions_are_apaches(group: str, topic: str, positions: list[int]) -> None:
    assert bit_positions(group, topic) == positions
