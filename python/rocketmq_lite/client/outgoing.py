"""A message, or a batch, on its way out: checked, with its properties as text, and compressed where that pays.

Built once a send; every attempt sends the same bytes and the same message id, so that a message that was
stored twice can be recognised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from rocketmq_lite.client.engine import names
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.protocol.framing import compress_zlib, encode_properties

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rocketmq_lite.client.identity import Identity

__all__ = ["COMPRESS_FROM", "OutgoingMessage", "property_text"]

COMPRESS_FROM: Final = 4096
"""Bytes from which on a body is compressed (Java's ``compressMsgBodyOverHowmuch``)."""

# MessageSysFlag: bit 0 says compressed, bits 8 to 10 by what. Peers older than 4.9.4 know zlib only and
# do not look at the second.
_COMPRESSED_BY_ZLIB: Final = 0x1 | 0x300

# Of the message id's property: its name, 32 hexadecimal digits, two separators.
_ID_BYTES: Final = len(names.UNIQ_KEY) + 32 + 2


@dataclass(slots=True)
class OutgoingMessage:
    """What one request carries, apart from where to: a message, or a batch of them.

    Attributes:
        body: As sent, possibly compressed; of a batch, its items.
        sys_flag: RocketMQ's flags; tells about the compression.
        properties: All of them as RocketMQ's text.
        order_key: The key that decides about the queue.
        message_id: The id that the receipt shows; of a batch, one that its messages do not have.
        is_batch: Whether the body is a batch's.
    """

    topic: str
    body: bytes
    sys_flag: int
    properties: str
    order_key: str | None
    message_id: str
    is_batch: bool = False

    @classmethod
    def build(
        cls,
        topic: str,
        body: bytes,
        *,
        tag: str | None,
        keys: str | Iterable[str],
        properties: Mapping[str, str] | None,
        order_key: str | None,
        identity: Identity,
    ) -> Self:
        """Check everything that the caller gave.

        Raises:
            ConfigError: Something of it is not valid.
        """
        names.check_topic_to_send(topic)
        data = names.check_body(body)
        text = property_text(tag=tag, keys=keys, properties=properties, order_key=order_key)
        return cls.single(topic, data, text, order_key=order_key, message_id=identity.next_message_id())

    @classmethod
    def single(cls, topic: str, body: bytes, text: str, *, order_key: str | None, message_id: str) -> Self:
        """One message whose parts are checked; ``text`` is what :func:`property_text` made."""
        sys_flag = 0
        if len(body) >= COMPRESS_FROM:
            body, sys_flag = _compressed(body)
        return cls(
            topic, body, sys_flag, f"{text}{_BEFORE_ID}{message_id}{_BEHIND_ID}", order_key, message_id
        )

    @classmethod
    def batch(cls, topic: str, body: bytes, *, order_key: str | None, message_id: str) -> Self:
        """A batch whose items are encoded. Its own properties are those that Java gives it."""
        text = f"{_NO_PROPERTIES}{_BEFORE_ID}{message_id}{_BEHIND_ID}"
        return cls(topic, body, 0, text, order_key, message_id, is_batch=True)


def property_text(
    *,
    tag: str | None,
    keys: str | Iterable[str],
    properties: Mapping[str, str] | None,
    order_key: str | None,
) -> str:
    """A message's properties but for its id, checked.

    Raises:
        ConfigError: One of them is not valid, or they are too long together.
    """
    if tag is None and order_key is None and keys == () and not properties:
        return _NO_PROPERTIES
    pairs = {names.WAIT: "true"}
    if tag is not None:
        pairs[names.TAGS] = names.check_tag(tag)
    if listed := names.check_keys(keys):
        pairs[names.KEYS] = " ".join(listed)
    if order_key is not None:
        pairs[names.ORDER_KEY] = names.check_order_key(order_key)
    if properties:
        pairs |= names.check_properties(properties)
    text = encode_properties(pairs)
    if (size := len(text.encode()) + _ID_BYTES) > names.MAX_PROPERTIES:
        raise ConfigError(
            f"properties, tag and keys together have {size} bytes, at most {names.MAX_PROPERTIES} are allowed",
            hint="put large values into the body",
        )
    return text


_NO_PROPERTIES: Final = encode_properties({names.WAIT: "true"})
_BEFORE_ID, _, _BEHIND_ID = encode_properties({names.UNIQ_KEY: "?"}).partition("?")


def _compressed(body: bytes) -> tuple[bytes, int]:
    """The body as it travels, with its flags; what does not get smaller stays as it is."""
    smaller = compress_zlib(body)
    return (smaller, _COMPRESSED_BY_ZLIB) if len(smaller) < len(body) else (body, 0)
