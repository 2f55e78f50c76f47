"""``rmq store``: what it prints of Apache's directory and of ours, and how it ends."""

from __future__ import annotations

import io
import json
import shutil
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


async def test_repair_asks_and_a_broker_serves_what_is_left(
    world: World, time: MockClock | None, rmq: Rmq, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        await peer.create_topic("orders", queues=1)
        for number in range(6):
            await peer.send("orders", str(number).encode(), properties=f"KEYS\x01k{number}\x02")
        refused = rmq("--yes", "store", "repair", world.directory)
        assert refused[0] == 1
        assert "in use" in refused[2]
    code, out, _ = rmq("store", "dump", world.directory)
    places = [json.loads(line)["position"] for line in out.splitlines()]
    store = world.directory / "store"
    segment = store / "commitlog" / f"{0:020}"
    with segment.open("r+b") as file:
        file.seek(places[3] + 88)
        file.write(b"?")
    log = segment.read_bytes()[: places[-1] + 1000]
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    code, out, err = rmq("store", "repair", world.directory)
    assert (code, out, (store / "lite-cut").exists()) == (1, "", False)
    assert f"at position {places[3]}. It will end there, behind 3 records" in err
    assert "2 whole records in them" in err
    assert "Nothing was changed" in err
    code, out, _ = rmq("--yes", "store", "repair", world.directory)
    done = json.loads(out)
    assert (code, done["repaired"], done["sound"], done["findings"]) == (0, True, True, [])
    cut = done["plan"]["cut"]
    assert (cut["at"], cut["records_behind"], cut["damage"]) == (places[3], 2, True)
    kept = store / "lite-cut" / f"{places[3]:020}-0"
    assert done["cut_to"] == str(kept)
    assert kept.read_bytes() == log[places[3] :][: cut["bytes"]]
    report = rmq.json("store", "verify", world.directory)
    assert (report["sound"], report["records"], report["entries"]) == (True, 3, 3)
    assert rmq.json("store", "repair", world.directory)["repaired"] is False
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        assert [message.body for message in await peer.pull("orders")] == [b"0", b"1", b"2"]
        assert (await peer.send("orders")).fields["queueOffset"] == "3"


async def test_repair_makes_missing_queues_and_index_again(
    world: World, time: MockClock | None, rmq: Rmq
) -> None:
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        await peer.create_topic("orders", queues=1)
        for number in range(6):
            await peer.send("orders", str(number).encode(), properties="KEYS\x01k\x02")
    store = world.directory / "store"
    index = [file.name for file in (store / "index").iterdir()]
    shutil.rmtree(store / "consumequeue")
    shutil.rmtree(store / "index")
    code, out, err = rmq("--yes", "--output", "table", "store", "repair", world.directory)
    assert (code, out) == (0, "The store is sound. A broker can start with it.\n")
    assert "index by key is missing" in err
    assert len(list((store / "index").iterdir())) == len(index) == 1
    assert rmq.json("store", "verify", world.directory)["entries"] == 6
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        assert [message.body for message in await peer.pull("orders")] == [b"%d" % n for n in range(6)]


def test_repair_of_apaches_directory(rmq: Rmq, sample: Path) -> None:
    before = rmq.json("store", "inspect", sample)["queues"]
    assert rmq.json("store", "repair", sample)["repaired"] is False
    queue = sample / "consumequeue" / "SampleA" / "0"
    entries = bytearray((queue / f"{0:020}").read_bytes())
    entries[20 * 7 + 4 : 20 * 7 + 8] = b"\x09\x09\x09\x09"
    (queue / f"{0:020}").write_bytes(entries)
    assert rmq("store", "verify", sample)[0] == 1
    code, out, err = rmq("--yes", "store", "repair", sample)
    done = json.loads(out)
    kept = sample / "lite-cut" / "consumequeue" / "SampleA" / "0-0"
    assert (code, done["sound"], done["set_aside"]) == (0, True, [str(kept)])
    assert str(queue) in err
    assert (kept / f"{0:020}").read_bytes() == entries
    assert rmq.json("store", "inspect", sample)["queues"] == before
    report = rmq.json("store", "verify", sample)
    assert (report["records"], report["entries"]) == (254, 254)
    done = json.loads(rmq("--yes", "store", "repair", sample, "--remake")[1])
    assert (done["repaired"], done["sound"], done["plan"]["index"]) == (True, True, "usable")
    assert rmq.json("store", "inspect", sample)["queues"] == before


async def test_a_lost_queue_is_missed_and_made_again(rmq: Rmq, world: World, time: MockClock | None) -> None:
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        await peer.create_topic("orders", queues=1)
        await peer.send("orders", b"one")
    queue = world.directory / "store" / "consumequeue" / "orders"
    shutil.rmtree(queue)
    code, out, _ = rmq("store", "verify", world.directory)
    assert (code, json.loads(out)["counts"]) == (1, {"missing-queue": 1})
    code, out, _ = rmq("--yes", "store", "repair", world.directory)
    assert (code, json.loads(out)["plan"]["missing_queues"]) == (0, [str(queue / "0")])
    assert rmq.json("store", "inspect", world.directory)["queues"][0]["messages"] == 1
