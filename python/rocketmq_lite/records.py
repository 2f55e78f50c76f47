"""Data at a fraction of the price: `dataclass` for classes that are many and made seldom.

The standard decorator writes source text for the methods of each class and compiles it. That is a millisecond a class, and a
process that serves or talks to RocketMQ has two hundred of them, most of which it never uses: it was more than half of
the time that a start took. Here the methods are shared, and look at the class's fields when they are called. Making an
instance costs about three times as much. So this is for headers, bodies, settings and reports; what is made for every
message has the standard decorator.

To `dataclasses`, its functions and type checkers these are dataclasses like any other, but that all have slots, and of
the other options there is ``frozen`` alone.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Final, TypeVar

__all__ = ["dataclass"]

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import dataclass
else:

    def dataclass(*, slots: bool, frozen: bool = False):  # noqa: ANN201 - the type checker sees the standard one
        """Make a class a dataclass with slots, frozen or not."""
        if not slots:
            raise TypeError("a record has slots; dataclasses.dataclass makes the other kind")
        return partial(_record, methods=_FROZEN_METHODS if frozen else _METHODS)


def _record(cls: type[T], *, methods: Mapping[str, object]) -> type[T]:
    if cls.__doc__ is None:
        cls.__doc__ = (
            cls.__name__
        )  # else its signature is worked out for one, which costs more than all the rest
    record = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    # Without the class variables, which the decorator lists too.
    record.__dataclass_fields__ = {field.name: field for field in dataclasses.fields(record)}  # type: ignore[arg-type,attr-defined]
    for name, method in methods.items():
        if name not in cls.__dict__:
            setattr(record, name, method)
    return record


_set = object.__setattr__


def _init(self: Any, /, *args: object, **kwargs: object) -> None:  # noqa: ANN401
    fields = self.__dataclass_fields__
    if len(args) > len(fields):
        raise TypeError(f"{type(self).__name__} has {len(fields)} fields, {len(args)} values were given")
    given = dict(zip(fields, args, strict=False))
    if twice := given.keys() & kwargs.keys():
        raise TypeError(f"{type(self).__name__} got {', '.join(sorted(twice))} twice")
    given |= kwargs
    for name, field in fields.items():
        if name in given:
            value = given.pop(name)
        elif field.default is not dataclasses.MISSING:
            value = field.default
        elif field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        else:
            raise TypeError(f"{type(self).__name__} needs a value for {name}")
        _set(self, name, value)
    if given:
        raise TypeError(f"{type(self).__name__} has no field {', '.join(given)}")
    if (check := getattr(self, "__post_init__", None)) is not None:
        check()


def _values(self: Any) -> tuple[object, ...]:  # noqa: ANN401
    return tuple([getattr(self, name) for name in self.__dataclass_fields__])


@recursive_repr()
def _repr(self: Any) -> str:  # noqa: ANN401
    pairs = (f"{name}={getattr(self, name)!r}" for name in self.__dataclass_fields__)
    return f"{type(self).__qualname__}({', '.join(pairs)})"


def _equal(self: object, other: object) -> object:
    if type(other) is not type(self):
        return NotImplemented
    return _values(self) == _values(other)


def _hash(self: object) -> int:
    return hash(_values(self))


def _reduce(self: object) -> tuple[object, ...]:
    return type(self), _values(self)


def _refuse_change(self: object, name: str, value: object) -> None:  # noqa: ARG001
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_removal(self: object, name: str) -> None:  # noqa: ARG001
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


_METHODS: Final = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _equal,
    "__hash__": None,
    "__reduce__": _reduce,
}
_FROZEN_METHODS: Final = {
    **_METHODS,
    "__hash__": _hash,
    "__setattr__": _refuse_change,
    "__delattr__": _refuse_removal,
}
