"""Records are to everybody what dataclasses are."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import field
from typing import ClassVar

import pytest

from rocketmq_lite.records import dataclass


@dataclass(frozen=True, slots=True)
class Base:
    """Without fields."""

    def twice(self) -> str:
        return f"{self} {self}"


@dataclass(frozen=True, slots=True)
class Point(Base):
    """With and without defaults."""

    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Solid(Point):
    """Fields of its own behind those of its base, and a check."""

    z: int = 3

    def __post_init__(self) -> None:
        if self.z < 0:
            raise ValueError("below the ground")


def test_fields_are_given_by_place_by_name_or_by_default():
    assert Point(1).tags is not Point(1).tags
    solid = Solid(1, z=5)
    assert (solid.x, solid.y, solid.tags, solid.z) == (1, 2, [], 5)
    assert repr(solid) == "Solid(x=1, y=2, tags=[], z=5)"
    assert Point(1).twice() == "Point(x=1, y=2, tags=[]) Point(x=1, y=2, tags=[])"
    with pytest.raises(ValueError, match="below the ground"):
        Solid(1, z=-1)


@pytest.mark.parametrize(
    ("args", "kwargs", "why"),
    [
        ((), {}, "Point needs a value for x"),
        ((1, 2, [], 4), {}, "Point has 3 fields, 4 values were given"),
        ((1,), {"x": 1}, "Point got x twice"),
        ((1,), {"z": 1}, "Point has no field z"),
    ],
)
def test_wrong_arguments_are_refused_as_types_are(args, kwargs, why):
    with pytest.raises(TypeError, match=why):
        Point(*args, **kwargs)


def test_equal_where_class_and_fields_are():
    assert Point(1) == Point(1, 2, [])
    assert Point(1) != Point(2)
    assert Point(1) != Solid(1)
    assert Point(1) != object()

    @dataclass(frozen=True, slots=True)
    class Key:
        name: str

    assert {Key("a"), Key("a"), Key("b")} == {Key("b"), Key("a")}


def test_nothing_can_be_changed():
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.other = 2  # type: ignore[attr-defined]
    assert not hasattr(point, "__dict__")


def test_the_functions_of_dataclasses_know_them():
    assert dataclasses.replace(Solid(1), y=7) == Solid(1, 7)
    assert dataclasses.asdict(Point(1)) == {"x": 1, "y": 2, "tags": []}
    assert [each.name for each in dataclasses.fields(Solid)] == ["x", "y", "tags", "z"]
    assert Point.__match_args__ == ("x", "y", "tags")


def test_one_without_a_docstring_is_described_by_its_name():
    @dataclass(frozen=True, slots=True)
    class Bare:
        x: int

    assert Bare.__doc__ == "Bare"


@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy, lambda point: pickle.loads(pickle.dumps(point))])
def test_copies_are_equal(made):
    assert made(Solid(1, z=4)) == Solid(1, z=4)


def test_methods_of_a_class_itself_are_kept():
    @dataclass(frozen=True, slots=True)
    class Loud:
        name: str

        def __repr__(self) -> str:
            return self.name.upper()

    assert repr(Loud("x")) == "X"
    assert Loud("x") == Loud("x")


def test_only_ones_with_slots():
    with pytest.raises(TypeError, match=r"dataclasses\.dataclass makes the other kind"):
        dataclass(frozen=True, slots=False)


@dataclass(slots=True)
class Count:
    """Not frozen."""

    name: str
    seen: int = 0


def test_one_that_is_not_frozen_can_be_changed_and_has_no_hash():
    count = Count("a")
    count.seen += 2
    assert (count, repr(count)) == (Count("a", 2), "Count(name='a', seen=2)")
    assert copy.copy(count) == count
    with pytest.raises(AttributeError):
        count.other = 1  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="unhashable"):
        hash(count)


@dataclass(frozen=True, slots=True)
class Named:
    """A class variable is no field."""

    NAME: ClassVar[str] = "n"

    value: int = 0


def test_a_class_variable_is_no_field() -> None:
    assert (Named(3).NAME, Named(3).value, Named.NAME) == ("n", 3, "n")
    assert [each.name for each in dataclasses.fields(Named)] == ["value"]
    assert repr(Named(3)) == "Named(value=3)"
    assert copy.copy(Named(3)) == Named(3)
    with pytest.raises(TypeError):
        Named("x", 1)  # type: ignore[call-arg,arg-type]
