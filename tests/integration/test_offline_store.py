"""``rmq store``: what it prints of Apache's directory and of ours, and how it ends."""

from __future__ import annotations

import json
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rocketmq_lite.cli import app as cli

if TYPE_CHECKING:
    from tests.integration.world import World
    from trio.testing import MockClock

SAMPLE = Path(__file__).parent.parent / "data" / "sample-store.tar.gz"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A directory that Apache's broker wrote."""
    with tarfile.open(SAMPLE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "sample-store"


class Rmq:
    """Runs a command in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Its exit code and what it wrote to both outputs."""
        self._monkeypatch.setattr(sys, "argv", ["rmq", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = self._capsys.readouterr()
        return int(ended.value.code or 0), out, err

    def json(self, *arguments: str | Path) -> Any:
        """What it printed, after it ended well."""
        code, out, err = self(*arguments)
        assert (code, err) == (0, "")
        return json.loads(out)


@pytest.fixture
def rmq(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rmq:
    """The command line."""
    return Rmq(monkeypatch, capsys)


def test_inspect_shows_log_and_queues(rmq: Rmq, sample: Path) -> None:
    found = rmq.json("store", "inspect", sample)
    assert (found["clean"], found["segments"], found["durable"]) == (True, 2, None)
    assert {"topic": "SampleA", "queue": 3, "min": 0, "max": 50, "messages": 50} in found["queues"]
    code, out, _ = rmq("--output", "table", "store", "inspect", sample)
    assert code == 0
    assert "SampleA" in out


def test_verify_says_what_is_wrong_where(rmq: Rmq, sample: Path) -> None:
    report = rmq.json("store", "verify", sample)
    assert (report["sound"], report["records"], report["entries"], report["findings"]) == (True, 254, 254, [])
    segment = sample / "commitlog" / f"{0:020}"
    content = bytearray(segment.read_bytes())
    content[276 + 90] ^= 1
    segment.write_bytes(content)
    code, out, _ = rmq("store", "verify", sample)
    report = json.loads(out)
    assert (code, report["sound"], report["records"]) == (1, False, 253)
    (damaged,) = [each for each in report["findings"] if each["kind"] == "damaged-record"]
    assert (damaged["file"], damaged["offset"], damaged["what"]) == (
        str(segment),
        276,
        "the checksum of the body",
    )
    code, out, _ = rmq("--output", "table", "store", "verify", sample)
    assert code == 1
    assert f"damaged-record: {segment} at 276: the checksum of the body should be" in out


def test_dump_prints_records(rmq: Rmq, sample: Path) -> None:
    code, out, _ = rmq("store", "dump", sample, "--topic", "SampleC")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, len(lines)) == (0, 4)
    assert [line["offset"] for line in lines] == [0, 1, 2, 3]
    assert lines[0]["body"].startswith("compressible LZ4 compressible")
    assert lines[0]["properties"]["KEYS"] == "c-LZ4"
    code, out, _ = rmq("--output", "table", "store", "dump", sample, "--from", "276", "--count", "1")
    assert (code, out) == (0, "276 SampleA/1@0 sample-a-1-x\n")


def test_a_directory_without_a_store(rmq: Rmq, tmp_path: Path) -> None:
    code, _, err = rmq("store", "inspect", tmp_path)
    assert code == 1
    assert "holds no store" in err


async def test_a_store_in_use_is_not_touched(world: World, time: MockClock | None, rmq: Rmq) -> None:
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        await peer.create_topic("orders", queues=1)
        await peer.send("orders")
        code, _, err = rmq("store", "verify", world.directory)
        assert code == 1
        assert "in use" in err
    report = rmq.json("store", "verify", world.directory)
    assert (report["sound"], report["records"], report["entries"]) == (True, 1, 1)
