"""From a header's dataclass to its ``extFields`` and back: the one mechanism for all of them.

A field's key is its name in Java's spelling (``queue_id`` -> ``queueId``); where Java differs, the field says so
with ``key("clientID")``. A field with a default may be missing, and ``None`` is left out. Unknown keys are ignored.
Values are text: numbers in decimal, booleans ``true`` and ``false`` (anything else reads as false, as in Java).

``I32`` is Java's ``int``, a bare ``int`` its ``long``: a number beyond is refused, as Java refuses it, and so never
reaches an encoder that cannot hold it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, Self, get_type_hints

from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["I32", "Header", "camel_case", "key", "read_i32", "read_i64"]

I32 = Annotated[int, 32]
"""A number that is an ``int`` in Java."""

_I32: Final = 1 << 31
_I64: Final = 1 << 63


def camel_case(name: str) -> str:
    """Java's spelling of a Python name."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def key(name: str, **options: Any) -> Any:  # noqa: ANN401 - dataclasses.field is typed this way
    """A dataclass field whose Java name is not the camel-case form of its Python name."""
    return dataclasses.field(metadata={"key": name}, **options)


def read_i64(text: str) -> int:
    """A number as Java's ``Long.parseLong`` takes it.

    Raises:
        ValueError: It is no number, or too large.
    """
    return _within(int(text), _I64)


def read_i32(text: str) -> int:
    """A number as Java's ``Integer.parseInt`` takes it.

    Raises:
        ValueError: It is no number, or too large.
    """
    return _within(int(text), _I32)


def _within(number: int, limit: int) -> int:
    if not -limit <= number < limit:
        raise ValueError(f"{number} is out of range")
    return number


def _read_bool(text: str) -> bool:
    return text.lower() == "true"


_READERS: Final[dict[object, Callable[[str], object]]] = {
    int: read_i64,
    int | None: read_i64,
    I32: read_i32,
    I32 | None: read_i32,
    bool: _read_bool,
    bool | None: _read_bool,
    str: str,
    str | None: str,
}


class _Field(NamedTuple):
    name: str
    key: str
    read: Callable[[str], object]
    required: bool


_LAYOUTS: Final[dict[type[Header], tuple[_Field, ...]]] = {}


def _layout(header: type[Header]) -> tuple[_Field, ...]:
    """The fields of a class, worked out once."""
    if header not in _LAYOUTS:
        hints = get_type_hints(header, include_extras=True)
        _LAYOUTS[header] = tuple(
            _Field(
                each.name,
                each.metadata.get("key") or camel_case(each.name),
                _READERS[hints[each.name]],
                each.default is dataclasses.MISSING,
            )
            for each in dataclasses.fields(header)
        )
    return _LAYOUTS[header]


@dataclass(frozen=True, slots=True)
class Header:
    """What all headers can do."""

    def to_fields(self) -> dict[str, str]:
        """The header as ``extFields``."""
        fields: dict[str, str] = {}
        for name, field_key, _, _ in _layout(type(self)):
            value = getattr(self, name)
            if isinstance(value, bool):
                fields[field_key] = "true" if value else "false"
            elif value is not None:
                fields[field_key] = str(value)
        return fields

    @classmethod
    def keys(cls, *names: str) -> tuple[str, ...]:
        """Java's names of some fields, in the order given."""
        spelled = {field.name: field.key for field in _layout(cls)}
        return tuple(spelled[name] for name in names)

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> Self:
        """Read the header out of ``extFields``.

        Raises:
            LocalProtocolError: A required field is missing, or a number is not one.
        """
        values: dict[str, object] = {}
        for name, field_key, read, required in _layout(cls):
            text = fields.get(field_key)
            if text is None:
                if required:
                    raise LocalProtocolError(f"the field {field_key} is missing")
                continue
            try:
                values[name] = read(text)
            except ValueError as error:
                raise LocalProtocolError(
                    f"the field {field_key} is not a number in range: {text!r}"
                ) from error
        return cls(**values)
