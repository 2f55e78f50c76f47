"""One call of ``send_many``: batches out, several at a time, receipts back in order.

Each lane has at most one batch under way and the next batch goes to the lane that has been free the longest. The
first error that its retries do not mend ends the call: what is under way is awaited, nothing more is begun, and
the error that is raised says what has a receipt and what has not.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, final

import trio

from rocketmq_lite.client.sending import Choose
from rocketmq_lite.errors import NotAllSent, RequestTimeout, RocketMQError
from rocketmq_lite.model import SendStatus
from rocketmq_lite.transport.nursery import ProtectedNursery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rocketmq_lite.client.batches import Batch, Batches
    from rocketmq_lite.client.sending import Sending
    from rocketmq_lite.model import SendReceipt

__all__ = ["ManySender"]


@dataclass(slots=True)
class _Part:
    """A request, and its receipts once it is answered; then the items are no longer needed."""

    items: list[object]
    receipts: list[SendReceipt] | None = None


@final
class ManySender:
    """Sends all batches of a source.

    Args:
        sending: The attempts.
        batches: What to send.
        lanes: Each chooses the queues of one batch at a time.
    """

    def __init__(self, sending: Sending, batches: Batches, lanes: Sequence[Choose]) -> None:
        self._sending = sending
        self._batches = batches
        self._lanes = lanes
        self._parts: list[_Part] = []
        self._error: Exception | None = None

    async def run(self, deadline: float) -> tuple[SendReceipt, ...]:
        """Send everything until a moment of Trio's clock.

        Raises:
            NotAllSent: Something has no receipt.
            Exception: Whatever was wrong before anything was sent.
        """
        with trio.move_on_at(deadline) as scope:
            await self._send_all()
        if scope.cancelled_caught:
            self._error = self._error or RequestTimeout("not all messages were answered in time")
        if self._error is None:
            return tuple(chain.from_iterable(part.receipts or () for part in self._parts))
        if not self._parts:
            raise self._error
        raise self._not_all(self._error) from self._error

    @property
    def stored(self) -> int:
        """Messages that have a receipt."""
        return sum(len(part.receipts or ()) for part in self._parts)

    @property
    def weaker(self) -> list[SendReceipt]:
        """The receipts of what is stored more weakly than asked; messages of a request share their status."""
        answered = [part.receipts for part in self._parts if part.receipts]
        weak = [receipts for receipts in answered if receipts[0].status is not SendStatus.OK]
        return list(chain.from_iterable(weak))

    async def _send_all(self) -> None:
        give_back, free = trio.open_memory_channel[Choose](len(self._lanes))
        for lane in self._lanes:
            give_back.send_nowait(lane)
        async with ProtectedNursery() as nursery:
            async for lane in free:
                if (batch := self._next_batch()) is None:
                    break
                part = _Part(batch.items)
                self._parts.append(part)
                nursery.start_soon(self._send_one, batch, part, lane, give_back)

    def _next_batch(self) -> Batch | None:
        if self._error is not None:
            return None
        try:
            return self._batches.next()
        except Exception as error:  # noqa: BLE001 -- the caller's iterable may raise anything; run() hands it back
            error.add_note(f"{self._batches.taken} messages were taken before it")
            self._error = error
            return None

    async def _send_one(
        self, batch: Batch, part: _Part, lane: Choose, give_back: trio.MemorySendChannel[Choose]
    ) -> None:
        try:
            answer = await self._sending.store(batch.message, lane)
        except RocketMQError as error:
            self._error = self._error or error
        else:
            part.receipts = answer.receipts(batch.message_ids)
            part.items = []
        give_back.send_nowait(lane)

    def _not_all(self, cause: Exception) -> NotAllSent:
        receipts: list[SendReceipt | None] = []
        unsent: list[object] = []
        for part in self._parts:
            receipts += part.receipts or [None] * len(part.items)
            unsent += part.items
        unsent += self._batches.left_over()
        return NotAllSent(
            f"{self.stored} messages are stored, {len(unsent)} have no receipt: {cause}",
            receipts=tuple(receipts),
            unsent=tuple(unsent),
            cause=cause,
        )
