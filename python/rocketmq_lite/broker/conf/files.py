"""Reads a broker's configuration file.

A file whose name ends in ``.toml`` is ours, any other one Apache's: Java properties. Whatever cannot be meant stops the
start with an error that names file, line, key and what is allowed; whatever changes nothing here is a warning: no key is
ignored in silence.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from rocketmq_lite import records
from rocketmq_lite.broker.conf.keys import KEYS, REFUSED, Changes, known_to_apache
from rocketmq_lite.errors import ConfigError, LocalProtocolError
from rocketmq_lite.protocol.properties_text import Pair, iter_properties

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from rocketmq_lite.broker.conf.keys import Key

_EVERY_ADDRESS: Final = "0.0.0.0"


@records.dataclass(slots=True)
class FileSettings:
    """What a file says.

    Attributes:
        changes: The settings that it changes.
        warnings: A sentence for each key that changes nothing.
    """

    changes: Changes = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def read_file(path: Path) -> FileSettings:
    """Read a configuration file.

    Raises:
        ConfigError: There is no such file, or it says what cannot be.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    return _Toml(path).read(data) if path.suffix == ".toml" else _Properties(path).read(data)


class _File:
    """What both forms of a file share."""

    def __init__(self, path: Path, keys: Mapping[str, Key]) -> None:
        self._path = path
        self._keys = keys
        self._found = FileSettings()

    def take(self, pairs: Iterable[Pair]) -> FileSettings:
        for pair in pairs:
            if (key := self._keys.get(pair.key)) is not None:
                self._found.changes[key.field] = self._value(key, pair)
            else:
                self._found.warnings.append(f"{self.where(pair)}: {self.remark(pair)}")
        return self._found

    def where(self, pair: Pair) -> str:
        return f"{self._path}:{pair.line}"

    def remark(self, pair: Pair) -> str:
        """Why a key that is in no table changes nothing."""
        return f"{pair.key} is not known{self._nearest(pair.key, self._keys)}"

    def _value(self, key: Key, pair: Pair) -> object:
        try:
            return key.kind.read(pair.value.strip())
        except (ValueError, LookupError) as error:
            raise ConfigError(
                f"{self.where(pair)}: {pair.key} cannot be {pair.value!r}", hint=f"give {key.kind.allowed}"
            ) from error

    @staticmethod
    def _nearest(name: str, names: Iterable[str]) -> str:
        nearest = difflib.get_close_matches(name, names, n=1)
        return f"; did you mean {nearest[0]}?" if nearest else ""


class _Properties(_File):
    def __init__(self, path: Path) -> None:
        super().__init__(path, {key.apache: key for key in KEYS})

    def read(self, data: bytes) -> FileSettings:
        try:
            found = self.take(self._accepted(iter_properties(data)))
        except LocalProtocolError as error:
            raise ConfigError(f"{self._path}: {error}") from error
        advertised = found.changes.get("advertise")
        if advertised is not None and "host" not in found.changes and not _is_loopback(advertised):
            # As Apache's broker, which listens on every address whatever it tells others.
            found.changes["host"] = _EVERY_ADDRESS
        return found

    def _accepted(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        """Pairs that have to be looked at, once those that cannot be ignored were refused."""
        for pair in pairs:
            refusal = REFUSED.get(pair.key)
            if refusal is None:
                yield pair
            elif pair.value.strip() not in refusal.harmless:
                raise ConfigError(
                    f"{self.where(pair)}: {pair.key} cannot be {pair.value!r}: {refusal.why}",
                    hint=f"give {' or '.join(sorted(refusal.harmless))}, or leave the line out",
                )

    def remark(self, pair: Pair) -> str:
        known = known_to_apache()
        if pair.key in known:
            return f"{pair.key} is a setting of Apache's broker that changes nothing here"
        return f"{pair.key} is not known{self._nearest(pair.key, known)}"


class _Toml(_File):
    def __init__(self, path: Path) -> None:
        super().__init__(path, {key.toml: key for key in KEYS})

    def remark(self, pair: Pair) -> str:
        ours = next((key.toml for key in KEYS if key.apache == pair.key), None)
        return super().remark(pair) if ours is None else f"{pair.key} is not known; did you mean {ours}?"

    def read(self, data: bytes) -> FileSettings:
        import tomllib

        try:
            text = data.decode()
            document = tomllib.loads(text)
        except ValueError as error:
            raise ConfigError(f"{self._path}: this is no TOML: {error}") from error
        lines = text.splitlines()
        return self.take(
            Pair(_line_of(lines, name), name, self._text(name, value)) for name, value in _leaves(document)
        )

    def _text(self, name: str, value: object) -> str:
        """A value as Apache's files have it."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, list):
            key = self._keys.get(name)
            return (key.kind.separator if key else ";").join(self._text(name, each) for each in value)
        return str(value)


def _leaves(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _line_of(lines: list[str], name: str) -> int:
    """Where a key stands, as tomllib does not tell; the top if it is written in a way that hides it."""
    table, _, last = name.rpartition(".")
    begins = 0
    if table:
        header = re.compile(rf"\s*\[\s*{re.escape(table)}\s*\]")
        begins = next((at for at, line in enumerate(lines) if header.match(line)), 0)
    assignment = re.compile(rf"\s*({re.escape(last)}|{re.escape(name)})\s*=")
    return next((at for at in range(begins, len(lines)) if assignment.match(lines[at])), 0) + 1


def _is_loopback(advertise: str) -> bool:
    try:
        return ip_address(advertise).is_loopback
    except ValueError:
        return advertise.partition(":")[0] == "localhost"
