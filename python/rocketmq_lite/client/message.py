"""A message that was received, and what leaving its block means.

Leaving ``async with message:`` cleanly acknowledges. An exception is logged and the message given back to its
broker, which delivers it again later or keeps it as a dead letter; the exception does not leave the block, so that one bad
message does not end a consumer. A cancellation, a ``KeyboardInterrupt`` and everything else that is not an ``Exception``
does leave the block, and neither acknowledges nor gives back. None of this waits, so it cannot be interrupted half-way.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol, Self, final

from rocketmq_lite.client.engine.giving_back import DeadLetter, RetryLater
from rocketmq_lite.client.engine.names import RETRY_TOPIC
from rocketmq_lite.client.engine.process_queue import OutOfPlaceError
from rocketmq_lite.client.message_view import MessageView
from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.reserved import retry_topic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from rocketmq_lite.client.engine.process_queue import Delivery
    from rocketmq_lite.model import MessageQueue

__all__ = ["AutoAcknowledging", "ReceivedMessage", "Settlement"]

_log = logging.getLogger(__name__)


class Settlement(Protocol):
    """Who is told how the work on a message ended."""

    @property
    def group(self) -> str:
        """The consumer group that the message was delivered to."""

    @property
    def direct(self) -> bool:
        """Whether an administrator handed the message over."""

    def acknowledge(self, delivery: Delivery) -> None:
        """The work is done."""

    def fail(self, delivery: Delivery, error: Exception) -> None:
        """The work raised, which is logged already; the message is to be given back."""


@final
class ReceivedMessage(MessageView):
    """A message from a consumer; enter it to work on it.

    Example:
        >>> async for message in messages:
        ...     async with message:
        ...         await book(message.body)

    Cancelling the work leaves the message neither acknowledged nor failed: it can be entered again, and
    otherwise comes back when the group next starts from its committed offset.
    """

    __slots__ = ("_settlement",)
    _raw: Delivery

    def __init__(self, delivery: Delivery, settlement: Settlement) -> None:
        self._raw = delivery
        self._settlement = settlement

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, attempt {self.attempt}>"

    @property
    def queue(self) -> MessageQueue:
        """The queue it was read from; one of the ``%RETRY%`` topic when it comes once more."""
        return self._raw.queue.queue

    @property
    def attempt(self) -> int:
        """Its number among the deliveries of this message to the group, from 1 on."""
        return self._raw.attempt

    @property
    def direct(self) -> bool:
        """Whether an administrator handed it to this consumer (``rmq msg consume``).

        How its block ends is told there, and moves nothing.
        """
        return self._settlement.direct

    @property
    def topic(self) -> str:
        """The topic it was sent to, also when it comes once more, through the group's ``%RETRY%`` topic."""
        stored_in = self._raw.topic
        if stored_in == retry_topic(self._settlement.group):
            return self._raw.property_named(RETRY_TOPIC) or stored_in
        return stored_in

    async def __aenter__(self) -> Self:
        """Begin to work on it.

        Raises:
            LocalProtocolError: It is being worked on, or done, already.
        """
        try:
            self._raw.enter()
        except OutOfPlaceError as error:
            raise LocalProtocolError(str(error)) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Acknowledge, arrange another delivery, or neither."""
        if error is None:
            self._raw.acknowledge()
            self._settlement.acknowledge(self._raw)
            return False
        if isinstance(error, Exception):
            self._raw.fail()
            self._log_failure(error)
            self._settlement.fail(self._raw, error)
            return True
        self._raw.leave()
        return False

    def _log_failure(self, error: Exception) -> None:
        wanted = isinstance(error, RetryLater | DeadLetter)
        _log.log(
            logging.INFO if wanted else logging.ERROR,
            "message at offset %d of %s failed in group %s, %s: %s",
            self._raw.queue_offset,
            self.queue,
            self._settlement.group,
            "handed over directly" if self.direct else f"at attempt {self.attempt}",
            error,
            exc_info=None if wanted else error,
        )

    def _pass_by(self) -> None:
        """Nobody will enter it: done, unless it was entered."""
        if self._raw.pass_by():
            self._settlement.acknowledge(self._raw)


@final
class AutoAcknowledging:
    """One iteration over a consumer that acknowledges each message when the next is asked for, unless its block did.

    Args:
        messages: The consumer.
    """

    def __init__(self, messages: AsyncIterator[ReceivedMessage]) -> None:
        self._messages = messages
        self._last: ReceivedMessage | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ReceivedMessage:
        """The next message; the one before is done."""
        last, self._last = self._last, None
        if last is not None:
            last._pass_by()  # noqa: SLF001 - nobody else may
        self._last = await anext(self._messages)
        return self._last
