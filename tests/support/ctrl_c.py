"""Ctrl-C at a chosen line of the package, in programs that have a Trio of their own.

Trio gives Ctrl-C to the main task, which is pytest's in a test that is a coroutine.
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, final

import rocketmq_lite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

PACKAGE = Path(rocketmq_lite.__file__).parent


def press_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


@final
class Press:
    """Traces a program, and presses Ctrl-C when so many lines of certain files have been begun.

    Args:
        line: Which of the lines, from 1 on, in the order in which they are run.
        where: A file of the package, or a folder.

    Attributes:
        place: Where it was pressed; empty if it was not.
        lines: How many lines were begun.
    """

    def __init__(self, line: int, where: str = "") -> None:
        self.place = ""
        self.lines = 0
        self._line = line
        self._where = str(PACKAGE / where)

    def __call__(self, frame: FrameType, event: str, _argument: object) -> Press | None:
        code = frame.f_code
        if not code.co_filename.startswith(self._where):
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self._line:
                self.place = f"{code.co_filename}:{frame.f_lineno} ({code.co_name})"
                press_ctrl_c()
        return self


@contextmanager
def pressed(line: int, where: str = "") -> Iterator[Press]:
    """Press Ctrl-C within the block; see :class:`Press`."""
    press, before = Press(line, where), sys.gettrace()
    sys.settrace(press)
    try:
        yield press
    finally:
        sys.settrace(before)
