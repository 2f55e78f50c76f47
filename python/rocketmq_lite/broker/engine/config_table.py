"""What the tables of topics and of groups have in common: named settings, and a version of the whole.

The version steps at every change. Whoever keeps a copy (name servers, slaves) compares it for equality only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from rocketmq_lite.protocol.bodies import DataVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ConfigT = TypeVar("ConfigT")


class ConfigTable(Generic[ConfigT]):
    """Settings by name."""

    def __init__(self, entries: Iterable[ConfigT], *, name_of: Callable[[ConfigT], str], now_ms: int) -> None:
        self._name_of = name_of
        self._version = DataVersion(counter=0, state_version=0, timestamp=now_ms)
        self._entries = {name_of(entry): entry for entry in entries}

    @property
    def version(self) -> DataVersion:
        """The version of the table as a whole."""
        return self._version

    def get(self, name: str) -> ConfigT | None:
        """One entry, or None."""
        return self._entries.get(name)

    def all(self) -> dict[str, ConfigT]:
        """A copy of the table."""
        return dict(self._entries)

    def put(self, entry: ConfigT, *, now_ms: int) -> None:
        """Create or replace an entry."""
        self._entries[self._name_of(entry)] = entry
        self._version = self._version.next(now_ms)

    def remove(self, name: str, *, now_ms: int) -> bool:
        """Forget an entry; False when it was not there."""
        if self._entries.pop(name, None) is None:
            return False
        self._version = self._version.next(now_ms)
        return True

    def _take_over(self, entries: Iterable[ConfigT], version: DataVersion) -> None:
        """Adopt what was saved; entries that it lacks stay as they are."""
        self._entries.update({self._name_of(entry): entry for entry in entries})
        self._version = version
