"""Apache's broker over a directory that ours left: every message, at its offset, and found by its keys."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest
from tests.interop import apache, lite
from tests.support.cli import rmq

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
    found = rmq("msg", "find", TOPIC, "--key", key, "--count", "64", namesrv=cluster.namesrv)
    assert found.code == 0, found.err
    return [json.loads(line) for line in found.out.splitlines()]


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
