"""Configuration documents on disk: replaced as a whole, read back from whichever of the two copies is good."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import trio
from tests.support.power_loss import Recorder

from rocketmq_lite.config_files import (
    ConfigDirectory,
    MemoryConfigFiles,
    SavedDocument,
    inline_offload,
    thread_offload,
)
from rocketmq_lite.errors import StoreDamaged, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
NAME = "topics.json"


def whole(document: object) -> object:
    return document


def unsealed(data: bytes) -> object:
    """What a written document says, beside its checksum."""
    document = json.loads(data)
    assert len(document.pop("liteChecksum")) == 8
    return document


async def directory(path: Path) -> ConfigDirectory:
    return ConfigDirectory(path, offload=inline_offload())


async def test_a_document_and_its_predecessor_are_kept(tmp_path: Path) -> None:
    files = await directory(tmp_path / "config")
    assert files.load(NAME, whole) is None
    await files.write(NAME, {"a": 1})
    await files.write(NAME, {"a": 2, "ü": "ß"})
    assert files.load(NAME, whole) == {"a": 2, "ü": "ß"}
    assert unsealed((tmp_path / "config" / f"{NAME}.bak").read_bytes()) == {"a": 1}
    assert sorted(each.name for each in (tmp_path / "config").iterdir()) == [NAME, f"{NAME}.bak"]


async def test_a_missing_document_is_taken_from_its_backup(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.bak").write_text('{"a": {0: 1}}')
    assert (await directory(tmp_path)).load(NAME, whole) == {"a": {0: 1}}


@pytest.mark.parametrize("text", ["", "{", "\x00" * 100])
async def test_a_damaged_document_is_set_aside_and_its_backup_survives_the_next_save(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / NAME).write_text(text)
    (tmp_path / f"{NAME}.bak").write_text('{"a": 1}')
    files = await directory(tmp_path)
    assert files.load(NAME, whole) == {"a": 1}
    await files.write(NAME, {"a": 2})
    (tmp_path / NAME).unlink()
    assert files.load(NAME, whole) == {"a": 1}
    assert (tmp_path / f"{NAME}.damaged").read_text() == text


@pytest.mark.parametrize(
    ("found", "spare", "said"),
    [
        ("{", None, r"topics.json does not decode .*, and its backup topics.json.bak is missing"),
        ("", None, r"topics.json is empty, and its backup topics.json.bak is missing"),
        ("{", "[", r"topics.json does not decode .* its backup topics.json.bak does not decode"),
        (None, "", r"topics.json is missing, and its backup topics.json.bak is empty"),
    ],
)
async def test_without_a_good_copy_nothing_begins_empty_however_often_it_is_tried(
    tmp_path: Path, found: str | None, spare: str | None, said: str
) -> None:
    both = {NAME: found, f"{NAME}.bak": spare}
    copies = {name: text for name, text in both.items() if text is not None}
    for name, text in copies.items():
        (tmp_path / name).write_text(text)
    for _ in range(2):
        with pytest.raises(StoreDamaged, match=said):
            (await directory(tmp_path)).load(NAME, whole)
        assert {name: (tmp_path / name).read_text() for name in copies} == copies


async def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    files = await directory(tmp_path)
    document: dict[str, object] = {"offsetTable": {"T@G": {"0": 12, "1": 7}}, "version": 3, "ü": None}
    await files.write(NAME, document)
    written = (tmp_path / NAME).read_bytes()
    (tmp_path / f"{NAME}.bak").write_bytes(written)
    for bit in range(len(written) * 8):
        flipped = bytearray(written)
        flipped[bit // 8] ^= 1 << bit % 8
        (tmp_path / NAME).write_bytes(flipped)
        loaded = files.load(NAME, whole)
        assert isinstance(loaded, dict)
        # A checksum whose own name is damaged is a member more, and nothing is lost.
        assert {name: loaded[name] for name in document} == document, bit
        damaged = tmp_path / f"{NAME}.damaged"
        if damaged.exists():
            assert damaged.read_bytes() == flipped
            damaged.unlink()
        else:
            assert bit // 8 > written.index(b"liteChecksum") - 1, bit


async def test_what_another_broker_wrote_has_no_checksum_and_is_taken(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"a": 1}')
    assert (await directory(tmp_path)).load(NAME, whole) == {"a": 1}


async def test_a_disk_that_refuses_is_a_store_error_and_the_old_document_stays(tmp_path: Path) -> None:
    files = await directory(tmp_path)
    await files.write(NAME, {"a": 1})
    (tmp_path / f"{NAME}.tmp").mkdir()
    with pytest.raises(StoreError, match=NAME):
        await files.write(NAME, {"a": 2})
    assert files.load(NAME, whole) == {"a": 1}


async def test_saves_on_a_worker_thread_are_collected() -> None:
    class Counting(MemoryConfigFiles):
        writes = 0

        async def write(self, name: str, document: object) -> None:
            self.writes += 1
            await trio.testing.wait_all_tasks_blocked()
            await super().write(name, document)

    files = Counting()
    state = {"n": 0}
    document = SavedDocument(files, NAME, lambda: dict(state))
    async with trio.open_nursery() as nursery:
        for number in range(50):
            state["n"] = number
            nursery.start_soon(document.save)
    assert files.writes <= 2
    assert files.load(NAME, whole) == {"n": 49}


async def test_a_save_that_failed_is_owed(tmp_path: Path) -> None:
    files = ConfigDirectory(tmp_path, offload=thread_offload(trio.CapacityLimiter(1)))
    document = SavedDocument(files, NAME, lambda: {"a": 1})
    await document.save_if_owed()
    assert files.load(NAME, whole) is None
    blocker = tmp_path / f"{NAME}.tmp"
    blocker.mkdir()
    with pytest.raises(StoreError):
        await document.save()
    blocker.rmdir()
    await document.save_if_owed()
    assert files.load(NAME, whole) == {"a": 1}


class Crash(BaseException):
    """The process dies here."""


STEPS = (
    "the content is synced",
    "the old one becomes the backup",
    "the new one gets its name",
    "the names are synced",
)


@pytest.mark.parametrize("step", range(len(STEPS)), ids=STEPS)
async def test_a_crash_at_any_step_leaves_the_old_document_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    files = await directory(tmp_path)
    for number in (1, 2):
        await files.write(NAME, {"a": number})
    left = step

    def dying(real: Callable[..., T]) -> Callable[..., T]:
        def act(*arguments: Any) -> T:
            nonlocal left
            left -= 1
            if left < 0:
                raise Crash
            return real(*arguments)

        return act

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dying(os.fsync))
        patch.setattr(Path, "replace", dying(Path.replace))
        with pytest.raises(Crash):
            await files.write(NAME, {"a": 3})
    assert left == -1
    again = await directory(tmp_path)
    assert again.load(NAME, whole) == {"a": 3 if STEPS[step] == STEPS[-1] else 2}
    await again.write(NAME, {"a": 4})
    assert again.load(NAME, whole) == {"a": 4}


async def test_wherever_the_power_goes_a_document_or_its_predecessor_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    files = await directory(config)
    durable: dict[str, object] | None = None
    looked_at = 0
    with Recorder(config, monkeypatch) as recorder:
        for number in range(4):
            document: dict[str, object] = {"number": number, "filler": "x" * 100 * number}
            await files.write(NAME, document)
            for image in recorder.disks():
                folder = tmp_path / f"image-{looked_at}"
                folder.mkdir()
                for name, content in image.items():
                    (folder / name).write_bytes(content)
                assert (await directory(folder)).load(NAME, whole) in (durable, document), image
                looked_at += 1
            assert [unsealed(image[NAME]) for image in recorder.disk.images()] == [document], "it is durable"
            durable = document
    assert looked_at > 50


async def test_the_directory_is_durable_with_all_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())))
    await directory(tmp_path / "data" / "store" / "config")
    assert synced == [str(tmp_path), str(tmp_path / "data"), str(tmp_path / "data" / "store")]
    synced.clear()
    await directory(tmp_path / "data" / "store" / "config")
    assert synced == []
