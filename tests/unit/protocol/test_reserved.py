"""Names that RocketMQ keeps for itself."""

from __future__ import annotations

import pytest

from rocketmq_lite.protocol.reserved import (
    dead_letter_topic,
    is_system_group,
    is_system_topic,
    reply_topic,
    retry_topic,
)

PLACE = {"clusters": {"DefaultCluster"}, "brokers": {"broker-a"}}


@pytest.mark.parametrize(
    "name",
    [
        "TBW102",
        "TRANS_CHECK_MAX_TIME_TOPIC",
        "rmq_sys_anything",
        "DefaultCluster",
        "broker-a",
        reply_topic("DefaultCluster"),
    ],
)
def test_system_topics(name: str) -> None:
    assert is_system_topic(name, **PLACE)


@pytest.mark.parametrize("name", ["orders", "%RETRY%g", "%DLQ%g", "broker-b", "other_REPLY_TOPIC"])
def test_other_topics_are_not_system_topics(name: str) -> None:
    assert not is_system_topic(name, **PLACE)


def test_system_groups() -> None:
    assert is_system_group("TOOLS_CONSUMER")
    assert is_system_group("CID_RMQ_SYS_x")
    assert not is_system_group("billing")


def test_the_topics_of_a_group() -> None:
    assert (retry_topic("g"), dead_letter_topic("g")) == ("%RETRY%g", "%DLQ%g")
