"""A message that was received, and what leaving its block means.

Leaving ``async with message:`` cleanly acknowledges. An exception is logged and the message is delivered
again; it does not leave the block, so that one bad message does not end a consumer. A cancellation, a
``KeyboardInterrupt`` and everything else that is not an ``Exception`` does leave the block, and neither
acknowledges nor retries. None of this waits, so it cannot be interrupted half-way.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, Self, final

from rocketmq_lite.client.engine.names import KEYS, RETRY_TOPIC, TAGS, UNIQ_KEY, is_reserved, retry_topic
from rocketmq_lite.client.engine.process_queue import DeliveryEvent
from rocketmq_lite.errors import RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from rocketmq_lite.client.engine.process_queue import Delivery
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import RawMessage

__all__ = ["ReceivedMessage", "Settlement"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Settlement(Protocol):
    """Who is told how the work on a message ended."""

    @property
    def group(self) -> str:
        """The consumer group that the message was delivered to."""

    def acknowledged(self, delivery: Delivery[RawMessage]) -> None:
        """The work is done."""

    def failed(self, delivery: Delivery[RawMessage], error: Exception) -> None:
        """The work raised; the message is to be delivered again."""


@final
class ReceivedMessage:
    """A message from a consumer; enter it to work on it.

    Example:
        >>> async for message in messages:
        ...     async with message:
        ...         await book(message.body)

    Cancelling the work leaves the message neither acknowledged nor failed: it can be entered again, and
    otherwise comes back when the group next starts from its committed offset.
    """

    __slots__ = ("_delivery", "_properties", "_raw", "_settlement", "attempt")

    def __init__(self, delivery: Delivery[RawMessage], settlement: Settlement) -> None:
        self._delivery = delivery
        self._settlement = settlement
        self._raw = delivery.payload
        self._properties = delivery.payload.properties
        self.attempt = delivery.attempt

    def __repr__(self) -> str:
        queue = self.queue
        return (
            f"<ReceivedMessage {self.message_id} from {queue.topic}"
            f" {queue.broker_name}/{queue.queue_id} at {self.offset}, attempt {self.attempt}>"
        )

    @property
    def body(self) -> bytes:
        """What the producer sent, decompressed.

        Raises:
            RemoteProtocolError: It is compressed, and damaged.
        """
        try:
            return self._raw.body
        except ValueError as error:
            raise RemoteProtocolError(
                f"the body of message {self.message_id} cannot be read: {error}"
            ) from error

    @property
    def topic(self) -> str:
        """The topic it was sent to, also when it comes once more, through the group's ``%RETRY%`` topic."""
        stored_in = self._raw.topic
        if stored_in == retry_topic(self._settlement.group):
            return self._properties.get(RETRY_TOPIC, stored_in)
        return stored_in

    @property
    def tag(self) -> str | None:
        """The tag it was sent with."""
        return self._properties.get(TAGS)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys it was sent with."""
        return tuple(self._properties.get(KEYS, "").split())

    @property
    def properties(self) -> Mapping[str, str]:
        """The properties that the sender chose, without those that RocketMQ keeps beside them."""
        return MappingProxyType(
            {name: value for name, value in self._properties.items() if not is_reserved(name)}
        )

    @property
    def system_properties(self) -> Mapping[str, str]:
        """The properties that RocketMQ itself keeps with the message."""
        return MappingProxyType(
            {name: value for name, value in self._properties.items() if is_reserved(name)}
        )

    @property
    def message_id(self) -> str:
        """The id that the producer's receipt shows; the broker's own for messages that have none."""
        return self._properties.get(UNIQ_KEY) or self.offset_message_id

    @property
    def offset_message_id(self) -> str:
        """The broker's id: its address and the place in its commit log."""
        return self._raw.offset_message_id

    @property
    def queue(self) -> MessageQueue:
        """The queue it was read from; one of the ``%RETRY%`` topic when it comes once more."""
        return self._delivery.queue.queue

    @property
    def offset(self) -> int:
        """Its place in :attr:`queue`."""
        return self._raw.queue_offset

    @property
    def born_at(self) -> datetime:
        """When the producer made it, in UTC, by the producer's clock."""
        return _EPOCH + timedelta(milliseconds=self._raw.born_timestamp)

    @property
    def stored_at(self) -> datetime:
        """When the broker stored it, in UTC, by the broker's clock."""
        return _EPOCH + timedelta(milliseconds=self._raw.store_timestamp)

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
