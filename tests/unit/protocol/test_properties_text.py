"""Java's properties text."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.properties_text import dump_properties, load_properties


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (b"a=1\nb = 2\r\nc:3\rd 4\n", {"a": "1", "b": "2", "c": "3", "d": "4"}),
        (b"# comment\n! too\n\n   a=1", {"a": "1"}),
        (b"a=1\\\n   2\nb=x\\\\\nc=3", {"a": "12", "b": "x\\", "c": "3"}),
        (b"a\\=b=c\\td\\u0041", {"a=b": "c\tdA"}),
        (b"alone", {"alone": ""}),
        (b"a=1\na=2", {"a": "2"}),
        (b"a=b=c", {"a": "b=c"}),
        (b"", {}),
        ("k=\u00e9".encode(), {"k": "\u00e9"}),
    ],
)
def test_reading(text: bytes, pairs: dict[str, str]) -> None:
    assert load_properties(text) == pairs


def test_writing_is_sorted() -> None:
    assert dump_properties({"b": "2", "a": " x\n"}) == b"a=\\ x\\n\nb=2\n"


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(LocalProtocolError):
        load_properties(b"a=\xff")


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_what_is_written_is_read(pairs: dict[str, str]) -> None:
    assert load_properties(dump_properties(pairs)) == pairs


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(LocalProtocolError):
        load_properties(data)
