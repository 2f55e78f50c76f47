"""Messages for the tests to send, and how what arrived is compared with them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tests.interop.judge import Sending, sent_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.interop.judge import Event

# A held pull is answered after 15 s at the latest; a message that comes sooner has woken it.
WOKEN_SECONDS = 4.0
# How many messages the fixture ``stored`` sends.
STORED = 12

_TAGS = ("paid", "refunded", None)


def assorted(count: int) -> list[Sending]:
    """Messages that differ in all that a message can differ in; no two bodies are the same."""
    plain = [
        Sending(
            f"{number}: größe {number * 7}\0\x01\x02".encode(),
            tag=_TAGS[number % len(_TAGS)],
            keys=f"key-{number} order-{number // 2}" if number % 2 else None,
            properties={"number": str(number), "ort": "Zürich 東京", "blank": "a b"} if number % 5 else {},
        )
        for number in range(count - 2)
    ]
    # Clients compress what is longer than 4 KiB: once with effect, once in vain.
    return [*plain, Sending(b"compressible " * 2000), Sending(hashlib.shake_128(b"body").digest(1 << 20))]


def tagged(tags: Sequence[str | None]) -> list[Sending]:
    """A message for each tag."""
    return [Sending(f"{number}-{tag}".encode(), tag=tag) for number, tag in enumerate(tags)]


def sorted_by_body(messages: Iterable[Sending]) -> list[Sending]:
    """In an order that does not depend on queues."""
    return sorted(messages, key=lambda message: message.body)


def bodies(received: Iterable[Event]) -> list[bytes]:
    """The bodies a Java consumer got, sorted."""
    return sorted(sent_as(message).body for message in received)
