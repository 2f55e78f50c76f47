"""Consuming: handing pulled messages out.

Readers fill the inbox, the iteration empties it; neither waits for the other except through the room that
unacknowledged messages leave. Which queues are read, and how far the group is, is ``member``'s; how the work on a message
ended, ``settlement``'s.
"""

from __future__ import annotations

import math
import warnings
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

import trio

from rocketmq_lite.client.direct import DirectMessages
from rocketmq_lite.client.engine.inbox import Inbox
from rocketmq_lite.client.engine.ordered_inbox import OrderedInbox
from rocketmq_lite.client.member import GroupMember
from rocketmq_lite.client.message import AutoAcknowledging, ReceivedMessage
from rocketmq_lite.client.settlement import GroupSettlement
from rocketmq_lite.client.unentered import UnacknowledgedWarning
from rocketmq_lite.errors import ClientClosed
from rocketmq_lite.transport.nursery import background_nursery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from rocketmq_lite.client.consumer_settings import ConsumerSettings
    from rocketmq_lite.client.engine.diagnosis import Problem
    from rocketmq_lite.client.engine.process_queue import ProcessQueue
    from rocketmq_lite.client.heartbeats import Heartbeats
    from rocketmq_lite.client.positions import Positions
    from rocketmq_lite.client.reader import QueueStatistics
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import MessageBatch
    from rocketmq_lite.transport.nursery import ProtectedNursery

__all__ = ["Consumer", "ConsumerStatistics", "open_consumer"]

_GIVE_WAY_EVERY: Final = 64
"""Messages at most that are handed out between two rounds of Trio's scheduler: a round costs as much as a message."""
_GIVE_WAY_AFTER: Final = 0.001
"""Seconds after which the next message begins with a round, however few there were."""


@dataclass(frozen=True, slots=True)
class ConsumerStatistics:
    """A snapshot of a consumer.

    Attributes:
        queues: The queues it reads now, those of the group's ``%RETRY%`` topic last.
        waiting: Messages pulled and not handed out, those that pause after a failure included.
        delivered: Messages handed out, each delivery counted.
        acknowledged: Messages acknowledged.
        failed: Deliveries that ended with an exception.
        filtered: Messages that only shared the hash of a tag, and were skipped.
        duplicates: Messages handed out here that another member gets again, at most, because their queue went over.
    """

    queues: tuple[QueueStatistics, ...]
    waiting: int
    delivered: int
    acknowledged: int
    failed: int
    filtered: int
    duplicates: int


@asynccontextmanager
async def open_consumer(
    settings: ConsumerSettings,
    positions: Positions,
    *,
    client_id: str,
    remote: Remote,
    routing: Routing,
    heartbeats: Heartbeats,
    find_problems: Callable[[str], Awaitable[Sequence[Problem]]],
    clock: Clock,
) -> AsyncIterator[Consumer]:
    """A member of a consumer group for as long as the block lasts; see ``Client.consumer``."""
    for topic in settings.topics:
        await routing.ensure(topic)
    async with background_nursery() as nursery:
        consumer = Consumer(
            settings,
            nursery,
            positions,
            client_id=client_id,
            remote=remote,
            routing=routing,
            heartbeats=heartbeats,
            find_problems=find_problems,
            clock=clock,
        )
        member = consumer._member  # noqa: SLF001 - who makes the two starts and ends them
        member.register()
        try:
            await member.start()
            yield consumer
        finally:
            consumer._end()  # noqa: SLF001
            await member.leave()


