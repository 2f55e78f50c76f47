"""From an iterable of messages to requests: batches of a good size, and single messages where a batch has no use.

The sizes are measured: docs/decisions/batch-size.md.
"""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from rocketmq_lite.client.engine import names
from rocketmq_lite.client.outgoing import NO_PROPERTIES, property_text
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.model import Message
from rocketmq_lite.protocol.framing import BatchEncoder, OutgoingMessage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rocketmq_lite.client.identity import Identity
    from rocketmq_lite.protocol.framing import MessageIds

__all__ = ["BATCH_BYTES", "BATCH_MESSAGES", "Batch", "Batches", "check_items"]

BATCH_BYTES: Final = 512 * 1024
"""Bytes of a batch. Brokers take 4 MiB (``maxMessageSize``); Java's documentation advises at most 1 MiB."""
BATCH_MESSAGES: Final = 1024
"""Messages of a batch."""


@dataclass(slots=True)
class Batch:
    """One request's worth.

    Attributes:
        items: As the caller gave them.
        message_ids: One for each item.
    """

    message: OutgoingMessage
    items: list[object]
    message_ids: MessageIds


@final
class Batches:
    """Makes requests of what an iterable gives, reading no further than needed.

    Args:
        topic: Where to.
        items: Bodies, or :class:`~rocketmq_lite.model.Message`.
        text: Properties of the bodies.
        order_key: Goes with each of them.
        identity: Makes the message ids.
        lanes: How many requests are to be under way at a time; few messages are shared out among them.
    """

    def __init__(
        self,
        topic: str,
        items: Iterable[object],
        *,
        text: str,
        order_key: str | None,
        identity: Identity,
        lanes: int,
    ) -> None:
        self.taken = 0
        self._topic = topic
        self._all = items
        self._items = iter(items)
        self._text = text
        self._order_key = order_key
        self._identity = identity
        keys, _ = identity.message_ids()
        self._encoder = BatchEncoder(
            self._items,
            keys,
            text,
            self._convert,
            max_bytes=BATCH_BYTES,
            max_messages=_share(items, lanes),
        )

    def next(self) -> Batch | None:
        """The next request; ``None`` when there is nothing more.

        Raises:
            ConfigError: An item is not valid.
            Exception: Whatever the iterable raises.
        """
        _, now = self._identity.message_ids()
        encoded = self._encoder.next(now)
        if encoded is None:
            return None
        body, items, message_ids = encoded
        self.taken += len(items)
        return Batch(self._message(body, items, message_ids), items, message_ids)

    def left_over(self) -> list[object]:
        """What is in no request: items that were taken, and of a collection, those that were not."""
        rest = self._items if isinstance(self._all, Sized) else ()
        return [*self._encoder.left_over(), *rest]

    def _message(self, body: bytes, items: list[object], message_ids: MessageIds) -> OutgoingMessage:
        if len(items) > 1:
            own_id = self._identity.next_message_id()
            return OutgoingMessage(self._topic, body, NO_PROPERTIES, own_id, self._order_key, is_batch=True)
        single, text = self._convert(items[0])
        return OutgoingMessage(self._topic, single, text, message_ids[0], self._order_key)

    def _convert(self, item: object) -> tuple[bytes, str]:
        """Body and properties of an item."""
        if not isinstance(item, Message):
            return names.check_body(item), self._text
        text = property_text(
            tag=item.tag, keys=item.keys, properties=item.properties, order_key=self._order_key
        )
        return names.check_body(item.body), text


def _share(items: Iterable[object], lanes: int) -> int:
    """Messages of a batch, so that few of them are spread evenly over all lanes."""
    if not isinstance(items, Sized):
        return BATCH_MESSAGES
    return min(BATCH_MESSAGES, -(-len(items) // lanes))


def check_items(items: object) -> None:
    """Refuse what is one message, not many.

    Raises:
        ConfigError: It is bytes or text.
    """
    if isinstance(items, bytes | bytearray | memoryview | str | Message):
        raise ConfigError("send_many takes many messages", hint="send() takes one; or give a list")
