"""What the power going may leave of a directory: a journal of the calls that changed it, and the disks that result.

Calls are heard through the interpreter's audit events, so whatever writes the files is watched as it is. What a disk is
taken to promise is what the store's tests take (``rust/core/src/store/journal_fs``): content is there after a sync of
the file, a name after a sync of its directory, and before that any of them may be, in any choice.
"""

from __future__ import annotations

import itertools
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

Names = dict[str, int]


@dataclass(frozen=True)
class Change:
    """A file loses a name, gets one, or both at once."""

    file: int
    taken: str | None
    given: str | None


@dataclass
class Disk:
    """What is durable, and what is on its way."""

    names: Names = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)
    pending: list[Change] = field(default_factory=list)
    unsynced: dict[int, Path] = field(default_factory=dict)

    def images(self) -> Iterator[dict[str, bytes]]:
        """Every choice of names, with unsynced content missing, cut and whole."""
        for kept in itertools.product((False, True), repeat=len(self.pending)):
            names = dict(self.names)
            for change in itertools.compress(self.pending, kept):
                apply(names, change)
            files = sorted(set(names.values()))
            for contents in itertools.product(*(self._contents(file) for file in files)):
                content = dict(zip(files, contents, strict=True))
                yield {name: content[file] for name, file in names.items()}

    def _contents(self, file: int) -> list[bytes]:
        durable = self.contents.get(file, b"")
        path = self.unsynced.get(file)
        if path is None or not path.exists():
            return [durable]
        whole = path.read_bytes()
        return [durable, whole[: len(whole) // 2], whole]


class Recorder:
    """Watches one directory of files, and looks at every disk that a cut before each call may leave."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._directory = directory
        self._live: Names = {}
        self._numbers = itertools.count()
        self.disk = Disk()
        self._disks: list[dict[str, bytes]] = []
        self._watching = False
        real_fsync = os.fsync

        def fsync(fd: int) -> None:
            self._look()
            real_fsync(fd)
            self._synced(Path(f"/proc/self/fd/{fd}").readlink())

        monkeypatch.setattr(os, "fsync", fsync)

    def __enter__(self) -> Self:
        self._watching = True
        sys.addaudithook(self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        self._watching = False

    def disks(self) -> list[dict[str, bytes]]:
        """What a cut may have left at any time since this was last asked."""
        self._look()
        disks, self._disks = self._disks, []
        return disks

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._watching or event not in {"open", "os.rename", "os.remove"}:
            return
        paths = [Path(os.fsdecode(path)) for path in arguments if isinstance(path, str | bytes | os.PathLike)]
        if not paths or paths[0].parent != self._directory:
            return
        if event == "open":
            self._opened(paths[0], arguments[2])
        elif event == "os.rename":
            self._look()
            self._change(Change(self._live[paths[0].name], paths[0].name, paths[1].name))
        else:
            self._look()
            self._change(Change(self._live[paths[0].name], paths[0].name, None))

    def _opened(self, path: Path, flags: object) -> None:
        assert isinstance(flags, int)
        if not flags & os.O_CREAT:
            return
        self._look()
        if path.name not in self._live:
            self._change(Change(next(self._numbers), None, path.name))
        self.disk.unsynced[self._live[path.name]] = path

    def _synced(self, path: Path) -> None:
        if path == self._directory:
            self.disk.names = dict(self._live)
            self.disk.pending.clear()
        elif path.parent == self._directory:
            file = self._live[path.name]
            self.disk.contents[file] = path.read_bytes()
            self.disk.unsynced.pop(file, None)

    def _change(self, change: Change) -> None:
        apply(self._live, change)
        self.disk.pending.append(change)

    def _look(self) -> None:
        self._watching = False
        self._disks.extend(self.disk.images())
        self._watching = True


def apply(names: Names, change: Change) -> None:
    """A file has one name at most."""
    for name in [name for name, file in names.items() if file == change.file]:
        del names[name]
    if change.given is not None:
        names[change.given] = change.file
