"""Which settings may change while a broker runs, and what is said of the others."""

from __future__ import annotations

import pytest

from rocketmq_lite.broker.conf.live import LIVE, LiveSettings
from rocketmq_lite.config import BrokerSettings
from rocketmq_lite.errors import BrokerError


def test_a_change_is_in_force_at_once() -> None:
    heard: list[BrokerSettings] = []
    live = LiveSettings(BrokerSettings(), heed=heard.append)
    live.change({"fileReservedTime": "12", "deleteWhen": "02;05", "autoCreateSubscriptionGroup": "false"})
    assert live.current.retention.reserved_hours == 12
    assert live.current.retention.delete_hours == (2, 5)
    assert not live.current.auto_create_group
    assert (live.changes, heard) == (1, [live.current])


@pytest.mark.parametrize(
    ("name", "value", "code", "reason"),
    [
        ("brokerName", "b", 16, "read at the start only; .*fileReservedTime"),
        ("messageDelayLevel", "1s", 16, "read at the start only"),
        ("sendMessageThreadPoolNums", "9", 16, "changes nothing here"),
        ("fileReservedTimes", "9", 16, "is not known"),
        ("fileReservedTime", "soon", 29, "cannot be 'soon': give "),
    ],
)
def test_what_cannot_be_changed_leaves_all_as_it_was(name: str, value: str, code: int, reason: str) -> None:
    before = BrokerSettings()
    heard: list[BrokerSettings] = []
    live = LiveSettings(before, heed=heard.append)
    with pytest.raises(BrokerError, match=reason) as caught:
        live.change({"deleteWhen": "05", name: value})
    assert caught.value.code == code
    assert (live.current, live.changes, heard) == (before, 0, [])


def test_every_live_key_says_what_it_takes() -> None:
    assert {"fileReservedTime", "diskMaxUsedSpaceRatio", "autoCreateSubscriptionGroup"} <= LIVE
    live = LiveSettings(BrokerSettings(), heed=lambda _: None)
    for name in LIVE:
        with pytest.raises(BrokerError, match=f"{name} cannot be '': give "):
            live.change({name: ""})
