"""Directories that one broker wrote and the other goes on with, after an orderly stop and after SIGKILL.

Every message is at its offset, to the byte, and every question about them is answered alike.
"""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from tests.interop import apache, lite, stored
from tests.support.cli import rmq
from tests.support.polling import poll_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.maven import Java
    from tests.interop.servers import Cluster

TOPIC = "exchanged"
COUNT = 300


def _everything(cluster: Cluster) -> dict[tuple[int, int], dict[str, object]]:
    """All messages by queue and offset."""
    arguments = ("msg", "tail", TOPIC, "--from", "earliest", "--count", str(COUNT))
    found = rmq(*arguments, namesrv=cluster.namesrv)
    assert found.code == 0, found.err
    messages = [json.loads(line) for line in found.out.splitlines()]
    return {(message["queue"], message["offset"]): message for message in messages}


def _by_key(cluster: Cluster, key: str) -> list[dict[str, object]]:
    """The messages of a key, each once.

    After a crash Apache's broker indexes again what is not below an index file's last message, so also that one.
    """
    found = rmq("msg", "find", TOPIC, "--key", key, "--count", "64", namesrv=cluster.namesrv)
    assert found.code == 0, found.err
    return [json.loads(line) for line in dict.fromkeys(found.out.splitlines())]


@pytest.mark.parametrize("ending", ["stopped", "killed"])
def test_apaches_broker_goes_on_with_our_store(java: Java, tmp_path: Path, ending: str) -> None:
    lines = "".join(f"message {number}\n" for number in range(COUNT - 1)).encode()
    with lite.single(tmp_path) as ours:
        sent = rmq(
            "msg", "send", TOPIC, "--lines", "--tag", "t", "--key", "many", stdin=lines, namesrv=ours.namesrv
        )
        assert sent.code == 0, sent.err
        single = rmq("msg", "send", TOPIC, "one", "--key", "one", "--property", "n=1", namesrv=ours.namesrv)
        assert single.code == 0, single.err
        written = _everything(ours)
        found = {key: _by_key(ours, key) for key in ("one", "many")}
        assert (len(written), len(found["one"]), len(found["many"])) == (COUNT, 1, 64)
        if ending == "killed":
            os.kill(json.loads((tmp_path / "up" / "ready.json").read_text())["pid"], signal.SIGKILL)
    with apache.on_store(java, tmp_path / "apache", tmp_path / "data" / "store") as theirs:
        assert _everything(theirs) == written
        assert {key: _by_key(theirs, key) for key in found} == found
        last = rmq("msg", "send", TOPIC, "behind", "--key", "one", namesrv=theirs.namesrv)
        assert last.code == 0, last.err
        assert [message["body"] for message in _by_key(theirs, "one")] == ["one", "behind"]


def _without(records: stored.Records, topic: str) -> stored.Records:
    return {queue: found for queue, found in records.items() if queue[0] != topic}


def _is_continued(before: stored.Records, after: stored.Records) -> bool:
    """Whether nothing that was there is missing or different; delayed messages may have arrived behind it."""
    return all(after[queue][: len(found)] == found for queue, found in before.items())


@pytest.mark.parametrize("ending", ["stopped", "killed"])
def test_apache_goes_on_with_small_files_of_ours(java: Java, tmp_path: Path, ending: str) -> None:
    store = tmp_path / "store"
    with lite.on_store(tmp_path / "lite", store, killed=ending == "killed", **stored.SMALL) as address:
        stored.fill(address)
        written = stored.records(address)
        told = stored.answers(address, _without(written, "later"))
    assert len(list((store / "commitlog").iterdir())) > 3
    with apache.on_store(java, tmp_path / "apache", store, **stored.SMALL) as theirs:
        address = theirs.broker.address
        assert _is_continued(written, stored.records(address))
        assert stored.answers(address, _without(written, "later")) == told
        _wait_for(address, b"soon")


@pytest.mark.parametrize("ending", ["stopped", "killed"])
def test_we_go_on_with_small_files_of_apaches(java: Java, tmp_path: Path, ending: str) -> None:
    store = tmp_path / "store"
    orderly = ending == "stopped"
    with apache.on_store(java, tmp_path / "apache", store, orderly=orderly, **stored.SMALL) as theirs:
        address = theirs.broker.address
        stored.fill(address)
        written = stored.records(address)
        told = stored.answers(address, _without(written, "later"))
        figures = stored.figures(address)
    with lite.on_store(tmp_path / "lite", store, **stored.SMALL) as address:
        assert figures <= stored.figures(address)
        assert _is_continued(written, stored.records(address))
        assert stored.answers(address, _without(written, "later")) == told
        _wait_for(address, b"soon")
    verified = rmq("store", "verify", str(store))
    assert verified.code == 0, verified.out


def _two_paths(directory: Path) -> tuple[dict[str, Any], list[Path]]:
    """Settings for a log in two directories, and these."""
    paths = [directory / "disk-a", directory / "disk-b"]
    return stored.SMALL | {"storePathCommitLog": ",".join(map(str, paths))}, paths


def test_apache_goes_on_with_our_log_on_two_disks(java: Java, tmp_path: Path) -> None:
    store = tmp_path / "store"
    settings, paths = _two_paths(tmp_path)
    with lite.on_store(tmp_path / "lite", store, killed=True, **settings) as address:
        stored.fill(address)
        written = stored.records(address)
        told = stored.answers(address, _without(written, "later"))
    assert all(len(list(path.iterdir())) > 1 for path in paths)
    with apache.on_store(java, tmp_path / "apache", store, **settings) as theirs:
        address = theirs.broker.address
        assert _is_continued(written, stored.records(address))
        assert stored.answers(address, _without(written, "later")) == told
        stored.fill(address)


def test_we_go_on_with_apaches_log_on_two_disks(java: Java, tmp_path: Path) -> None:
    store = tmp_path / "store"
    settings, paths = _two_paths(tmp_path)
    with apache.on_store(java, tmp_path / "apache", store, **settings) as theirs:
        stored.fill(theirs.broker.address)
        written = stored.records(theirs.broker.address)
    assert all(len(list(path.iterdir())) > 1 for path in paths)
    with lite.on_store(tmp_path / "lite", store, **settings) as address:
        assert _is_continued(written, stored.records(address))
        stored.fill(address)
    verified = rmq("store", "verify", str(store), "--commit-log", str(settings["storePathCommitLog"]))
    assert verified.code == 0, verified.out


def _wait_for(address: str, body: bytes) -> None:
    """Until a delayed message has arrived."""
    poll_until(
        lambda: stored.records(address)["later", 0],
        lambda records: any(body in record for record in records),
        within=60,
        every=0.5,
    )
