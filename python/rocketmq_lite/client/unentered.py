"""Tells an application that takes a message in order and never enters it: nothing more of that queue comes.

Without order the iteration says so, once all that may be held has been handed out. In order one message is enough, and
applications may pass it to a worker first; so it is said after a while only.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from rocketmq_lite.client.reader import QueueReader
    from rocketmq_lite.model import MessageQueue

__all__ = ["LOOK_SECONDS", "UnacknowledgedWarning", "watch_unentered"]

LOOK_SECONDS: Final = 15.0
"""Seconds between two looks: a message that both find taken and not entered is told of."""


class UnacknowledgedWarning(UserWarning):
    """Messages were handed out and not entered, and nothing more comes until they are: of a queue, or at all."""


async def watch_unentered(group: str, readers: Mapping[MessageQueue, QueueReader]) -> NoReturn:
    """Look at a consumer's queues until cancelled; each message is told of once."""
    before: dict[MessageQueue, int | None] = {}
    told: dict[MessageQueue, int | None] = {}
    while True:
        await trio.sleep(LOOK_SECONDS)
        held = {
            queue: reader.process_queue.committable for queue, reader in readers.items() if _waits(reader)
        }
        for queue, offset in held.items():
            if before.get(queue) == offset != told.get(queue):
                told[queue] = offset
                warnings.warn(
                    f"consumer group {group!r} was handed the message at offset {offset} of {queue.topic}"
                    f" {queue.broker_name}/{queue.queue_id}, at least {LOOK_SECONDS:g} s ago, and has not entered it: that"
                    " queue delivers nothing more (use 'async with message')",
                    UnacknowledgedWarning,
                    stacklevel=1,
                )
        before = held


def _waits(reader: QueueReader) -> bool:
    """Whether messages wait for one that was handed out and not entered."""
    queue = reader.process_queue
    return queue.in_work < queue.in_hands < queue.unfinished
