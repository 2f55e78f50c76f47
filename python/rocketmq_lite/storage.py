"""The door to a store directory that no broker has open: what ``rmq store`` is made of.

Nothing but :meth:`OfflineRepair.apply` changes a directory. Works on ours and on Apache's. All of it waits for
the disk, so a task under Trio calls it from a thread.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, final

from rocketmq_lite import _native
from rocketmq_lite.clock import utc_offset_s
from rocketmq_lite.errors import ConfigError, ProtocolError, StoreDamaged, StoreError, StoreLocked
from rocketmq_lite.protocol.framing import RawMessage, decode_messages, json_loads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["OfflineRepair", "OfflineStore", "known_topics", "store_error", "store_root"]

_CHUNK: Final = 1024 * 1024


def store_root(directory: Path, log_dirs: Sequence[Path] = ()) -> Path:
    """The directory itself, or the ``store`` in it that ``rmq --data`` makes.

    Args:
        directory: What the user named.
        log_dirs: Where the log is, if not in there.

    Raises:
        ConfigError: There is no commit log in either.
    """
    if log_dirs:
        return inner if (inner := directory / "store").is_dir() else directory
    for root in (directory, directory / "store"):
        if (root / "commitlog").is_dir():
            return root
    raise ConfigError(
        f"{directory} holds no store: there is no commitlog in it",
        hint="give the directory of --data, or Apache's storePathRootDir; a log that lies elsewhere needs --commit-log",
    )


def known_topics(root: Path) -> frozenset[str] | None:
    """The topics of a store, by ``topics.json`` or its backup; None if neither says so.

    Nothing is changed: whoever opens the store will report a file that is damaged.
    """
    for name in ("topics.json", "topics.json.bak"):
        try:
            document = json_loads((root / "config" / name).read_bytes())
        except (OSError, ProtocolError):
            continue
        table = document.get("topicConfigTable") if isinstance(document, dict) else None
        if isinstance(table, dict):
            return frozenset(map(str, table))
    return None


def store_error(error: _native.StoreError) -> StoreError:
    """The extension's error in our words."""
    where = error.path or "the store"
    match error.kind:
        case "locked":
            return StoreLocked(
                f"{where} is in use by another process",
                hint="stop the broker that uses this directory, or give this one its own",
            )
        case "damaged":
            return StoreDamaged(
                str(error),
                hint="nothing was changed; `rmq store verify DIR` lists all of the damage, `rmq store dump DIR` prints "
                "what is whole; restore the directory from a copy, or let `rmq store repair DIR` say what it can do",
            )
        case _:
            return StoreError(str(error))


@final
class OfflineStore:
    """A store directory, to be read only.

    Args:
        root: Apache's ``storePathRootDir``.
        log_dirs: Apache's ``storePathCommitLog``, if the log does not lie in ``commitlog`` of the root.
    """

    def __init__(self, root: Path, log_dirs: Sequence[Path] = ()) -> None:
        self._root = root
        self._log_dirs = [str(path) for path in log_dirs]
        self._topics = known_topics(root)

    def inspect(self) -> dict[str, object]:
        """What is in it, without reading all of it; docs/cli.md names the members.

        Raises:
            StoreLocked: A broker has it open.
            StoreError: It cannot be read.
        """
        with _translated():
            return _native.OfflineStore(
                str(self._root), log_dirs=self._log_dirs, topics=self._topics
            ).inspect()

    def verify(self, progress: Callable[[int, int], None]) -> dict[str, object]:
        """Read the log and every queue entry that belongs to it; docs/cli.md names the members of the report.

        Args:
            progress: Told now and then how far in the log it is, and where the files end.

        Raises:
            StoreLocked: A broker has it open.
            StoreError: It cannot be read.
        """
        with _translated():
            check = _native.StoreCheck(str(self._root), log_dirs=self._log_dirs, topics=self._topics)
            has_more = True
            while has_more:
                has_more, position, end = check.step()
                progress(position, end)
            return check.report()

    def records(self, start: int | None = None) -> Iterator[RawMessage]:
        """The records from a log position on, up to the end or to the first that is not whole.

        Args:
            start: Where a record begins; the beginning of the log if not given.

        Raises:
            StoreLocked: A broker has it open.
            StoreError: It cannot be read.
        """
        with _translated():
            store = _native.OfflineStore(str(self._root), log_dirs=self._log_dirs, topics=self._topics)
            position = start
            while True:
                found, position = store.records(position, _CHUNK)
                yield from decode_messages(found)
                if position is None:
                    return


@final
class OfflineRepair:
    """A damaged store directory to be made one that a broker starts with.

    It is locked from here until :meth:`apply`, if a broker ever had it open.

    Args:
        root: Apache's ``storePathRootDir``.
        log_dirs: Apache's ``storePathCommitLog``, if the log does not lie in ``commitlog`` of the root.
        remake: Make queue entries and index again even if nothing is wrong with them.

    Raises:
        StoreLocked: A broker has it open.
        StoreError: It cannot be read.
    """

    def __init__(self, root: Path, log_dirs: Sequence[Path] = (), *, remake: bool = False) -> None:
        self._root = root
        with _translated():
            self._repair = _native.StoreRepair(
                str(root),
                log_dirs=[str(path) for path in log_dirs],
                topics=known_topics(root),
                remake=remake,
            )

    def plan(self, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Check all of the store and say what would be done; docs/cli.md names the members.

        Args:
            progress: Told now and then how far in the log it is, and where the files end.

        Raises:
            StoreError: It cannot be read.
        """
        with _translated():
            has_more = True
            while has_more:
                has_more, position, end = self._repair.step()
                progress(position, end)
            return {**self._repair.plan(), "directory": str(self._root / "lite-cut")}

    def apply(self) -> dict[str, Any]:
        """Do what was planned, once; docs/cli.md names the members of what is returned.

        Raises:
            StoreLocked: A broker has it open by now.
            StoreError: It cannot be read or written. What was done until then is kept; a new repair goes on from there.
        """
        with _translated():
            return self._repair.apply(utc_offset_s(), time.time_ns() // 1_000_000)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _native.StoreError as error:
        raise store_error(error) from error
