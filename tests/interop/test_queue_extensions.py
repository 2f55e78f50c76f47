"""``enableConsumeQueueExt``: directories with queue extensions that one broker wrote and the other goes on with.

Queue entries have the address of a unit in another file then, where the hash of the tag is otherwise. Filters find what they
did, and the files are the same to the byte.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

import pytest
from tests.interop import apache, lite, stored
from tests.support.cli import rmq
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.maven import Java

PLAIN: Final = stored.SMALL
EXTENDED: Final = stored.SMALL | {"enableConsumeQueueExt": "true", "mappedFileSizeConsumeQueueExt": 1024}
"""Units of forty messages fill most of a file."""
TAGS: Final = ("TagA", "TagB", "Ä-tag")
QUEUES: Final = 4


def _normal(address: str) -> list[list[bytes]]:
    """The messages of the topic that has tags, by queue."""
    found = stored.records(address)
    return [found["normal", queue] for queue in range(QUEUES)]


def _finds_by_tag(address: str, written: list[list[bytes]]) -> bool:
    """Whether the broker itself tells the tags apart, from offset 0 on."""
    return all(
        stored.tagged(address, queue, tag) == stored.with_tag(records, tag)
        for queue, records in enumerate(written)
        for tag in TAGS
    )


def _send_more(address: str, tag: str) -> None:
    with RawClient(address) as client:
        for number in range(2 * QUEUES):
            answer = client.send("normal", b"more", queue=number % QUEUES, properties=f"TAGS\x01{tag}\x02")
            assert answer.code == 0, answer


def _verified(store: Path) -> None:
    found = rmq("store", "verify", str(store))
    assert found.code == 0, found.out


def _queue_files(store: Path) -> dict[str, bytes]:
    """Every file of queues and their extensions, but for a topic to which brokers move messages when they are due."""
    files = [path for name in ("consumequeue", "consumequeue_ext") for path in (store / name).rglob("*")]
    names = {str(path.relative_to(store)): path for path in files if path.is_file()}
    return {name: path.read_bytes() for name, path in names.items() if "/later/" not in name}


@pytest.mark.parametrize("ending", ["stopped", "killed"])
def test_apache_goes_on_with_extensions_of_ours_and_we_with_its(
    java: Java, tmp_path: Path, ending: str
) -> None:
    store = tmp_path / "store"
    with lite.on_store(tmp_path / "lite", store, killed=ending == "killed", **EXTENDED) as address:
        stored.fill(address)
        written = _normal(address)
        assert _finds_by_tag(address, written)
    with apache.on_store(java, tmp_path / "apache", store, orderly=ending == "stopped", **EXTENDED) as theirs:
        assert _normal(theirs.broker.address) == written
        assert _finds_by_tag(theirs.broker.address, written)
        _send_more(theirs.broker.address, "TagB")
        written = _normal(theirs.broker.address)
        assert _finds_by_tag(theirs.broker.address, written)
    with lite.on_store(tmp_path / "again", store, **EXTENDED) as address:
        assert _normal(address) == written
        assert _finds_by_tag(address, written)
        _send_more(address, "TagA")
        assert _finds_by_tag(address, _normal(address))
    _verified(store)


def test_the_files_are_those_that_apache_makes_from_the_log(java: Java, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    with lite.on_store(tmp_path / "lite", ours, **EXTENDED) as address:
        stored.fill(address)
        written = _normal(address)
    expected = _queue_files(ours)
    assert len([name for name in expected if name.startswith("consumequeue_ext/normal/")]) >= QUEUES
    for name in ("commitlog", "config"):
        shutil.copytree(ours / name, theirs / name)
    with apache.on_store(java, tmp_path / "apache", theirs, **EXTENDED) as cluster:
        assert _normal(cluster.broker.address) == written
        found = _queue_files(theirs)
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


def test_extensions_turned_off_and_on_by_either_broker(java: Java, tmp_path: Path) -> None:
    store = tmp_path / "store"
    with apache.on_store(java, tmp_path / "extended", store, orderly=True, **EXTENDED) as theirs:
        stored.fill(theirs.broker.address)
        written = _normal(theirs.broker.address)
    with lite.on_store(tmp_path / "lite-without", store, **PLAIN) as address:
        assert _normal(address) == written
        assert _finds_by_tag(address, written)
        _send_more(address, "TagA")
    with lite.on_store(tmp_path / "lite-with", store, **EXTENDED) as address:
        _send_more(address, "TagB")
        written = _normal(address)
        assert _finds_by_tag(address, written)
    with apache.on_store(java, tmp_path / "without", store, orderly=True, **PLAIN) as theirs:
        assert _normal(theirs.broker.address) == written
        _send_more(theirs.broker.address, "TagB")
    with apache.on_store(java, tmp_path / "with", store, orderly=True, **EXTENDED) as theirs:
        _send_more(theirs.broker.address, "Ä-tag")
        written = _normal(theirs.broker.address)
        assert _finds_by_tag(theirs.broker.address, written)
    with lite.on_store(tmp_path / "lite-again", store, **EXTENDED) as address:
        assert _normal(address) == written
        assert _finds_by_tag(address, written)
    _verified(store)
