"""Every public name is listed, documented, typed and, unless meant for subclassing, final."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rocketmq_lite as rmq

PUBLIC = sorted(set(rmq.__all__) - {"__version__"})
CLASSES = [name for name in PUBLIC if inspect.isclass(getattr(rmq, name))]
FUNCTIONS = [name for name in PUBLIC if inspect.isfunction(getattr(rmq, name))]


def members(owner: type) -> list[tuple[str, Any]]:
    """The public methods and properties that a class itself defines."""
    return [
        (name, value)
        for name, value in vars(owner).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    ]


def test_every_listed_name_is_there_and_every_name_there_is_listed():
    assert sorted(set(CLASSES) | set(FUNCTIONS)) == PUBLIC
    assert len(set(rmq.__all__)) == len(rmq.__all__)
    homes = rmq._HOMES
    assert {*homes, "embedded"} == set(rmq.__all__)
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", rmq.__version__)
    visible = {
        name for name in dir(rmq) if not name.startswith("_") and not inspect.ismodule(getattr(rmq, name))
    }
    assert visible - {"TYPE_CHECKING", "Final", "annotations", "import_module"} == set(PUBLIC)


def test_a_name_that_is_not_public_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'consume'"):
        _ = rmq.consume


@pytest.mark.parametrize("name", PUBLIC)
def test_documented(name):
    value = getattr(rmq, name)
    assert inspect.getdoc(value)
    if inspect.isclass(value):
        for member, what in members(value):
            assert inspect.getdoc(what), f"{name}.{member}"


@pytest.mark.parametrize("name", PUBLIC)
def test_typed(name):
    value = getattr(rmq, name)
    found = [value] if inspect.isfunction(value) else [what for _, what in members(value)]
    for what in found:
        function: Any = what.fget if isinstance(what, property) else inspect.unwrap(what)
        signature = inspect.signature(function)
        assert signature.return_annotation is not inspect.Signature.empty, what
        for parameter in signature.parameters.values():
            assert parameter.name == "self" or parameter.annotation is not inspect.Parameter.empty, what


@pytest.mark.parametrize("name", CLASSES)
def test_final_unless_it_cannot_matter(name):
    owner = getattr(rmq, name)
    if issubclass(owner, (BaseException, enum.Enum)) or dataclasses.is_dataclass(owner):
        return  # the error tree is a tree, members make an enum final, frozen data has no behaviour to change
    if getattr(owner, "_is_protocol", False):
        return  # for users to write classes of
    assert getattr(owner, "__final__", False), f"{name} is neither final nor meant for subclassing"


@pytest.mark.parametrize("name", [name for name in CLASSES if dataclasses.is_dataclass(getattr(rmq, name))])
def test_data_is_frozen(name):
    owner = getattr(rmq, name)
    blank = object.__new__(owner)
    for field in dataclasses.fields(owner):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(blank, field.name, None)


@pytest.mark.parametrize(
    "name", [name for name in CLASSES if issubclass(getattr(rmq, name), rmq.RocketMQError)]
)
def test_every_error_is_in_the_tree_and_tells_code_hint_and_whether_to_retry(name):
    assert {"code", "hint"} <= set(vars(rmq.RocketMQError("text", hint="hint", code=1)))
    assert isinstance(inspect.getattr_static(getattr(rmq, name), "retryable"), property)


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    ["import rocketmq_lite.embedded", "from rocketmq_lite import Cluster", "from rocketmq_lite import *"],
)
def test_the_module_embedded_does_not_hide_the_function(statement):
    script = f"{statement}\nimport rocketmq_lite, inspect\nassert inspect.isfunction(rocketmq_lite.embedded)"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.slow
def test_importing_the_package_imports_no_client_and_no_server():
    script = "import sys, rocketmq_lite; print([name for name in sys.modules if name.startswith('rocketmq_lite.')])"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert sorted(eval(loaded)) == [f"rocketmq_lite.{name}" for name in ("embedded", "errors", "records")]
    assert (Path(rmq.__file__).parent / "py.typed").is_file()
