r"""Java's ``.properties`` text, the body of the requests that read and change settings.

A line is ``key=value``; ``:`` or a blank separate too, ``#`` and ``!`` begin comments, a line that ends in ``\`` goes on
in the next, and ``\`` escapes. Files are UTF-8 here, so only what would be misread is escaped when writing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from rocketmq_lite.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Pair", "dump_properties", "iter_properties", "load_properties"]

_NAMED: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_ESCAPED: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_BLANKS: Final = " \t\f"
_PAIR: Final = re.compile(r"((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)", re.DOTALL)
_CONTINUED: Final = re.compile(r"(?<!\\)(?:\\\\)*\\$")


class Pair(NamedTuple):
    """A key, its value, and the line that it begins on, counted from 1."""

    line: int
    key: str
    value: str


def load_properties(data: bytes) -> dict[str, str]:
    """The pairs of a text; of equal keys the last.

    Raises:
        LocalProtocolError: It is not UTF-8.
    """
    return {pair.key: pair.value for pair in iter_properties(data)}


def iter_properties(data: bytes) -> Iterator[Pair]:
    """The pairs of a text, in its order.

    Raises:
        LocalProtocolError: It is not UTF-8.
    """
    try:
        lines = enumerate(re.split(r"\r\n|\r|\n", data.decode()), 1)
    except UnicodeDecodeError as error:
        raise LocalProtocolError(f"the properties are not UTF-8: {error}") from error
    for number, first in lines:
        line = first.lstrip(_BLANKS)
        if not line or line[0] in "#!":
            continue
        while _CONTINUED.search(line):
            line = line[:-1] + next(lines, (0, ""))[1].lstrip(_BLANKS)
        if (found := _PAIR.match(line)) is not None:
            yield Pair(number, _unescape(found[1]), _unescape(found[2]))


def dump_properties(pairs: Mapping[str, str]) -> bytes:
    """A text of the pairs, sorted by key."""
    return "".join(f"{_escape(key, ' =:#!')}={_escape(pairs[key], '')}\n" for key in sorted(pairs)).encode()


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)) if m[1] else _NAMED.get(m[2], m[2]), text)


def _escape(text: str, special: str) -> str:
    text = text.replace("\\", "\\\\")
    for letter, character in _NAMED.items():
        text = text.replace(character, f"\\{letter}")
    for character in special:
        text = text.replace(character, f"\\{character}")
    return f"\\{text}" if text.startswith(" ") else text
