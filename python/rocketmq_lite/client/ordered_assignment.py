"""The queues that are ours to consume in order: each is read while it is locked, from the group's position on.

Handing a queue over: nothing more is handed out; the message in work gets its time and is committed; then the broker is
told that the lock is free. A queue whose lock ended is nobody's to commit: its messages are dropped, and when the lock
comes again the position is asked for anew.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import trio

from rocketmq_lite.client.engine.balance import plan_change
from rocketmq_lite.client.engine.events import QueueLost
from rocketmq_lite.client.hand_over import let_go
from rocketmq_lite.client.heartbeats import GOODBYE_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rocketmq_lite.client.committer import Committer
    from rocketmq_lite.client.consumer_settings import ConsumerSettings
    from rocketmq_lite.client.locker import Locker
    from rocketmq_lite.client.reader import QueueReader
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.transport.nursery import ProtectedNursery

__all__ = ["OrderedAssignment"]

_log = logging.getLogger(__name__)


class OrderedAssignment:
    """All queues of one consumer that are, or are to be, ours; the counterpart of ``Assignment``.

    Args:
        settings: The group, how long a message in work is waited for, and who is told of events.
        nursery: Where each queue has its task.
        readers: Where the reader of each queue that is locked is to be found.
        new_reader: Makes one; is told that nobody else can have the queue.
        locker: The locks.
        committer: Commits what has been done before a queue is let go.
        balance_soon: Called when a queue has been let go: it may be ours again meanwhile.
    """

    def __init__(
        self,
        settings: ConsumerSettings,
        nursery: ProtectedNursery,
        readers: dict[MessageQueue, QueueReader],
        *,
        new_reader: Callable[[MessageQueue, bool], QueueReader],
        locker: Locker,
        committer: Committer,
        balance_soon: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._nursery = nursery
        self._readers = readers
        self._new_reader = new_reader
        self._locker = locker
        self._committer = committer
        self._balance_soon = balance_soon
        self._queues: dict[MessageQueue, _OrderedQueue] = {}
        self._duplicates = 0

    @property
    def duplicates(self) -> int:
        """How many messages were handed out here and come again, at most."""
        return self._duplicates + sum(each.duplicates for each in self._queues.values())

    def assign(self, topic: str, ours: Sequence[MessageQueue], *, shared: bool) -> None:  # noqa: ARG002
        """Begin to read the queues of a topic that are ours now, and hand over those that no longer are.

        Args:
            topic: Which one.
            ours: Its queues that are ours.
            shared: Whether there are other members; locks keep them away.
        """
        current = [queue for queue, each in self._queues.items() if queue.topic == topic and not each.leaving]
        change = plan_change(current, ours)
        for queue in change.lost:
            self._queues[queue].give_up()
        # One that is still being handed over waits: its end has us look again.
        gained = [queue for queue in change.gained if queue not in self._queues]
        for queue in gained:
            self._start(queue)
        if change.lost or gained:
            wanted = ", ".join(map(str, ours)) or "no queue"
            _log.info("group %s: of topic %s ours in order: %s", self._settings.group, topic, wanted)

    async def settled(self) -> None:
        """Wait until each queue is being read, or could not be locked or located at the first attempt."""
        for each in tuple(self._queues.values()):
            await each.settled.wait()

    async def leave(self) -> None:
        """Hand all queues over. Being cancelled cuts the wait for messages in work short."""
        queues = list(self._queues.values())
        for each in queues:
            each.give_up()
        try:
            with trio.move_on_after(self._settings.grace):
                for each in queues:
                    await each.idle()
        finally:
            for each in queues:
                each.hurry()
            with trio.move_on_after(GOODBYE_TIMEOUT, shield=True):
                for each in queues:
                    await each.done.wait()

    def stop(self) -> list[QueueReader]:
        """Stop what :meth:`leave` could not hand over in time; returns whose positions are to be committed: nobody's."""
        for reader in self._readers.values():
            reader.stop()
        return []

    def _start(self, queue: MessageQueue) -> None:
        each = self._queues[queue] = _OrderedQueue(
            queue,
            self._settings,
            self._readers,
            new_reader=self._new_reader,
            locker=self._locker,
            committer=self._committer,
        )
        self._nursery.start_soon(self._run, each)

    async def _run(self, each: _OrderedQueue) -> None:
        await each.run()
        self._duplicates += each.duplicates
        del self._queues[each.queue]
        self._balance_soon()


class _OrderedQueue:
    """One of them.

    Attributes:
        leaving: Whether it has been given up.
        settled: Set once its first message can come, or could not be waited for.
        done: Set once it has been let go.
        duplicates: Messages of it that were handed out and come again, at most.
    """

    def __init__(
        self,
        queue: MessageQueue,
        settings: ConsumerSettings,
        readers: dict[MessageQueue, QueueReader],
        *,
        new_reader: Callable[[MessageQueue, bool], QueueReader],
        locker: Locker,
        committer: Committer,
    ) -> None:
        self.queue = queue
        self.leaving = False
        self.settled = trio.Event()
        self.done = trio.Event()
        self.duplicates = 0
        self._settings = settings
        self._readers = readers
        self._new_reader = new_reader
        self._locker = locker
        self._committer = committer
        self._work = trio.CancelScope()
        self._reader: QueueReader | None = None
        self._is_hurried = False
        locker.want(queue, self._lock_ended)

    async def run(self) -> None:
        """Read it whenever it is locked, until it has been given up and let go."""
        if not await self._locker.answered(self.queue):
            self.settled.set()
        while await self._locker.locked(self.queue):
            await self._read()
            self._locker.drained(self.queue)
        self.settled.set()
        if not self._is_abandoned:
            await self._locker.unlock(self.queue)
        self.done.set()

    async def _read(self) -> None:
        """Read until the lock has ended or the queue is given up, and no message of it is in work any more."""
        reader = self._new_reader(self.queue, False)  # noqa: FBT003 - Assignment's readers may have company
        reader.predecessor, reader.settled = self._reader, self.settled
        self._reader = self._readers[self.queue] = reader
        await reader.run()
        if not self._is_hurried:
            self._work = trio.CancelScope(deadline=trio.current_time() + self._settings.grace)
            with self._work:
                await reader.idle()
        duplicates = await let_go(reader, self._committer, grace=0)
        self._readers.pop(self.queue, None)
        self.duplicates += duplicates
        self._settings.tell(QueueLost(self.queue, duplicates))

    async def idle(self) -> None:
        """Wait until no message of it is in work."""
        if self._reader is not None:
            await self._reader.idle()

    def give_up(self) -> None:
        """Hand out nothing more, and let it go when what is in work is done."""
        self.leaving = True
        if (reader := self._readers.get(self.queue)) is not None:
            reader.release()
        self._locker.give_up(self.queue)

    def hurry(self) -> None:
        """Wait no longer for what is in work."""
        self._is_hurried = True
        self._work.cancel()

    @property
    def _is_abandoned(self) -> bool:
        """Whether a message is in work that we could not wait for: then the lock has to end by itself, in good time."""
        return self._is_hurried and self._reader is not None and self._reader.process_queue.in_work > 0

    def _lock_ended(self) -> None:
        if (reader := self._readers.pop(self.queue, None)) is not None:
            reader.stop()
