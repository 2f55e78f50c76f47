"""How values are written in configuration files: each kind reads its text, writes it, and says what is allowed.

A kind's ``read`` raises ``ValueError`` for any text that it does not allow, whatever the reason.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rocketmq_lite.config import MAX_DELAY_LEVELS, split_addresses
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

QUEUE_ENTRY: Final = 20  # bytes of an entry of a consume queue
_LEVEL: Final = re.compile("[1-9][0-9]{0,8}[smhd]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value.

    Attributes:
        allowed: What may be written, for people who wrote something else.
        read: From text to the setting.
        write: From the setting to text, as Apache's broker would show it.
        separator: What stands between several values.
    """

    allowed: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str
    separator: str = ";"


def whole_number(lowest: int, highest: int = 2**31 - 1) -> Kind:
    """A whole number within bounds."""

    def read(text: str) -> int:
        number = int(text)
        if not lowest <= number <= highest:
            raise ValueError(text)
        return number

    return Kind(f"a whole number from {lowest} to {highest}", read)


def scaled(number: Kind, divisor: int, unit: str) -> Kind:
    """A number in another unit than the setting's, which is ``divisor`` times as large."""
    return Kind(
        f"{number.allowed} ({unit})",
        lambda text: number.read(text) / divisor,
        lambda value: str(round(value * divisor)),
    )


def percent(lowest: int, highest: int) -> Kind:
    """A part of a whole, written in hundredths."""
    return scaled(whole_number(lowest, highest), 100, "percent")


def choice(values: Mapping[str, str]) -> Kind:
    """One of Apache's words, or one of ours."""
    words = {value: word for word, value in values.items()}

    def read(text: str) -> str:
        if text in words:
            return text
        if text in values:
            return values[text]
        raise ValueError(text)

    return Kind(" or ".join([*values, *words]), read, words.__getitem__)


def _text(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _addresses(text: str) -> tuple[str, ...]:
    try:
        return split_addresses(text)
    except ConfigError as error:
        raise ValueError(text) from error


def _hours(text: str) -> tuple[int, ...]:
    hour = whole_number(0, 23)
    return tuple(hour.read(part) for part in text.split(";"))


def _levels(text: str) -> tuple[str, ...]:
    levels = tuple(text.split())
    if not 1 <= len(levels) <= MAX_DELAY_LEVELS or not all(_LEVEL.fullmatch(level) for level in levels):
        raise ValueError(text)
    return levels


def _queue_entries(text: str) -> int:
    size: int = whole_number(QUEUE_ENTRY).read(text)
    return -(-size // QUEUE_ENTRY)


TEXT: Final = Kind("some text", _text)
TRUTH: Final = Kind("true or false", _truth, lambda value: str(value).lower())
ADDRESSES: Final = Kind("host:port, several separated by ';'", _addresses, ";".join)
HOURS: Final = Kind(
    "hours of the day from 00 to 23, several separated by ';'",
    _hours,
    lambda hours: ";".join(f"{hour:02}" for hour in hours),
)
PATH: Final = Kind("the path of a directory", lambda text: Path(_text(text)))
PATHS: Final = Kind(
    "paths of directories, several separated by ','",
    lambda text: tuple(Path(_text(part.strip())) for part in text.split(",")),
    lambda paths: ",".join(map(str, paths)),
    separator=",",
)
LEVELS: Final = Kind(
    f"up to {MAX_DELAY_LEVELS} times, as '1s 5m 2h 1d', with blanks between them",
    _levels,
    " ".join,
    separator=" ",
)
QUEUE_FILE: Final = Kind(
    f"bytes, {QUEUE_ENTRY} or more (Apache too rounds up to whole entries of {QUEUE_ENTRY})",
    _queue_entries,
    lambda entries: str(entries * QUEUE_ENTRY),
)
