"""From what the caller of a send gave to the message that goes out, checked, with its properties as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.engine import names
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.protocol.framing import OutgoingMessage, encode_properties

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rocketmq_lite.client.identity import Identity

__all__ = ["NO_PROPERTIES", "outgoing_message", "property_text"]

# Of the message id's property: its name, 32 hexadecimal digits, two separators.
_ID_BYTES: Final = len(names.UNIQ_KEY) + 32 + 2


def outgoing_message(
    topic: str,
    body: bytes,
    *,
    tag: str | None,
    keys: str | Iterable[str],
    properties: Mapping[str, str] | None,
    order_key: str | None,
    identity: Identity,
) -> OutgoingMessage:
    """A message of what the caller gave, checked.

    Raises:
        ConfigError: Something of it is not valid.
    """
    names.check_topic_to_send(topic)
    data = names.check_body(body)
    text = property_text(tag=tag, keys=keys, properties=properties, order_key=order_key)
    return OutgoingMessage(topic, data, text, identity.next_message_id(), order_key)


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
        return NO_PROPERTIES
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


NO_PROPERTIES: Final = encode_properties({names.WAIT: "true"})
"""What every message has, and the only one that a batch has itself."""
