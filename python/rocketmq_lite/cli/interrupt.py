"""Ctrl-C: the first ends a command in order, the second at once.

Python's own answer, KeyboardInterrupt, strikes whatever line of whatever task is running, also one that is just tidying
up. So a command that runs long marks its innermost block by `cancelled_by_ctrl_c`: the block is cancelled, and what is
around it is left in order, with its connections still alive. Outside of such a block the first Ctrl-C is Python's.

Tidying up has time limits of its own, a few seconds in all; who does not want to wait for them presses again.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.cli.failures import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_current: Final[ContextVar[_CtrlC]] = ContextVar("ctrl_c")


class _CtrlC:
    """What SIGINT does during one command."""

    def __init__(self) -> None:
        self.pressed = False
        self.block: trio.CancelScope | None = None
        self._token = trio.lowlevel.current_trio_token()
        self._python = signal.getsignal(signal.SIGINT)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.pressed:
            os._exit(INTERRUPTED)  # Nothing gentler is sure to end a process that is tidying up.
        self.pressed = True
        if self.block is not None:
            self._token.run_sync_soon(self.block.cancel)
        elif callable(self._python):
            self._python(number, frame)


@contextmanager
def heeding_ctrl_c() -> Iterator[None]:
    """Around a whole command, inside Trio and in the main thread."""
    handler = _CtrlC()
    before = signal.signal(signal.SIGINT, handler)
    reset = _current.set(handler)
    try:
        yield
    finally:
        _current.reset(reset)
        signal.signal(signal.SIGINT, before)


@contextmanager
def cancelled_by_ctrl_c() -> Iterator[None]:
    """Cancel the block when Ctrl-C is pressed, and raise KeyboardInterrupt once it has been left."""
    ctrl_c = _current.get()
    try:
        with trio.CancelScope() as ctrl_c.block:
            yield
    finally:
        ctrl_c.block = None
    if ctrl_c.pressed:
        raise KeyboardInterrupt
