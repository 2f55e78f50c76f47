"""The calls of one connection that wait for their answers.

A call that is made for every message must cost little. Its task sleeps until somebody hands it an outcome, and whoever ends
the wait takes the call out of the table: the answer, the connection's end, its deadline, or a cancellation. It has no cancel
scope of its own, which would cost more than all the rest: one task looks at the deadlines of all calls, when the earliest of
them is reached.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias, final

import trio
from outcome import Error, Outcome, Value
from trio.lowlevel import Abort, current_task, reschedule, wait_task_rescheduled

from rocketmq_lite.protocol.command import FLAG_RESPONSE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from rocketmq_lite.errors import RocketMQError
    from rocketmq_lite.protocol.framing import RawCommand

__all__ = ["Calls", "OnArrival"]

OnArrival: TypeAlias = "Callable[[RawCommand], None] | None"
"""Of a call that the server may hold until something happens: told of the answer, a round of the scheduler before the task
that waits for it; must not wait. ``None`` of calls that are answered at once."""


@final
class Calls(dict[int, tuple[trio.lowlevel.Task, float, OnArrival]]):
    """The task and the deadline of each call, and whom else its answer concerns, by opaque.

    Args:
        on_late: Told of each answer that nobody waits for any more.
        on_empty: Told, not at once, when the last call was cancelled or came to its deadline.

    Attributes:
        prompt: How many of them the server does not hold.
    """

    def __init__(self, on_late: Callable[[], None], on_empty: Callable[[], None]) -> None:
        super().__init__()
        self.prompt = 0
        self._on_late = on_late
        self._on_empty = on_empty
        self._earliest = math.inf
        self._sleep = trio.CancelScope()

    def wait(self, opaque: int, deadline: float, on_arrival: OnArrival = None) -> Awaitable[RawCommand]:
        """Wait for the answer under an opaque; to be awaited at once.

        Raises:
            TooSlowError: It did not come in time.
            RocketMQError: What :meth:`fail` was given.
        """
        prompt = on_arrival is None
        self[opaque] = current_task(), deadline, on_arrival
        self.prompt += prompt
        if deadline < self._earliest:
            self._earliest = self._sleep.deadline = deadline

        def abort(_raise_cancel: object) -> Abort:
            del self[opaque]
            self.prompt -= prompt
            if not self:
                self._sleep.deadline = -math.inf
            return Abort.SUCCEEDED

        return wait_task_rescheduled(abort)  # noqa: ASYNC105 - by the caller, one coroutine less for each message

    def deliver(self, came: Iterable[RawCommand]) -> list[RawCommand]:
        """Hand answers to those who wait for them; returns what is no answer, but a request of the server."""
        requests: list[RawCommand] = []
        for raw in came:
            if not raw.flag & FLAG_RESPONSE:
                requests.append(raw)
            elif (waiting := self.get(opaque := raw.opaque)) is None:
                self._on_late()
            elif (on_arrival := waiting[2]) is None:
                del self[opaque]
                self.prompt -= 1
                reschedule(waiting[0], Value(raw))
            else:
                outcome = _arrived(raw, on_arrival)
                if self.pop(opaque, None) is not None:  # else: it has cancelled the call
                    reschedule(waiting[0], outcome)
        return requests

    def fail(self, failure: Callable[[], RocketMQError]) -> None:
        """End all waits; each call raises an error of its own."""
        for task, _, _ in self.values():
            reschedule(task, Error(failure()))
        self.clear()
        self.prompt = 0

    async def expire(self) -> None:
        """Give up the calls whose time is over, until cancelled."""
        while True:
            self._earliest = min((deadline for _, deadline, _ in self.values()), default=math.inf)
            with trio.CancelScope(deadline=self._earliest) as self._sleep:
                await trio.sleep_forever()
            now = trio.current_time()
            for opaque, (task, deadline, on_arrival) in tuple(self.items()):
                if deadline <= now:
                    del self[opaque]
                    self.prompt -= on_arrival is None
                    reschedule(task, Error(trio.TooSlowError()))
            if not self:
                self._on_empty()


def _arrived(raw: RawCommand, on_arrival: Callable[[RawCommand], None]) -> Outcome[RawCommand]:
    try:
        on_arrival(raw)
    except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
        return Error(error)
    return Value(raw)
