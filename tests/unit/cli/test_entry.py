"""Ctrl-C before there is a command to end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from rocketmq_lite.__main__ import main

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

APP = "rocketmq_lite.cli.app"


class Interrupted:
    """An import hook during which Ctrl-C is pressed."""

    @staticmethod
    def find_spec(name: str, *_: object) -> ModuleSpec | None:
        if name == APP:
            raise KeyboardInterrupt
        return None


def test_ctrl_c_while_the_commands_are_imported_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, APP, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted, *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
