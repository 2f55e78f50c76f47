"""How tests take messages with our clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import trio

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.interop.judge import Sending

    import rocketmq_lite as rmq


class Delivered(Protocol):
    """A message as a member of a group got it."""

    @property
    def body(self) -> bytes:
        """The body it was sent with."""
        ...


D = TypeVar("D", bound=Delivered)


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


async def delivered(
    send: Callable[[list[Sending]], object], messages: list[Sending], reading: trio.MemoryReceiveChannel[D]
) -> list[D]:
    """Send messages, and collect what the members of a group get until all of these have come."""
    missing = {message.body for message in messages}
    collected: list[D] = []
    async with trio.open_nursery() as nursery:
        # Beside the sends: the members wait with what they have until it is collected.
        nursery.start_soon(trio.to_thread.run_sync, send, messages)
        while missing:
            delivery = await reading.receive()
            missing.discard(delivery.body)
            collected.append(delivery)
    return collected
