r"""Java's ``.properties`` text, the body of the requests that read and change settings.

A line is ``key=value``; ``:`` or a blank separate too, ``#`` and ``!`` begin comments, a line that ends in ``\`` goes on
in the next, and ``\`` escapes. Files are UTF-8 here, so only what would be misread is escaped when writing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rocketmq_lite.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["dump_properties", "load_properties"]

_NAMED: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_ESCAPED: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_BLANKS: Final = " \t\f"
_PAIR: Final = re.compile(r"((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)", re.DOTALL)
_CONTINUED: Final = re.compile(r"(?<!\\)(?:\\\\)*\\$")


def load_properties(data: bytes) -> dict[str, str]:
    """The pairs of a text; of equal keys the last.

    Raises:
        LocalProtocolError: It is not UTF-8.
    """
    try:
        lines = iter(re.split(r"\r\n|\r|\n", data.decode()))
    except UnicodeDecodeError as error:
        raise LocalProtocolError(f"the properties are not UTF-8: {error}") from error
    pairs: dict[str, str] = {}
    for first in lines:
        line = first.lstrip(_BLANKS)
        if not line or line[0] in "#!":
            continue
        while _CONTINUED.search(line):
            line = line[:-1] + next(lines, "").lstrip(_BLANKS)
        if (found := _PAIR.match(line)) is not None:
            pairs[_unescape(found[1])] = _unescape(found[2])
    return pairs


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
