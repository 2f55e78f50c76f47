"""Fetches one queue for a puller: finds where to start, then pulls ahead as far as there is room.

Each pull carries what is wanted of the topic (request 361), so that the broker need not know this client, and none carries a
position: committing is the puller's. What becomes of a broker that fails is ``queue_broker``'s.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.client.engine.names import TAGS
from rocketmq_lite.client.engine.pulled_queue import PulledQueue
from rocketmq_lite.client.queue_broker import QueueBroker
from rocketmq_lite.protocol.pulls import PullStatus
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rocketmq_lite.client.engine.process_queue import QueueLimits
    from rocketmq_lite.client.engine.subscription import Subscription
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import RawMessage
    from rocketmq_lite.protocol.pulls import PullAnswer

__all__ = ["Fetcher", "PulledStatistics"]

_log = logging.getLogger(__name__)

_BATCH: Final = 32
"""Messages asked for at a time (a broker's own limit)."""
_IDLE_PAUSE: Final = 0.05
"""Seconds after an empty answer that the broker did not hold."""


@dataclass(frozen=True, slots=True)
class PulledStatistics:
    """A snapshot of one queue of a puller.

    Attributes:
        queue: Which one.
        position: The next message that :meth:`Puller.poll` gives; ``None`` while the start is unknown.
        committed: The offset that the broker was last told.
        waiting: Messages fetched and not handed out.
        max_offset: The end of the queue as the last answer told it.
        paused: Whether it is paused.
        error: Why the last fetch failed, or ``None``.
    """

    queue: MessageQueue
    position: int | None
    committed: int | None
    waiting: int
    max_offset: int
    paused: bool
    error: str | None


class Fetcher:
    """One queue of one puller.

    Args:
        queue: Which one.
        group: On whose behalf.
        wanted: Which of its messages.
        limits: How much may be fetched and not handed out.
        arrived: Called when there is something to hand out.
        find_start: Where the group goes on; is given the master's address.

    Attributes:
        settled: Set once the start offset is known, or could not be found at the first attempt.
        committed: The offset that the broker was last told.
    """

    def __init__(
        self,
        queue: MessageQueue,
        *,
        group: str,
        wanted: Subscription,
        limits: QueueLimits,
        arrived: Callable[[], None],
        find_start: Callable[[str, MessageQueue], Awaitable[int]],
        remote: Remote,
        routing: Routing,
    ) -> None:
        self.queue = queue
        self.pulled: PulledQueue[RawMessage] = PulledQueue(queue, limits)
        self.committed: int | None = None
        self.settled = trio.Event()
        self._group = group
        self._wanted = wanted
        self._arrived = arrived
        self._find_start = find_start
        self._remote = remote
        self._broker = QueueBroker(queue, group, routing=routing)
        self._scope = trio.CancelScope()
        self._step_scope = trio.CancelScope()
        self._room = trio.Event()
        self._max_offset = 0

    async def run(self) -> None:
        """Fetch until :meth:`stop`."""
        try:
            with self._scope:
                while True:
                    with trio.CancelScope() as self._step_scope:
                        await self._broker.attempt(self._step)
                    self.settled.set()
        finally:
            self.settled.set()

    def stop(self) -> None:
        """Fetch nothing any more."""
        self._scope.cancel()

    def move_to(self, offset: int) -> None:
        """Go on at another offset; what was fetched is thrown away."""
        self.pulled.move_to(offset)
        self._step_scope.cancel()

    def room_changed(self) -> None:
        """Messages were handed out, or the queue goes on after a pause: fetch again."""
        self._room.set()

    def statistics(self) -> PulledStatistics:
        """A snapshot."""
        return PulledStatistics(
            queue=self.queue,
            position=self.pulled.position,
            committed=self.committed,
            waiting=self.pulled.waiting,
            max_offset=self._max_offset,
            paused=self.pulled.paused,
            error=self._broker.error,
        )

    async def _step(self) -> None:
        offset = self.pulled.next_offset
        if offset is None:
            self.pulled.move_to(await self._find_start(self._broker.master(), self.queue))
        elif room := self.pulled.room:
            await self._fetch(offset, min(room, _BATCH))
        else:
            self._room = trio.Event()
            await self._room.wait()

    async def _fetch(self, offset: int, count: int) -> None:
        epoch = self.pulled.epoch
        began = trio.current_time()
        answer = await self._remote.pull(
            self._broker.reader(),
            self._group,
            self.queue,
            offset=offset,
            count=count,
            commit_offset=None,
            sub_version=0,
            wanted=self._wanted,
        )
        if epoch != self.pulled.epoch:
            return
        self._take_in(answer)
        if self.pulled.next_offset == offset and trio.current_time() - began < _IDLE_PAUSE:
            await trio.sleep(_IDLE_PAUSE)

    def _take_in(self, answer: PullAnswer) -> None:
        self._broker.read_from = answer.suggested_broker_id
        self._max_offset = answer.max_offset
        if answer.status is PullStatus.OFFSET_MOVED:
            _log.warning(
                "%s continues at offset %d, as its broker says, and not at %d",
                self.queue,
                answer.next_offset,
                self.pulled.next_offset,
            )
            self.pulled.move_to(answer.next_offset)
            self.committed = None  # who set the group's position may have put it anywhere
            return
        for raw in answer.messages:
            if self._wanted.matches(raw.properties.get(TAGS)):
                self.pulled.add(raw.queue_offset, raw.size, raw)
        self.pulled.skip_to(answer.next_offset)
        if self.pulled.waiting:
            self._arrived()
