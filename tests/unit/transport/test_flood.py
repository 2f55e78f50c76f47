"""One line a minute, however many complaints there are."""

from __future__ import annotations

from rocketmq_lite.transport.flood import INTERVAL, Flood


def test_tells_one_a_minute_and_how_many_there_were() -> None:
    flood = Flood()
    assert flood.admit(5.0) == ""
    assert flood.admit(6.0) is None
    assert flood.admit(4.9 + INTERVAL) is None
    assert flood.admit(5.0 + INTERVAL) == " (2 more since the last such line)"
    assert flood.admit(200.0) == ""