@final
class Consumer:
    """The messages of a consumer group's queues that are ours; iterate over it.

    Made by :meth:`Client.consumer`. Several tasks may iterate over one consumer; each message goes to one
    of them. Cancelling the iteration loses nothing.
    """

    def __init__(
        self,
        settings: ConsumerSettings,
        nursery: ProtectedNursery,
        positions: Positions,
        *,
        client_id: str,
        remote: Remote,
        routing: Routing,
        heartbeats: Heartbeats,
        find_problems: Callable[[str], Awaitable[Sequence[Problem]]],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._tags = {topic: wanted.tags for topic, wanted in settings.subscriptions.items()}
        self._iterating = trio.lowlevel.ParkingLot()
        self._direct = DirectMessages(
            settings.group, ordered=settings.order is not None, arrived=self._iterating.unpark
        )
        self._member = GroupMember(
            settings,
            nursery,
            self,
            positions,
            direct=self._direct,
            client_id=client_id,
            remote=remote,
            routing=routing,
            heartbeats=heartbeats,
            find_problems=find_problems,
        )
        self._inbox = Inbox() if settings.order is None else OrderedInbox(self._member.lapse)
        self._settlement = GroupSettlement(
            settings, self._inbox, self._iterating, member=self._member, nursery=nursery, clock=clock
        )
        self._time = trio.lowlevel.current_clock().current_time
        self._closed = False
        self._warned = False
        self._handed_since_round = 0
        self._round_due = -math.inf
        self._delivered = self._filtered = 0

    @property
    def group(self) -> str:
        """The consumer group."""
        return self._settings.group

    @property
    def queues(self) -> tuple[MessageQueue, ...]:
        """The queues of its topics that this member reads now; those of ``%RETRY%`` are in :meth:`statistics`."""
        return tuple(queue for queue in self._member.queues if queue.topic in self._settings.topics)

    def statistics(self) -> ConsumerStatistics:
        """A snapshot."""
        return ConsumerStatistics(
            queues=tuple(self._member.readers[queue].statistics() for queue in self._member.queues),
            waiting=len(self._inbox),
            delivered=self._delivered,
            acknowledged=self._settlement.acknowledged,
            failed=self._settlement.failed,
            filtered=self._filtered,
            duplicates=self._member.duplicates,
        )

    # --- iterating ------------------------------------------------------------------------------------

    def __aiter__(self) -> AsyncIterator[ReceivedMessage]:
        return AutoAcknowledging(self) if self._settings.auto_ack else self

    async def __anext__(self) -> ReceivedMessage:
        """The next message, waiting for one as long as it takes.

        While messages are there, the iteration gives way to other tasks, and can be cancelled, after 64 of
        them or the first that comes a millisecond later; a message's own ``await`` does so in any case.

        Raises:
            ClientClosed: The block of the consumer has ended.
        """
        now = self._time()
        self._handed_since_round += 1
        if self._handed_since_round >= _GIVE_WAY_EVERY or now >= self._round_due:
            await trio.lowlevel.checkpoint()
            now = self._begin_round()
        while (message := self._take(now)) is None:
            self._warn_if_stuck()
            if (due := self._inbox.next_due()) is None:
                await self._iterating.park()
            else:
                with trio.move_on_at(due):
                    await self._iterating.park()
            now = self._begin_round()
        return message

    def _begin_round(self) -> float:
        """Trio's scheduler has just had its turn; returns the time."""
        now = self._time()
        self._handed_since_round = 0
        self._round_due = now + _GIVE_WAY_AFTER
        return now

    def _take(self, now: float) -> ReceivedMessage | None:
        if self._closed:
            raise ClientClosed(f"the consumer of group {self.group!r} has been closed")
        if self._direct.waiting:
            return self._direct.take()
        delivery = self._inbox.take(now)
        if delivery is None:
            return None
        self._delivered += 1
        return ReceivedMessage(delivery, self._settlement)

    def _warn_if_stuck(self) -> None:
        unsettled = self._delivered - self._settlement.acknowledged - self._settlement.failed
        stuck = unsettled > 0 and any(
            reader.process_queue.is_stuck() for reader in self._member.readers.values()
        )
        was_warned, self._warned = self._warned, stuck
        if was_warned or not stuck:
            return
        warnings.warn(
            f"consumer group {self.group!r} holds {self._settings.limits.messages} messages of a queue that were"
            " handed out and never entered: that queue delivers nothing more (use 'async with message')",
            UnacknowledgedWarning,
            stacklevel=3,
        )

    def _end(self) -> None:
        """Nothing is handed out any more; who waits for a message is told."""
        self._closed = True
        self._direct.end()
        self._iterating.unpark_all()

    # --- what the readers bring (Sink) ------------------------------------------------------------------

    def take_in(self, queue: ProcessQueue, messages: MessageBatch) -> None:
        """Put pulled messages into the inbox, without those whose tag only has the same hash."""
        pulled, filtered = queue.take_in(messages, self._tags[queue.queue.topic])
        self._filtered += filtered
        self._inbox.put(pulled)
        self._iterating.unpark(count=len(pulled))
