"""Apache's configuration files: one JSON document a table, replaced so that a crash never leaves half of one.

Rules:
- A save writes ``X.tmp``, syncs it, renames ``X`` to ``X.bak`` and ``X.tmp`` to ``X``, and syncs the directory. Whatever
  the moment of a crash, ``X`` or ``X.bak`` is a whole document.
- A load takes ``X``, else ``X.bak``. A document that exists but does not decode is set aside as ``X.damaged`` before
  its backup is used, because the next save would otherwise push it over the good backup.
- A backup that does not decode either is damage: the server refuses to start rather than forget its topics.
- Saves of one file never overlap, and a save that waited while a newer one was written has nothing left to do.

Surprise: with no backup at all, a damaged document counts as empty, as it does in Apache's broker: that is what a crash
during the very first save of an older release leaves behind.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import trio

from rocketmq_lite.errors import ProtocolError, StoreDamaged, StoreError
from rocketmq_lite.protocol.framing import json_loads

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
_log: Final = logging.getLogger(__name__)

Offload = Callable[[Callable[[], None]], Awaitable[None]]
"""Runs blocking work: on a worker thread in production, inline under a mock clock."""


class ConfigFiles(Protocol):
    """Where a server's configuration tables are kept between two runs."""

    def load(self, name: str, decode: Callable[[object], T]) -> T | None:
        """The decoded document, or None when there is none. Blocks; called at start only."""

    async def write(self, name: str, document: object) -> None:
        """Replace the document. When this returns, the new one survives a power loss."""


class MemoryConfigFiles:
    """Keeps documents for as long as the process lives; an in-memory server forgets with it."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}

    def load(self, name: str, decode: Callable[[object], T]) -> T | None:
        """See ``ConfigFiles.load``."""
        data = self.documents.get(name)
        return None if data is None else decode(json_loads(data))

    async def write(self, name: str, document: object) -> None:
        """See ``ConfigFiles.write``."""
        await trio.lowlevel.checkpoint()
        self.documents[name] = _encode(document)


class ConfigDirectory:
    """The documents of one directory on disk.

    Args:
        path: The directory, made if need be.
        offload: Runs blocking work.
        encode: Writes a document, when it is more than JSON.
    """

    def __init__(self, path: Path, *, offload: Offload, encode: Callable[[Any], bytes] | None = None) -> None:
        self._path = path
        self._offload = offload
        self._encode = encode or _encode
        _make_directory(path)

    def load(self, name: str, decode: Callable[[object], T]) -> T | None:
        """See ``ConfigFiles.load``.

        Raises:
            StoreDamaged: The document and its backup exist and neither decodes.
            StoreError: The disk refuses to be read.
        """
        path = self._path / name
        backup = self._path / f"{name}.bak"
        try:
            data = _read(path)
            if data:
                try:
                    return decode(json_loads(data))
                except (ProtocolError, ValueError, TypeError, LookupError) as error:
                    _set_aside(path, error)
            data = _read(backup)
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}") from error
        if not data:
            return None
        try:
            document = decode(json_loads(data))
        except (ProtocolError, ValueError, TypeError, LookupError) as error:
            raise StoreDamaged(
                f"{backup} is damaged, and so is or missing is {path}: {error}",
                hint="restore one of the two from a backup, or remove both to start with an empty table",
            ) from error
        _log.warning("%s was not usable, its backup was taken", path)
        return document

    async def write(self, name: str, document: object) -> None:
        """See ``ConfigFiles.write``.

        Raises:
            StoreError: The disk refused; the old document is still in place.
        """
        data = self._encode(document)
        path = self._path / name
        try:
            await self._offload(lambda: _replace(path, data))
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror}") from error


class SavedDocument:
    """One document of ``ConfigFiles`` and the table it is a picture of.

    ``save`` returns once everything that was in the table when it was called is on disk. Many callers at once cost one
    or two writes, not one each.
    """

    def __init__(self, files: ConfigFiles, name: str, picture: Callable[[], object]) -> None:
        self._files = files
        self._name = name
        self._picture = picture
        self._lock = trio.Lock()
        self._asked = 0
        self._written = 0

    async def save(self) -> None:
        """Write the table as it is now, unless a write that began after this call has done so already.

        Raises:
            StoreError: The document could not be written; the next save tries again.
        """
        self._asked += 1
        mine = self._asked
        async with self._lock:
            if self._written >= mine:
                return
            covered = self._asked
            await self._files.write(self._name, self._picture())
            self._written = covered

    async def save_if_owed(self) -> None:
        """Write the table if an earlier save of it has failed.

        Raises:
            StoreError: It fails again.
        """
        if self._written < self._asked:
            await self.save()


def inline_offload() -> Offload:
    """Blocking work in the caller's own task: for mock clocks, whose autojump does not see threads."""

    async def run(work: Callable[[], None]) -> None:
        await trio.lowlevel.checkpoint()
        work()

    return run


def thread_offload(limiter: trio.CapacityLimiter) -> Offload:
    """Blocking work on a worker thread. A cancelled caller still waits: half a rename is nobody's wish."""

    async def run(work: Callable[[], None]) -> None:
        await trio.to_thread.run_sync(work, limiter=limiter, abandon_on_cancel=False)

    return run


def _encode(document: object) -> bytes:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False).encode()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _set_aside(path: Path, error: Exception) -> None:
    _log.error("%s does not decode (%s); kept as %s.damaged", path, error, path.name)
    path.replace(path.with_name(f"{path.name}.damaged"))


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_name(f"{path.name}.tmp")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        path.replace(path.with_name(f"{path.name}.bak"))
    fresh.replace(path)
    _sync_names(path.parent)


def _make_directory(path: Path) -> None:
    """Make a directory and the ones above it. A name is durable once the directory that it is in is synced."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for made in reversed(missing):
        _sync_names(made.parent)


def _sync_names(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
