"""Ctrl-C while tasks of ours start, run and end: no program hangs, and the main task hears of it.

Each program runs in a Trio of its own, because Trio gives Ctrl-C to the main task, which is pytest's otherwise.
"""

from __future__ import annotations

import signal
import sys
from itertools import count
from typing import TYPE_CHECKING

import trio
import trio.testing

from rocketmq_lite.transport import nursery as nurseries
from rocketmq_lite.transport.nursery import background_nursery

if TYPE_CHECKING:
    from types import FrameType


def press_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


class PressAtLine:
    """Traces a program, and presses Ctrl-C when so many lines of a file have been begun."""

    def __init__(self, file: str, line: int) -> None:
        self.left = line
        self._file = file

    def __call__(self, frame: FrameType, event: str, _argument: object) -> PressAtLine | None:
        if frame.f_code.co_filename != self._file:
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                press_ctrl_c()
        return self


def test_a_block_that_is_struck_at_any_line_of_its_nursery_ends() -> None:
    async def program() -> None:
        async with background_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            await trio.testing.wait_all_tasks_blocked()
        await trio.lowlevel.checkpoint()  # where one that was put off is raised at the latest

    for line in count(1):
        press = PressAtLine(str(nurseries.__file__), line)
        sys.settrace(press)
        try:
            trio.run(program)
        except KeyboardInterrupt:
            assert press.left <= 0
        else:
            assert press.left > 0
            break
        finally:
            sys.settrace(None)
    assert line > 10
