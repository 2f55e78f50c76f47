"""An engine's directory, from Python: found again, refused, damaged, not to be closed."""

from pathlib import Path

import pytest
from tests.support.native_engine import (
    NOW,
    SEGMENT,
    SEND_FIELDS,
    SEND_MESSAGE,
    answers,
    engine,
    request,
    result,
    with_topic,
)

from rocketmq_lite import _native
from rocketmq_lite._native import Control


def stored(root: Path) -> None:
    """A directory with one message, closed in order."""
    opened = engine(root)
    opened.receive(with_topic(opened), request(SEND_MESSAGE, SEND_FIELDS, b"kept"), **NOW)
    answers(opened)
    assert result(opened, Control.stop()).text == ""


def test_a_directory_is_found_again(tmp_path: Path) -> None:
    stored(tmp_path)
    again = engine(tmp_path)
    assert again.recovery["clean"] is True
    # Closed in order: nothing has to be read again, the log ends behind the one record.
    assert (again.recovery["scanned_from"], again.recovery["records"]) == (again.recovery["end"], 0)
    assert again.recovery["end"] == again.statistics()["log_end"] != 0
    assert result(again, Control.bounds("T", [0])).value == [(0, 0, 1)]


def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    first = engine(tmp_path)
    with pytest.raises(
        _native.StoreError, match=r"in use by another broker.*another data directory"
    ) as caught:
        engine(tmp_path)
    error = caught.value
    assert (error.kind, error.path) == ("locked", str(tmp_path / "lock"))
    assert (error.offset, error.expected, error.found) == (None, None, None)
    del first
    engine(tmp_path)


def test_another_segment_size_is_refused(tmp_path: Path) -> None:
    stored(tmp_path)
    with pytest.raises(
        _native.StoreError, match="open the store with the segment size it was written with"
    ) as caught:
        engine(tmp_path, segment_size=2 * SEGMENT)
    error = caught.value
    assert (error.kind, error.expected, error.found) == ("segment_length", 2 * SEGMENT, SEGMENT)
    assert error.path == str(tmp_path / "commitlog" / "0".zfill(20))


def test_damage_says_where_it_is(tmp_path: Path) -> None:
    stored(tmp_path)
    log = tmp_path / "commitlog" / "0".zfill(20)
    with log.open("r+b") as file:
        file.seek(4)
        file.write(b"\0\0\0\7")  # where a record has its magic number
    with pytest.raises(_native.StoreError, match=r"is damaged at \d+:.* restore the directory") as caught:
        engine(tmp_path)
    error = caught.value
    assert (error.kind, error.path, error.offset) == ("damaged", str(log), 0)
    assert (error.expected, error.found) == (0xDAA320A7, 7)


def test_a_root_that_is_no_directory_is_an_io_error(tmp_path: Path) -> None:
    root = tmp_path / "file"
    root.touch()
    with pytest.raises(
        _native.StoreError, match=r"cannot create .*check that the directory exists"
    ) as caught:
        engine(root)
    assert (caught.value.kind, caught.value.path) == ("io", str(root))


def test_a_stop_that_fails_says_why(tmp_path: Path) -> None:
    opened = engine(tmp_path)
    (tmp_path / "abort").unlink()
    opened.submit(7, Control.stop(), **NOW)
    opened.poll(**NOW)
    log, done = opened.take()
    assert (log.kind, log.level, done.kind, done.value) == ("log", "error", "done", None)
    assert "cannot remove" in log.text
    assert "cannot remove" in done.text
