"""A queue goes from one member to another: the two ends of it, without a lock.

The old owner pulls and hands out nothing more, lets what is in hands be finished, commits it and lets go. The new owner
waits until the group's position stands still. Both give up after a *grace*: then messages may be handled twice, which
at-least-once permits; the old owner counts them. Members of other clients know nothing of this: Java's and Go's let go
at once, and what they had in hands comes again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from rocketmq_lite.client.committer import Committer
    from rocketmq_lite.client.positions import Positions
    from rocketmq_lite.client.reader import QueueReader
    from rocketmq_lite.model import MessageQueue

__all__ = ["GRACE", "let_go", "standing_position"]

GRACE: Final = 10.0
"""Seconds, at most, that a queue's old owner gets to finish, and its new owner waits. Our choice: a worker that needs longer
for a message is an exception, and a queue should not stand still for it."""
_STANDS_STILL: Final = 0.2
"""Seconds between two looks at a position that have to agree: several round trips to a broker."""
_PROGRESS: Final = 0.1
"""Seconds between two commits while finishing: often enough for the next owner to see that somebody is at it."""


async def let_go(reader: QueueReader, committer: Committer, *, grace: float) -> int:
    """Finish what is in hands of a queue that was released, commit, and give it up.

    Returns:
        How many messages were handed out here that the next owner gets again, at most.
    """
    queue = reader.process_queue
    done = trio.Event()
    queue.call_when_none_in_hands(done.set)
    with trio.move_on_after(grace):
        while queue.in_hands:
            with trio.move_on_after(_PROGRESS):
                await done.wait()
            await committer.commit_ahead(reader)
    await committer.commit_ahead(reader)
    queue.revoke()
    return queue.count_repeated(reader.committed)


async def standing_position(positions: Positions, queue: MessageQueue, position: int, *, grace: float) -> int:
    """The group's position, once its old owner has come to an end.

    Args:
        positions: Where positions are kept.
        queue: The queue that we take over.
        position: What was read just now.
        grace: How long to wait.

    Raises:
        RocketMQError: The position could not be read.
    """
    with trio.move_on_after(grace):
        while True:
            await trio.sleep(_STANDS_STILL)
            again = await positions.read(queue)
            if again is None or again == position:
                break
            position = again
    return position
