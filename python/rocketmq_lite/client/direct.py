"""Messages that an administrator has a consumer work on directly (309), whatever its positions are.

Such a message comes out of the same iteration as all others, before those that wait there. How its block ends is the
answer to the administrator and nothing else: no position moves, nothing is sent back, nothing becomes a dead letter.

A broker waits 10 seconds for the answer. So who has not taken the message, or has not finished it, within
:data:`DIRECT_SECONDS` is reported as such; a message that nobody has taken by then is not delivered any more.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.client.engine.giving_back import DeadLetter, RetryLater
from rocketmq_lite.client.engine.process_queue import ProcessQueue, QueueLimits
from rocketmq_lite.client.message import ReceivedMessage
from rocketmq_lite.errors import BrokerError
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import ConsumeDirectlyResult, ConsumeMessageDirectlyResult
from rocketmq_lite.protocol.codes import ResponseCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from rocketmq_lite.client.engine.process_queue import Delivery
    from rocketmq_lite.protocol.framing import MessageBatch

__all__ = ["DIRECT_SECONDS", "DirectMessages"]

DIRECT_SECONDS: Final = 9.0
"""Seconds for the work on one message, waiting included: the broker that asks gives up after 10."""
_ONE: Final = QueueLimits(messages=1, size=1, span=1)


class DirectMessages:
    """The messages handed over by administrators, and what became of them.

    Args:
        group: The consumer's group.
        ordered: Whether it consumes in order, which the answer tells.
        arrived: Called when one can be taken.

    Attributes:
        waiting: Those that nobody has taken.
    """

    direct = True

    def __init__(self, group: str, *, ordered: bool, arrived: Callable[[], object]) -> None:
        self.group = group
        self._ordered = ordered
        self._arrived = arrived
        self.waiting: deque[_Errand] = deque()
        self._in_work: dict[Delivery, _Errand] = {}

    def take(self) -> ReceivedMessage:
        """Hand out the first that waits."""
        errand = self.waiting.popleft()
        errand.taken_at = trio.current_time()
        errand.delivery.hand_out()
        self._in_work[errand.delivery] = errand
        return ReceivedMessage(errand.delivery, self)

    async def consume(self, message: MessageBatch, broker_name: str) -> ConsumeMessageDirectlyResult:
        """Have the application work on one message, and say how that ended.

        Raises:
            BrokerError: It did not take the message, or did not finish it, in time (207); or the consumer ended (1).
        """
        errand = _Errand(message, broker_name)
        self.waiting.append(errand)
        self._arrived()
        try:
            with trio.move_on_after(DIRECT_SECONDS):
                await errand.ended.wait()
        finally:
            self._forget(errand)
        if errand.result is None:
            raise _unfinished(self.group, errand)
        return errand.result

    def end(self) -> None:
        """The consumer ends: nothing is taken any more, and nobody says how the work ended."""
        for errand in [*self.waiting, *self._in_work.values()]:
            errand.closed = True
            errand.ended.set()

    # --- what happened to a message (Settlement)

    def acknowledge(self, delivery: Delivery) -> None:
        """The work is done."""
        self._settle(delivery, ConsumeDirectlyResult.SUCCESS, None)

    def fail(self, delivery: Delivery, error: Exception) -> None:
        """The work raised."""
        wanted = isinstance(error, RetryLater | DeadLetter)
        delivery.give_back()
        result = ConsumeDirectlyResult.LATER if wanted else ConsumeDirectlyResult.THROW_EXCEPTION
        self._settle(delivery, result, f"{type(error).__name__}: {error}")

    def _settle(self, delivery: Delivery, result: ConsumeDirectlyResult, remark: str | None) -> None:
        errand = self._in_work.get(delivery)
        if errand is None or errand.taken_at is None:
            return  # the administrator was told already that it takes too long
        errand.result = ConsumeMessageDirectlyResult(
            order=self._ordered,
            consume_result=result,
            remark=remark,
            spent_time_mills=round((trio.current_time() - errand.taken_at) * 1000),
        )
        errand.ended.set()

    def _forget(self, errand: _Errand) -> None:
        if errand in self.waiting:
            self.waiting.remove(errand)
        self._in_work.pop(errand.delivery, None)


class _Errand:
    """One message on its way through the application."""

    def __init__(self, message: MessageBatch, broker_name: str) -> None:
        [raw] = message
        queue = ProcessQueue(MessageQueue(raw.topic, broker_name, raw.queue_id), _ONE)
        queue.locate(raw.queue_offset)
        [self.delivery], _filtered = queue.take_in(message, ())
        self.ended = trio.Event()
        self.taken_at: float | None = None
        self.result: ConsumeMessageDirectlyResult | None = None
        self.closed = False


def _unfinished(group: str, errand: _Errand) -> BrokerError:
    if errand.closed:
        return BrokerError(ResponseCode.SYSTEM_ERROR, f"the consumer of group {group} ended meanwhile")
    what = (
        "nobody has asked for a message"
        if errand.taken_at is None
        else "the message was handed out, and the work on it has not ended"
    )
    return BrokerError(
        ResponseCode.CONSUME_MSG_TIMEOUT, f"consumer group {group}: {what} within {DIRECT_SECONDS:g} s"
    )
