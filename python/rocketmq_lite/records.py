"""Frozen data at a fraction of the price: `dataclass` for classes that are many and made seldom.

The standard decorator writes source text for the methods of each class and compiles it. That is a millisecond a class, and a
process that serves or talks to RocketMQ has two hundred of them, most of which it never uses: it was more than half of
the time that a start took. Here the methods are shared, and look at the class's fields when they are called. Making an
instance costs about twice as much. So this is for headers, bodies, settings and reports; what is made for every
message has the standard decorator.

To `dataclasses`, its functions and type checkers these are dataclasses like any other, but that only
``frozen=True, slots=True`` exists.
"""

from __future__ import annotations

import dataclasses
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["dataclass"]

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool, slots: bool):  # noqa: ANN201 - the type checker sees the standard one
        """Make a class a frozen dataclass with slots."""
        if not (frozen and slots):
            raise TypeError("a record is frozen and has slots; dataclasses.dataclass makes the other kinds")
        return _record


_set = object.__setattr__


def _record(cls: type[T]) -> type[T]:
    record = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    for method in (_refuse_change, _refuse_removal, _init, _repr, _equal, _hash, _reduce):
        if method.__name__ not in cls.__dict__:
            setattr(record, method.__name__, method)
    return record


def _named(name: str) -> Any:  # noqa: ANN401 - a decorator
    def rename(function: T) -> T:
        function.__name__ = name  # type: ignore[attr-defined]
        return function

    return rename


@_named("__init__")
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


@_named("__repr__")
@recursive_repr()
def _repr(self: Any) -> str:  # noqa: ANN401
    pairs = (f"{name}={getattr(self, name)!r}" for name in self.__dataclass_fields__)
    return f"{type(self).__qualname__}({', '.join(pairs)})"


@_named("__eq__")
def _equal(self: object, other: object) -> bool:
    if type(other) is not type(self):
        return NotImplemented
    return _values(self) == _values(other)


@_named("__hash__")
def _hash(self: object) -> int:
    return hash(_values(self))


@_named("__reduce__")
def _reduce(self: object) -> tuple[object, ...]:
    return type(self), _values(self)


@_named("__setattr__")
def _refuse_change(self: object, name: str, value: object) -> None:  # noqa: ARG001
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


@_named("__delattr__")
def _refuse_removal(self: object, name: str) -> None:  # noqa: ARG001
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
