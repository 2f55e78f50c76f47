"""One queue that a puller reads: what has been fetched, what was handed out, and what counts as done.

Three offsets, each at or behind the next::

    done <= position <= next_offset
    |       |           '- where the next fetch reads
    |       '------------- the first message that was not handed out
    '--------------------- what may be committed: everything before it is done with

``settle`` says that all that was handed out is done. Moving the queue (``move_to``) sets all three; what was fetched before
counts no more, and neither does the answer to a fetch that was under way (``epoch`` tells).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from rocketmq_lite.client.engine.process_queue import QueueLimits
    from rocketmq_lite.model import MessageQueue

__all__ = ["PulledQueue"]

T = TypeVar("T")


class PulledQueue(Generic[T]):
    """The reading side of one queue.

    Args:
        queue: Which one.
        limits: How much may be fetched and not handed out.

    Attributes:
        paused: Whether nothing is fetched or handed out for now.
        epoch: Grows each time the queue is moved.
    """

    def __init__(self, queue: MessageQueue, limits: QueueLimits) -> None:
        self.queue = queue
        self.paused = False
        self.epoch = 0
        self._limits = limits
        self._waiting: deque[tuple[int, int, T]] = deque()
        self._size = 0
        self._next_offset: int | None = None
        self._done: int | None = None

    @property
    def next_offset(self) -> int | None:
        """Where the next fetch reads; ``None`` while the start is unknown."""
        return self._next_offset

    @property
    def position(self) -> int | None:
        """The first offset that was not handed out; ``None`` while the start is unknown."""
        return self._waiting[0][0] if self._waiting else self._next_offset

    @property
    def done(self) -> int | None:
        """What may be committed; ``None`` while the start is unknown."""
        return self._done

    @property
    def waiting(self) -> int:
        """Messages fetched and not handed out."""
        return len(self._waiting)

    @property
    def room(self) -> int:
        """How many messages may be fetched now."""
        if self.paused or self._size >= self._limits.size:
            return 0
        return max(0, self._limits.messages - len(self._waiting))

    def move_to(self, offset: int) -> None:
        """Go on at ``offset``, whatever was read before."""
        self.epoch += 1
        self._waiting.clear()
        self._size = 0
        self._next_offset = self._done = offset

    def add(self, offset: int, size: int, payload: T) -> None:
        """Take in a fetched message; one from before the place that was asked for is left out."""
        if self._next_offset is None or offset < self._next_offset:
            return
        self._waiting.append((offset, size, payload))
        self._size += size
        self._next_offset = offset + 1

    def skip_to(self, offset: int) -> None:
        """Everything below ``offset`` has been fetched, or is nothing for us."""
        if self._next_offset is not None:
            self._next_offset = max(self._next_offset, offset)

    def take(self, limit: int) -> list[T]:
        """Hand out up to ``limit`` messages, in the order of the queue."""
        if self.paused:
            return []
        taken: list[T] = []
        while self._waiting and len(taken) < limit:
            _, size, payload = self._waiting.popleft()
            self._size -= size
            taken.append(payload)
        return taken

    def settle(self) -> None:
        """All that was handed out is done."""
        self._done = self.position
