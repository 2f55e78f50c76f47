"""A message that was received, and what leaving its block means.

Leaving ``async with message:`` cleanly acknowledges. An exception is logged and the message given back to its
broker, which delivers it again later or keeps it as a dead letter; the exception does not leave the block, so that one bad
message does not end a consumer. A cancellation, a ``KeyboardInterrupt`` and everything else that is not an ``Exception``
does leave the block, and neither acknowledges nor gives back. None of this waits, so it cannot be interrupted half-way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self, final

from rocketmq_lite.client.engine.names import RETRY_TOPIC
from rocketmq_lite.client.engine.process_queue import DeliveryEvent
from rocketmq_lite.client.message_view import MessageView
from rocketmq_lite.protocol.reserved import retry_topic

if TYPE_CHECKING:
    from types import TracebackType

    from rocketmq_lite.client.engine.process_queue import Delivery
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import RawMessage

__all__ = ["ReceivedMessage", "Settlement"]


class Settlement(Protocol):
    """Who is told how the work on a message ended."""

    @property
    def group(self) -> str:
        """The consumer group that the message was delivered to."""

    def acknowledged(self, delivery: Delivery[RawMessage]) -> None:
        """The work is done."""

    def failed(self, delivery: Delivery[RawMessage], error: Exception) -> None:
        """The work raised; the message is to be given back."""


@final
class ReceivedMessage(MessageView):
    """A message from a consumer; enter it to work on it.

    Example:
        >>> async for message in messages:
        ...     async with message:
        ...         await book(message.body)

    Cancelling the work leaves the message neither acknowledged nor failed: it can be entered again, and
    otherwise comes back when the group next starts from its committed offset.

    Attributes:
        attempt: Its number among the deliveries of this message to the group, from 1 on.
        direct: Whether an administrator handed it to this consumer (``rmq msg consume``): how its block ends is told there,
            and moves nothing.
    """

    __slots__ = ("_delivery", "_settlement", "attempt", "direct")

    def __init__(
        self, delivery: Delivery[RawMessage], settlement: Settlement, *, direct: bool = False
    ) -> None:
        self._raw = delivery.payload  # what MessageView.__init__ does; a call costs as much as all of this
        self._queue = delivery.queue.queue
        self._pairs = None
        self._delivery = delivery
        self._settlement = settlement
        self.attempt = delivery.attempt
        self.direct = direct

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, attempt {self.attempt}>"

    @property
    def queue(self) -> MessageQueue:
        """The queue it was read from; one of the ``%RETRY%`` topic when it comes once more."""
        return self._queue

    @property
    def topic(self) -> str:
        """The topic it was sent to, also when it comes once more, through the group's ``%RETRY%`` topic."""
        stored_in = self._raw.topic
        if stored_in == retry_topic(self._settlement.group):
            return self._properties.get(RETRY_TOPIC, stored_in)
        return stored_in

    async def __aenter__(self) -> Self:
        """Begin to work on it.

        Raises:
            LocalProtocolError: It is being worked on, or done, already.
        """
        self._delivery.apply(DeliveryEvent.ENTER)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Acknowledge, arrange another delivery, or neither."""
        if error is None:
            self._delivery.apply(DeliveryEvent.ACKNOWLEDGE)
            self._settlement.acknowledged(self._delivery)
            return False
        if isinstance(error, Exception):
            self._delivery.apply(DeliveryEvent.FAIL)
            self._settlement.failed(self._delivery, error)
            return True
        self._delivery.apply(DeliveryEvent.LEAVE)
        return False
