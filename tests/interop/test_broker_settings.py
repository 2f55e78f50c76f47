"""Keys of `broker.conf` that change what a broker does: Apache's broker and ours do the same with them."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.interop import apache, lite
from tests.support.polling import poll_until
from tests.support.raw_client import RawClient, bodies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.interop.maven import Java

TOPIC = "settings"
LEVELS = "1s 30m 1h 1h 1h 1h 1h 1h 1h 1h 1h 1h 1h 1h 1h 1h 1h 1h 1d 2s"
"""More than Apache's eighteen; the last is a short one."""
DELIVERED_WITHIN = 60.0


@pytest.fixture(scope="module", params=["apache", "lite"])
def address(
    request: pytest.FixtureRequest, java: Java, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A broker with these settings."""
    directory: Path = tmp_path_factory.mktemp("broker")
    settings: dict[str, Any] = {"messageDelayLevel": LEVELS, "maxMessageSize": 1_000}
    with contextlib.ExitStack() as running:
        if request.param == "lite":
            yield running.enter_context(lite.on_store(directory / "lite", directory / "store", **settings))
        else:
            yield running.enter_context(
                apache.on_store(java, directory / "apache", directory / "store", **settings)
            ).broker.address


def test_a_message_above_the_limit_is_illegal_and_is_told_the_limit(address: str) -> None:
    with RawClient(address) as client:
        assert client.send(TOPIC, b"x" * 1_000).code == 0
        answer = client.send(TOPIC, b"x" * 1_001)
    assert answer.code == 13
    assert "1000" in (answer.remark or "")


def test_there_are_as_many_levels_as_are_named(address: str) -> None:
    with RawClient(address) as client:
        assert client.send(TOPIC, b"now", queue=1).code == 0
        began = time.monotonic()
        for level in (2, 19, 20, 99):
            sent = client.send(TOPIC, b"level %d" % level, queue=1, properties=f"DELAY\x01{level}\x02")
            assert sent.code == 0, sent
        found = poll_until(
            lambda: bodies(client.pull(TOPIC, 1, 0).body),
            lambda found: len(found) >= 3,
            within=DELIVERED_WITHIN,
        )
    assert [body for _, body in found] == [b"now", b"level 20", b"level 99"]
    assert time.monotonic() - began >= 2
