"""What a dead letter's properties say of its past, and which of them it keeps when it is sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.engine.names import (
    KEYS,
    ORDER_KEY,
    ORIGIN_MESSAGE_ID,
    RETRY_TOPIC,
    TAGS,
    WAIT,
    is_reserved,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["origin_of", "resent_properties"]

# Of RocketMQ's own properties those that are the sender's words; the message id is added by who sends.
_KEPT: Final = frozenset({KEYS, TAGS, ORDER_KEY})


def origin_of(properties: Mapping[str, str]) -> str | None:
    """The topic that a dead letter was sent to; ``None`` where it does not say."""
    return properties.get(RETRY_TOPIC) or None


def resent_properties(properties: Mapping[str, str], *, to_retry: bool) -> dict[str, str]:
    """The properties to send it with: the sender's own, and through a ``%RETRY%`` topic where it came from.

    What brokers noted on its way (delays, attempts, the queue it was in) is left out: it would be taken for an order.
    """
    kept = {name: value for name, value in properties.items() if name in _KEPT or not is_reserved(name)}
    kept[WAIT] = "true"
    if to_retry:
        kept |= {name: properties[name] for name in (RETRY_TOPIC, ORIGIN_MESSAGE_ID) if name in properties}
    return kept
