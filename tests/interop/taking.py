"""How tests take messages with our clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import rocketmq_lite as rmq


async def acknowledged(messages: rmq.Consumer, count: int) -> list[rmq.ReceivedMessage]:
    """The next messages, each acknowledged."""
    taken: list[rmq.ReceivedMessage] = []
    while len(taken) < count:
        async with await anext(messages) as message:
            taken.append(message)
    return taken


async def polled(puller: rmq.Puller, count: int, *, done: bool = False) -> list[rmq.StoredMessage]:
    """The next messages; ``done`` says so at once, and not with the next poll."""
    taken: list[rmq.StoredMessage] = []
    while len(taken) < count:
        taken += await puller.poll(count - len(taken))
    if done:
        await puller.commit()
    return taken


def ids(messages: list[rmq.ReceivedMessage] | list[rmq.StoredMessage]) -> list[str]:
    """The ids that their producers know them by, sorted."""
    return sorted(message.message_id for message in messages)
