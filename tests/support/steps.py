"""Cancelling a task at each of its checkpoints in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


class _CancelAtStep(trio.abc.Instrument):
    """Cancels a scope before the n-th time that a task runs."""

    def __init__(self, task: trio.lowlevel.Task, scope: trio.CancelScope, step: int) -> None:
        self._task = task
        self._scope = scope
        self._left = step

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self._task:
            self._left -= 1
            if self._left == 0:
                self._scope.cancel()


async def cancelled_at_each_step(act: Callable[[], Awaitable[object]]) -> AsyncIterator[bool]:
    """Run ``act`` again and again, cancelled one checkpoint later each time; first before it begins.

    Yields after each run whether it was cancelled; ends after the first run that was not.
    """
    step = 0
    cancelled = True
    while cancelled:
        with trio.CancelScope() as scope:
            instrument = _CancelAtStep(trio.lowlevel.current_task(), scope, step)
            trio.lowlevel.add_instrument(instrument)
            if step == 0:
                scope.cancel()
            try:
                await act()
            finally:
                trio.lowlevel.remove_instrument(instrument)
        step += 1
        cancelled = scope.cancelled_caught
        yield cancelled
