"""The calls of one connection that wait for their answers.

A call that is made for every message must cost little. Its task sleeps until somebody hands it an outcome, and whoever ends
the wait takes the call out of the table: the answer, the connection's end, its deadline, or a cancellation. It has no cancel
scope of its own, which would cost more than all the rest: one task looks at the deadlines of all calls, when the earliest of
them is reached.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, final

import trio
from outcome import Error, Value
from trio.lowlevel import Abort, current_task, reschedule, wait_task_rescheduled

from rocketmq_lite.protocol.command import FLAG_RESPONSE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rocketmq_lite.errors import RocketMQError
    from rocketmq_lite.protocol.framing import RawCommand

__all__ = ["Calls"]


class _Waiting(NamedTuple):
    task: trio.lowlevel.Task
    deadline: float


@final
class Calls:
    """A table of calls by opaque.

    Args:
        on_late: Told of each answer that nobody waits for any more.
    """

    def __init__(self, on_late: Callable[[], None]) -> None:
        self._on_late = on_late
        self._waiting: dict[int, _Waiting] = {}
        self._earliest = math.inf
        self._sleep = trio.CancelScope()

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, opaque: int, deadline: float) -> RawCommand:
        """Wait for the answer under an opaque; once.

        Raises:
            TooSlowError: It did not come in time.
            RocketMQError: What :meth:`fail` was given.
        """
        waiting = self._waiting
        waiting[opaque] = _Waiting(current_task(), deadline)
        if deadline < self._earliest:
            self._earliest = self._sleep.deadline = deadline

        def abort(_raise_cancel: object) -> Abort:
            del waiting[opaque]
            return Abort.SUCCEEDED

        answer: RawCommand = await wait_task_rescheduled(abort)
        return answer

    def deliver(self, came: Iterable[RawCommand]) -> list[RawCommand]:
        """Hand answers to those who wait for them; returns what is no answer, but a request of the server."""
        take = self._waiting.pop
        requests: list[RawCommand] = []
        for raw in came:
            if not raw.flag & FLAG_RESPONSE:
                requests.append(raw)
            elif (waiting := take(raw.opaque, None)) is not None:
                reschedule(waiting.task, Value(raw))
            else:
                self._on_late()
        return requests

    def fail(self, failure: Callable[[], RocketMQError]) -> None:
        """End all waits; each call raises an error of its own."""
        for call in self._waiting.values():
            reschedule(call.task, Error(failure()))
        self._waiting.clear()

    async def expire(self) -> None:
        """Give up the calls whose time is over, until cancelled."""
        while True:
            self._earliest = min((call.deadline for call in self._waiting.values()), default=math.inf)
            with trio.CancelScope(deadline=self._earliest) as self._sleep:
                await trio.sleep_forever()
            now = trio.current_time()
            for opaque, call in tuple(self._waiting.items()):
                if call.deadline <= now:
                    del self._waiting[opaque]
                    reschedule(call.task, Error(trio.TooSlowError()))
