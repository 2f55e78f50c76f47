"""Addresses as text."""

from __future__ import annotations

import pytest

from rocketmq_lite.errors import ConfigError
from rocketmq_lite.transport.address import format_address, parse_address


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("127.0.0.1:9876", ("127.0.0.1", 9876)),
        (" host:0 ", ("host", 0)),
        ("[::1]:10911", ("::1", 10911)),
        ("fe80::1:10911", ("fe80::1", 10911)),
        ("h:65535", ("h", 65535)),
    ],
)
def test_parsing(text: str, parts: tuple[str, int]) -> None:
    assert parse_address(text) == parts
    assert parse_address(format_address(*parts)) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "host",
        "host:",
        ":1",
        "host:x",
        "host:-1",
        "host:65536",
        "host:\u0661",
        "[::1]",
        "[::1:1",
        "]:1",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ConfigError, match="is not an address"):
        parse_address(text)


def test_formatting() -> None:
    assert format_address("::1", 1) == "[::1]:1"
    assert format_address("h", 1) == "h:1"
