"""The queues that are ours: one reader for each, started when it comes and let go when it leaves."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rocketmq_lite.client.engine.balance import plan_change
from rocketmq_lite.client.engine.events import QueueLost
from rocketmq_lite.client.hand_over import let_go

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rocketmq_lite.client.committer import Committer
    from rocketmq_lite.client.engine.events import ConsumerEvent
    from rocketmq_lite.client.reader import QueueReader
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.transport.nursery import ProtectedNursery

__all__ = ["Assignment"]

_log = logging.getLogger(__name__)


class Assignment:
    """Who reads each queue of one consumer.

    Args:
        group: The consumer group, for the log.
        nursery: Where readers run.
        new_reader: Makes the reader of a queue; is told whether another member may have had it until now.
        committer: Commits what queues that leave have come to.
        grace: Seconds that a queue which leaves may take to be finished.
        tell: Takes events.

    Attributes:
        readers: The readers of the queues that are ours.
        duplicates: How many messages were handed out here and come again elsewhere, at most.
    """

    def __init__(
        self,
        group: str,
        nursery: ProtectedNursery,
        readers: dict[MessageQueue, QueueReader],
        *,
        new_reader: Callable[[MessageQueue, bool], QueueReader],
        committer: Committer,
        grace: float,
        tell: Callable[[ConsumerEvent], None],
    ) -> None:
        self.readers = readers
        self.duplicates = 0
        self._group = group
        self._nursery = nursery
        self._new_reader = new_reader
        self._committer = committer
        self._grace = grace
        self._tell = tell
        self._leaving: list[QueueReader] = []

    def assign(self, topic: str, ours: Sequence[MessageQueue], *, shared: bool) -> None:
        """Start and let go of readers so that they are those of our queues of one topic.

        Args:
            topic: Which one.
            ours: Its queues that are ours.
            shared: Whether there are other members, who may have had them until now.
        """
        change = plan_change([queue for queue in self.readers if queue.topic == topic], ours)
        for queue in change.lost:
            reader = self.readers.pop(queue)
            reader.release()
            self._leaving.append(reader)
            self._nursery.start_soon(self._let_go, reader)
        for queue in change.gained:
            reader = self.readers[queue] = self._new_reader(queue, shared)
            self._nursery.start_soon(self._read, reader, self._predecessor(queue))
        if change.lost or change.gained:
            texts = map(str, sorted(self.readers))
            _log.info("group %s: reading %s", self._group, ", ".join(texts) or "no queue")

    async def settled(self) -> None:
        """Wait until each reader knows where it starts, or has failed to find out once."""
        for reader in tuple(self.readers.values()):
            await reader.settled.wait()

    def stop(self) -> list[QueueReader]:
        """Stop everything at once; returns whose positions are to be committed."""
        readers = [*self.readers.values(), *self._leaving]
        for reader in readers:
            reader.stop()
        return readers

    def _predecessor(self, queue: MessageQueue) -> QueueReader | None:
        """Who of ours has a queue in hands that has come back before it was let go."""
        return next((reader for reader in self._leaving if reader.queue == queue), None)

    async def _read(self, reader: QueueReader, predecessor: QueueReader | None) -> None:
        if predecessor is not None:
            await predecessor.gone.wait()
        await reader.run()

    async def _let_go(self, reader: QueueReader) -> None:
        duplicates = await let_go(reader, self._committer, grace=self._grace)
        self._leaving.remove(reader)
        reader.gone.set()
        self.duplicates += duplicates
        self._tell(QueueLost(reader.queue, duplicates))
