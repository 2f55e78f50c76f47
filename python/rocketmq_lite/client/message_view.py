"""What every message read from a broker has, as its record says; and a message that is only looked at, not received."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, final

from rocketmq_lite.client.engine.names import KEYS, TAGS, UNIQ_KEY, is_reserved
from rocketmq_lite.errors import RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import RawMessage

__all__ = ["MessageView", "StoredMessage"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class MessageView(ABC):
    """A record's content under the names of this API."""

    __slots__ = ("_raw",)
    _raw: RawMessage

    def __repr__(self) -> str:
        queue = self.queue
        return (
            f"<{type(self).__name__} {self.message_id} from {queue.topic}"
            f" {queue.broker_name}/{queue.queue_id} at {self.offset}>"
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
        """The topic that it is stored in."""
        return self._raw.topic

    @property
    def tag(self) -> str | None:
        """The tag it was sent with."""
        return self._raw.property_named(TAGS)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys it was sent with."""
        return tuple((self._raw.property_named(KEYS) or "").split())

    @property
    def properties(self) -> Mapping[str, str]:
        """The properties that the sender chose, without those that RocketMQ keeps beside them."""
        return MappingProxyType(
            {name: value for name, value in self._raw.properties.items() if not is_reserved(name)}
        )

    @property
    def system_properties(self) -> Mapping[str, str]:
        """The properties that RocketMQ itself keeps with the message."""
        return MappingProxyType(
            {name: value for name, value in self._raw.properties.items() if is_reserved(name)}
        )

    @property
    def message_id(self) -> str:
        """The id that the producer's receipt shows; the broker's own for messages that have none."""
        return self._raw.property_named(UNIQ_KEY) or self.offset_message_id

    @property
    def offset_message_id(self) -> str:
        """The broker's id: its address and the place in its commit log."""
        return self._raw.offset_message_id

    @property
    @abstractmethod
    def queue(self) -> MessageQueue:
        """The queue that it is stored in."""

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


@final
class StoredMessage(MessageView):
    """A message as it is stored, found by :class:`~rocketmq_lite.Admin` or read by a puller; it needs no acknowledging."""

    __slots__ = ("_queue",)

    def __init__(self, raw: RawMessage, queue: MessageQueue) -> None:
        self._raw = raw
        self._queue = queue

    @property
    def queue(self) -> MessageQueue:
        """The queue that it is stored in."""
        return self._queue

    @property
    def born_host(self) -> str:
        """The producer's ``host:port``, as the broker saw it."""
        return self._raw.born_host

    @property
    def store_host(self) -> str:
        """The broker's ``host:port``, as it called itself when it stored the message."""
        return self._raw.store_host

    @property
    def reconsume_times(self) -> int:
        """How often consumers have sent it back."""
        return self._raw.reconsume_times
