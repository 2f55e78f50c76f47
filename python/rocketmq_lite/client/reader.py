"""Reads one queue: finds where to start, then pulls for ever, as far as there is room.

The broker holds a pull of an empty queue for up to 15 seconds and answers it when a message comes. Pulls
also carry the offset to commit. Between an answer's arrival and the messages being in the inbox nothing
waits, so a cancelled reader has either taken all of an answer or none of it; what it has not taken is
above the committed offset and comes again. What becomes of a broker that fails is ``queue_broker``'s.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import trio

from rocketmq_lite.client.engine.events import OffsetMoved, QueueGained
from rocketmq_lite.client.engine.process_queue import ProcessQueue
from rocketmq_lite.client.hand_over import standing_position
from rocketmq_lite.client.queue_broker import QueueBroker
from rocketmq_lite.protocol.pulls import PullStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rocketmq_lite.client.consumer_settings import ConsumerSettings
    from rocketmq_lite.client.engine.failed_head import FailedHead
    from rocketmq_lite.client.heartbeats import Heartbeats
    from rocketmq_lite.client.positions import Positions
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import MessageBatch
    from rocketmq_lite.protocol.pulls import PullAnswer

__all__ = ["PULL_BATCH", "QueueReader", "QueueStatistics", "Sink"]

_log = logging.getLogger(__name__)

PULL_BATCH: Final = 1_024
"""Messages asked for at a time: the most that Java's ``pullBatchSize`` may be. Brokers give less: Apache's 32 messages, ours
256 KiB."""
_IDLE_PAUSE: Final = 0.05
"""Seconds after an empty answer that the broker did not hold: some do not hold, and must not be flooded."""


class Sink(Protocol):
    """Where pulled messages go."""

    def take_in(self, queue: ProcessQueue, messages: MessageBatch) -> None:
        """Take the messages that are for us; must not wait."""


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """A snapshot of one queue being read.

    Attributes:
        next_offset: Where the next pull reads.
        committable: The lowest offset that is not acknowledged; ``None`` while the start is unknown.
        committed: The offset that the broker was last told.
        unfinished: Messages pulled and not acknowledged.
        max_offset: The end of the queue as the last answer told it.
        error: Why the last pull failed, or ``None``.
        locked: Whether its broker has locked it for us, so that it is consumed in order.
        failed_head: In order: the message that failed and that the queue waits for, or ``None``.
    """

    queue: MessageQueue
    next_offset: int
    committable: int | None
    committed: int | None
    unfinished: int
    max_offset: int
    error: str | None
    locked: bool = False
    failed_head: FailedHead | None = None


class QueueReader:
    """One queue of one consumer.

    Args:
        queue: Which one.
        settings: On whose behalf, and how much may be unfinished.
        sink: Takes the messages.
        positions: Where the group's position is kept.
        find_start: Where to begin when the group has none; is given the master's address.
        takes_over: Whether another member may still be finishing what it has of the queue.
        lapse: Of a queue that is consumed in order: ends its lock if its time is over, and then stops this reader.

    Attributes:
        settled: Set once the group has a position, or none could be found at the first attempt.
        gone: Set once the queue has been let go.
        predecessor: Our last reader of a queue whose lock was lost: what it has done and not told goes on counting if
            nobody has changed the group's position meanwhile.
        done_until: What could have been committed when the queue was stopped.
    """

    def __init__(
        self,
        queue: MessageQueue,
        settings: ConsumerSettings,
        *,
        sink: Sink,
        positions: Positions,
        find_start: Callable[[str, MessageQueue], Awaitable[int]],
        takes_over: bool,
        remote: Remote,
        routing: Routing,
        heartbeats: Heartbeats,
        lapse: Callable[[], None] | None = None,
    ) -> None:
        self.queue = queue
        self.process_queue: ProcessQueue = ProcessQueue(queue, settings.limits)
        self.committed: int | None = None
        self.settled = trio.Event()
        self.gone = trio.Event()
        self.predecessor: QueueReader | None = None
        self.done_until: int | None = None
        self._settings = settings
        self._sink = sink
        self._positions = positions
        self._takes_over = takes_over
        self._find_start = find_start
        self._lapse = lapse
        self._remote = remote
        self._heartbeats = heartbeats
        self._broker = QueueBroker(queue, settings.group, routing=routing, forgotten=heartbeats.forgotten_by)
        self._scope = trio.CancelScope()
        self._step_scope = trio.CancelScope()
        self._moved_to: int | None = None
        self._max_offset = 0

    async def run(self) -> None:
        """Read until :meth:`release` or :meth:`stop`."""
        try:
            with self._scope:
                while True:
                    with trio.CancelScope() as self._step_scope:
                        while self._moved_to is None:
                            await self._broker.attempt(self._step)
                            self.settled.set()
                    if self._moved_to is not None:
                        await self._move(self._moved_to)
                        self.settled.set()
        finally:
            self.settled.set()

    def release(self) -> None:
        """Read nothing more; what is in hands may still be finished."""
        self.process_queue.release()
        self._scope.cancel()

    def stop(self) -> None:
        """Give the queue up at once."""
        if not self.process_queue.lost:
            self.done_until = self.process_queue.committable
        self.process_queue.revoke()
        self._scope.cancel()

    async def idle(self) -> None:
        """Wait until none of its messages is in work."""
        queue = self.process_queue
        while queue.in_work:
            idle = trio.Event()
            queue.call_when_none_in_work(idle.set)
            await idle.wait()

    def position(self) -> int | None:
        """What may be committed now; ``None`` while that is unknown, and when a lock that it takes has ended."""
        if self._lapse is not None:
            self._lapse()
            if self.process_queue.lost:
                return None
        return self.process_queue.committable

    def move_to(self, offset: int) -> None:
        """Go on at another offset, because the group's position was set to it; what is in hands no longer counts."""
        self._moved_to = offset
        self._step_scope.cancel()

    def statistics(self) -> QueueStatistics:
        """A snapshot."""
        return QueueStatistics(
            queue=self.queue,
            next_offset=self.process_queue.next_offset,
            committable=self.process_queue.committable,
            committed=self.committed,
            unfinished=self.process_queue.unfinished,
            max_offset=self._max_offset,
            error=self._broker.error,
            locked=self._lapse is not None,
            failed_head=self.process_queue.failed_head,
        )

    async def _step(self) -> None:
        if self.process_queue.committable is None:
            await self._locate()
        elif size := self.process_queue.pull_size(PULL_BATCH):
            await self._pull(size)
        else:
            await self._room_for_more()

    async def _room_for_more(self) -> None:
        """Wait until what was taken or acknowledged makes another pull worthwhile."""
        room = trio.Event()
        self.process_queue.call_when_room(PULL_BATCH, room.set)
        await room.wait()

    async def _locate(self) -> None:
        """Find where the group stands.

        A group without a position gets one at once: another member that takes the queue over, or this one
        after a crash, must not begin at the end and skip what was sent meanwhile.
        """
        address = self._broker.master()
        position = await self._positions.read(self.queue)
        if position is None:
            position = await self._find_start(address, self.queue)
            failures = await self._positions.write({self.queue: position}, wait=True)
            for error in failures.values():
                raise error
        elif self._takes_over:
            self.settled.set()
            position = await standing_position(
                self._positions, self.queue, position, grace=self._settings.grace
            )
        self.committed = position
        position = self._with_untold_progress(position)
        self.process_queue.locate(position)
        self._settings.tell(QueueGained(self.queue, position))

    def _with_untold_progress(self, position: int) -> int:
        if self.predecessor is None or self.predecessor.committed != position:
            return position
        return self.predecessor.done_until or position

    async def _pull(self, size: int) -> None:
        offset = self.process_queue.next_offset
        commit = self.position() if self._positions.carried_by_pulls else None
        address = self._broker.reader()
        await self._heartbeats.ensure(address)
        began = trio.current_time()
        answer = await self._remote.pull(
            address,
            self._settings.group,
            self.queue,
            offset=offset,
            count=size,
            commit_offset=commit,
            sub_version=self._settings.sub_version,
            take=self._take_in,
        )
        self.committed = commit or self.committed
        if answer.status is PullStatus.OFFSET_MOVED:
            await self._finish_work()
            self._restart(answer.next_offset)
        if self.process_queue.next_offset != offset:
            await trio.lowlevel.checkpoint()  # who waits for a message gets it before the next pull is made
        elif trio.current_time() - began < _IDLE_PAUSE:
            await trio.sleep(_IDLE_PAUSE)

    def _take_in(self, answer: PullAnswer) -> None:
        """Take what an answer brings, as soon as it has come."""
        self._broker.read_from = answer.suggested_broker_id
        self._max_offset = answer.max_offset
        if answer.status is PullStatus.OFFSET_MOVED:
            return
        if answer.messages:
            self._sink.take_in(self.process_queue, answer.messages)
        self.process_queue.skip_to(answer.next_offset)

    async def _move(self, offset: int) -> None:
        self._moved_to = None
        await self._finish_work()
        self._restart(offset)
        self.committed = None

    async def _finish_work(self) -> None:
        """Where one message follows the other, wait for the one in work before the queue goes on elsewhere."""
        if self._lapse is not None:
            self.process_queue.release()
            await self.idle()

    def _restart(self, offset: int) -> None:
        _log.warning(
            "%s continues at offset %d, as its broker says, and not at %d",
            self.queue,
            offset,
            self.process_queue.next_offset,
        )
        self._settings.tell(OffsetMoved(self.queue, self.process_queue.next_offset, offset))
        self.process_queue.revoke()
        self.process_queue = ProcessQueue(self.queue, self._settings.limits)
        self.process_queue.locate(offset)
