"""A message on its way out: checked, with its properties as text, and compressed where that pays.

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

__all__ = ["COMPRESS_FROM", "OutgoingMessage"]

COMPRESS_FROM: Final = 4096
"""Bytes from which on a body is compressed (Java's ``compressMsgBodyOverHowmuch``)."""

# MessageSysFlag: bit 0 says compressed, bits 8 to 10 by what. Peers older than 4.9.4 know zlib only and
# do not look at the second.
_COMPRESSED_BY_ZLIB: Final = 0x1 | 0x300


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What is sent, apart from where to.

    Attributes:
        body: As sent, possibly compressed.
        sys_flag: RocketMQ's flags; tells about the compression.
        properties: All of them as RocketMQ's text.
        order_key: The key that decides about the queue.
        message_id: The id that the receipt shows.
    """

    topic: str
    body: bytes
    sys_flag: int
    properties: str
    order_key: str | None
    message_id: str

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
        message_id = identity.next_message_id()
        pairs = {names.WAIT: "true", names.UNIQ_KEY: message_id}
        if tag is not None:
            pairs[names.TAGS] = names.check_tag(tag)
        if listed := names.check_keys(keys):
            pairs[names.KEYS] = " ".join(listed)
        if order_key is not None:
            pairs[names.ORDER_KEY] = names.check_order_key(order_key)
        if properties:
            pairs |= names.check_properties(properties)
        text = encode_properties(pairs)
        if (size := len(text.encode())) > names.MAX_PROPERTIES:
            raise ConfigError(
                f"properties, tag and keys together have {size} bytes, at most {names.MAX_PROPERTIES} are allowed",
                hint="put large values into the body",
            )
        wire_body, sys_flag = _compressed(data)
        return cls(topic, wire_body, sys_flag, text, order_key, message_id)


def _compressed(body: bytes) -> tuple[bytes, int]:
    """The body as it travels, with its flags; what does not get smaller stays as it is."""
    if len(body) < COMPRESS_FROM:
        return body, 0
    smaller = compress_zlib(body)
    return (smaller, _COMPRESSED_BY_ZLIB) if len(smaller) < len(body) else (body, 0)
