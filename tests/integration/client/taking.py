"""How tests take messages from a consumer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from rocketmq_lite.client.consumer import Consumer
    from rocketmq_lite.client.message import ReceivedMessage


async def take(messages: Consumer, count: int, *, within: float = 60) -> list[ReceivedMessage]:
    """Acknowledge the next ``count`` messages and return them."""
    taken: list[ReceivedMessage] = []
    with trio.fail_after(within):
        while len(taken) < count:
            async with await anext(messages) as message:
                taken.append(message)
    return taken


async def nothing_more(messages: Consumer, *, within: float = 60) -> None:
    """Nothing comes for that long."""
    with trio.move_on_after(within):
        message = await anext(messages)
        raise AssertionError(message)


async def leave_by(message: ReceivedMessage, error: BaseException) -> None:
    """Enter a message and leave it by an error."""
    async with message:
        raise error
