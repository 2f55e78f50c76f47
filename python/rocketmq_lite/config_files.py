"""Apache's configuration files: one JSON document a table, replaced so that a crash never leaves half of one.

Rules:
- A save writes ``X.tmp``, syncs it, renames ``X`` to ``X.bak`` and ``X.tmp`` to ``X``, and syncs the directory. Whatever
  the moment of a crash, ``X`` or ``X.bak`` is a whole document.
- What is written here ends in a checksum of all before it, since a flipped bit may leave valid JSON with another offset or
  topic in it. Apache's broker reads past that member, and writes none; what has none is not checked.
- A load takes ``X``, else ``X.bak``. A document that is not usable is set aside as ``X.damaged`` once its backup is known to
  be good: the next save would push it over the backup.
- With no usable copy the server refuses to start rather than forget its topics or offsets. Only where neither of the two
  files exists there was nothing.
- Saves of one file never overlap, and a save that waited while a newer one was written has nothing left to do.
"""

from __future__ import annotations

import json
import logging
import os
import zlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import trio

from rocketmq_lite.errors import ProtocolError, StoreDamaged, StoreError
from rocketmq_lite.protocol.framing import json_loads

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
_log: Final = logging.getLogger(__name__)

_CHECKSUM: Final = "liteChecksum"

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
        self._encode = encode or _encode_checked
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
            found, spare = _read(path), _read(backup)
        except OSError as error:
            raise StoreError(f"cannot read {error.filename}: {error.strerror}") from error
        if found is None and spare is None:
            return None
        try:
            return _usable(found, decode)
        except _Unusable as error:
            problem = error
        try:
            document = _usable(spare, decode)
        except _Unusable as error:
            raise StoreDamaged(
                f"{path} {problem}, and its backup {backup.name} {error}",
                hint="restore one of the two from a copy, or remove both to start with an empty table; "
                f"one that was changed by hand needs its last member, {_CHECKSUM}, removed",
            ) from error
        if found is not None:
            path.replace(path.with_name(f"{name}.damaged"))
        _log.error(
            "%s %s; its backup was taken, which is older%s",
            path,
            problem,
            "" if found is None else f", and the damaged file is kept as {name}.damaged",
        )
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


def _encode_checked(document: object) -> bytes:
    """With its checksum as the last member."""
    text = _encode(document).removesuffix(b"\n}")
    return text + f',\n  "{_CHECKSUM}": "{zlib.crc32(text):08x}"\n}}'.encode()


class _Unusable(Exception):
    """What is wrong with a file, as what follows its name in a sentence."""


def _usable(data: bytes | None, decode: Callable[[object], T]) -> T:
    if data is None:
        raise _Unusable("is missing")
    if not data:
        raise _Unusable("is empty")
    try:
        document = json_loads(data)
        if isinstance(document, dict):
            _check(data, document.pop(_CHECKSUM, None))
        return decode(document)
    except (ProtocolError, ValueError, TypeError, LookupError) as error:
        raise _Unusable(f"does not decode ({error})") from error


def _check(data: bytes, said: object) -> None:
    if said is None:
        return
    text, _, _ = data.rpartition(f',\n  "{_CHECKSUM}"'.encode())
    if said != f"{zlib.crc32(text):08x}":
        raise _Unusable("is not as it was written: its checksum does not fit")


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


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
