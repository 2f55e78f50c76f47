"""From a header's dataclass to its ``extFields`` and back: the one mechanism for all of them.

A field's key is its name in Java's spelling (``queue_id`` -> ``queueId``); where Java differs, the field says so
with ``key("clientID")``. A field with a default may be missing, and ``None`` is left out. Unknown keys are ignored.
Values are text: numbers in decimal, booleans ``true`` and ``false`` (anything else reads as false, as in Java).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Self, get_type_hints

from rocketmq_lite.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Header", "camel_case", "key"]


def camel_case(name: str) -> str:
    """Java's spelling of a Python name."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def key(name: str, **options: Any) -> Any:  # noqa: ANN401 - dataclasses.field is typed this way
    """A dataclass field whose Java name is not the camel-case form of its Python name."""
    return dataclasses.field(metadata={"key": name}, **options)


def _read_int(text: str) -> int:
    return int(text)


def _read_bool(text: str) -> bool:
    return text.lower() == "true"


_READERS: dict[object, Callable[[str], object]] = {
    int: _read_int,
    int | None: _read_int,
    bool: _read_bool,
    bool | None: _read_bool,
    str: str,
    str | None: str,
}


_LAYOUTS: dict[object, Any] = {}


def _layout(header: type[Header]) -> tuple[tuple[str, str, Callable[[str], object], bool], ...]:
    """Of a class, worked out once."""
    if header not in _LAYOUTS:
        _LAYOUTS[header] = _read_layout(header)
    found: tuple[tuple[str, str, Callable[[str], object], bool], ...] = _LAYOUTS[header]
    return found


def _read_layout(header: type[Header]) -> tuple[tuple[str, str, Callable[[str], object], bool], ...]:
    """Per field: Python name, key, reader, and whether it must be there."""
    hints = get_type_hints(header)
    return tuple(
        (
            each.name,
            each.metadata.get("key") or camel_case(each.name),
            _READERS[hints[each.name]],
            each.default is dataclasses.MISSING,
        )
        for each in dataclasses.fields(header)
    )


@dataclasses.dataclass(frozen=True, slots=True)
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
                raise LocalProtocolError(f"the field {field_key} is not a number: {text!r}") from error
        return cls(**values)
