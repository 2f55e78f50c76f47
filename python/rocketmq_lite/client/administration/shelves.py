"""The queues that keep a group's dead letters, and reading them to the end that they have now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.engine.subscription import EVERYTHING
from rocketmq_lite.protocol.reserved import TOOLS_GROUP
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rocketmq_lite.client.remote_queues import QueueRemote
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import RawMessage

__all__ = ["BATCH", "Shelf", "ShelfReader"]

BATCH: Final = 32
"""Dead letters read at a time (a broker's own limit)."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """One queue of dead letters.

    Attributes:
        queue: Which one.
        address: The broker that has it.
        first: Its first offset.
        end: The offset behind its last.
        waiting_from: The first offset that was not sent again.
    """

    queue: MessageQueue
    address: str
    first: int
    end: int
    waiting_from: int


class ShelfReader:
    """Reads shelves one after the other.

    Args:
        remote: The calls.
        shelves: Which, each with the offset to begin at.
    """

    def __init__(self, remote: QueueRemote, shelves: Sequence[tuple[Shelf, int]]) -> None:
        self._remote = remote
        self._left = list(shelves)

    async def next_batch(self) -> tuple[Shelf, list[RawMessage]] | None:
        """The next messages, all of one shelf; ``None`` when all are read.

        Raises:
            RocketMQError: They could not be read; the next call tries again.
        """
        while self._left:
            shelf, offset = self._left[0]
            if offset >= shelf.end:
                self._left.pop(0)
                continue
            answer = await self._remote.pull(
                shelf.address,
                TOOLS_GROUP,
                shelf.queue,
                offset=offset,
                count=BATCH,
                commit_offset=None,
                sub_version=0,
                wanted=EVERYTHING,
            )
            self._left[0] = shelf, max(answer.next_offset, offset + 1)
            messages = [raw for raw in answer.messages if offset <= raw.queue_offset < shelf.end]
            if messages:
                return shelf, messages
        return None
