"""Consuming: handing pulled messages out, and taking note of how the work on them ended.

Readers fill the inbox, the iteration empties it; neither waits for the other except through the room that
unacknowledged messages leave. Which queues are read, and how far the group is, is ``member``'s.
"""

from __future__ import annotations

import logging
import math
import warnings
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self, final

import trio

from rocketmq_lite.client.direct import DirectMessages
from rocketmq_lite.client.engine.failed_head import (
    AttemptLimits,
    FailedHead,
    RetryInPlace,
    Stop,
    after_failure,
)
from rocketmq_lite.client.engine.giving_back import NEVER_AGAIN, DeadLetter, RetryLater, delay_level
from rocketmq_lite.client.engine.inbox import Inbox
from rocketmq_lite.client.engine.names import TAGS
from rocketmq_lite.client.engine.ordered_inbox import OrderedInbox
from rocketmq_lite.client.engine.process_queue import DeliveryEvent
from rocketmq_lite.client.engine.retry import redelivery_pause
from rocketmq_lite.client.member import GroupMember
from rocketmq_lite.client.message import ReceivedMessage
from rocketmq_lite.client.unentered import UnacknowledgedWarning
from rocketmq_lite.errors import ClientClosed, RocketMQError
from rocketmq_lite.transport.nursery import background_nursery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from rocketmq_lite.client.consumer_settings import ConsumerSettings
    from rocketmq_lite.client.engine.diagnosis import Problem
    from rocketmq_lite.client.engine.process_queue import Delivery, ProcessQueue
    from rocketmq_lite.client.heartbeats import Heartbeats
    from rocketmq_lite.client.positions import Positions
    from rocketmq_lite.client.reader import QueueStatistics
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import RawMessage

__all__ = ["Consumer", "ConsumerStatistics", "open_consumer"]

_log = logging.getLogger(__name__)

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
        nursery: trio.Nursery,
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
        self._nursery = nursery
        self._clock = clock
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
        self._inbox: Inbox[RawMessage] | OrderedInbox[RawMessage] = (
            Inbox() if settings.order is None else OrderedInbox()
        )
        self._closed = False
        self._warned = False
        self._handed_since_round = 0
        self._round_due = -math.inf
        self._delivered = self._acknowledged = self._failed = self._filtered = 0

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
            acknowledged=self._acknowledged,
            failed=self._failed,
            filtered=self._filtered,
            duplicates=self._member.duplicates,
        )

    # --- iterating ------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ReceivedMessage:
        """The next message, waiting for one as long as it takes.

        While messages are there, the iteration gives way to other tasks, and can be cancelled, after 64 of
        them or the first that comes a millisecond later; a message's own ``await`` does so in any case.

        Raises:
            ClientClosed: The block of the consumer has ended.
        """
        now = trio.current_time()
        self._handed_since_round += 1
        if self._handed_since_round >= _GIVE_WAY_EVERY or now >= self._round_due:
            await trio.lowlevel.checkpoint()
            now = trio.current_time()
            self._begin_round(now)
        while (message := self._take(now)) is None:
            self._warn_if_stuck()
            due = self._inbox.next_due()
            with trio.move_on_at(math.inf if due is None else due):
                await self._iterating.park()
            now = trio.current_time()
            self._begin_round(now)
        return message

    def _begin_round(self, now: float) -> None:
        """Trio's scheduler has just had its turn."""
        self._handed_since_round = 0
        self._round_due = now + _GIVE_WAY_AFTER

    def _take(self, now: float) -> ReceivedMessage | None:
        if self._closed:
            raise ClientClosed(f"the consumer of group {self.group!r} has been closed")
        self._member.lapse()
        if self._direct:
            return self._direct.take()
        delivery = self._inbox.take(now)
        if delivery is None:
            return None
        self._delivered += 1
        _moved(delivery)
        return ReceivedMessage(delivery, self)

    def _warn_if_stuck(self) -> None:
        if self._warned or not any(
            reader.process_queue.is_stuck() for reader in self._member.readers.values()
        ):
            return
        self._warned = True
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

    # --- what happened to a message (Settlement) --------------------------------------------------------

    def acknowledged(self, delivery: Delivery[RawMessage]) -> None:
        """The user has worked on it; the committer tells the broker."""
        self._acknowledged += 1
        self._done(delivery)

    def failed(self, delivery: Delivery[RawMessage], error: Exception) -> None:
        """The user's work raised: give the message back to its broker."""
        self._failed += 1
        wanted = isinstance(error, RetryLater | DeadLetter)
        _log.log(
            logging.INFO if wanted else logging.ERROR,
            "message at offset %d of %s failed in group %s, at attempt %d: %s",
            delivery.offset,
            delivery.queue.queue,
            self.group,
            delivery.attempt - 1,
            error,
            exc_info=None if wanted else error,
        )
        if self._settings.broadcasting:
            self._give_up(delivery, error)
        elif self._settings.order is not None:
            self._hold_queue(delivery, error, self._settings.order.attempts)
        else:
            self._nursery.start_soon(self._send_back, delivery, delay_level(error))

    def _give_up(self, delivery: Delivery[RawMessage], error: Exception) -> None:
        """Nothing comes back to a broadcasting group: be done with it, unless the user wants it again, here."""
        if isinstance(error, RetryLater):
            self._keep(delivery, error.seconds)
        else:
            delivery.apply(DeliveryEvent.GIVE_UP)
            _moved(delivery)

    def _hold_queue(self, delivery: Delivery[RawMessage], error: Exception, limits: AttemptLimits) -> None:
        """What is behind the message in its queue waits for what becomes of it."""
        queue, attempt = delivery.queue, delivery.attempt - 1
        next_step = after_failure(error, attempt, limits)
        known = queue.failed_head
        queue.failed_head = FailedHead(
            offset=delivery.offset,
            attempts=attempt,
            since_ms=self._clock.wall_ms() if known is None else known.since_ms,
            error=f"{type(error).__name__}: {error}",
            stands=next_step is Stop.STAND,
        )
        match next_step:
            case RetryInPlace(seconds):
                self._keep(delivery, seconds)
            case Stop.PARK:
                self._nursery.start_soon(self._send_back, delivery, NEVER_AGAIN)
            case Stop.STAND:
                delivery.apply(DeliveryEvent.KEEP)
                _log.error(
                    "group %s: %s stands at offset %d, which failed %d times",
                    self.group,
                    queue.queue,
                    delivery.offset,
                    attempt,
                )

    async def _send_back(self, delivery: Delivery[RawMessage], level: int) -> None:
        """Once the broker has it again, the group goes on behind it; else we hand it out again ourselves.

        When the consumer ends and the broker does not answer in time, the message counts as neither: it comes again, at
        worst twice.
        """
        try:
            await self._member.send_back(delivery.queue.queue, delivery.payload, level=level)
        except RocketMQError as problem:
            pause = redelivery_pause(delivery.attempt - 1)
            _log.warning(
                "message at offset %d of %s could not be sent back and is delivered again in %g s: %s",
                delivery.offset,
                delivery.queue.queue,
                pause,
                problem,
            )
            self._keep(delivery, pause)
            return
        delivery.apply(DeliveryEvent.SEND_BACK)
        self._done(delivery)

    def _keep(self, delivery: Delivery[RawMessage], pause: float) -> None:
        """Hand it out again after a pause."""
        delivery.apply(DeliveryEvent.KEEP)
        self._inbox.pause(delivery, trio.current_time() + pause)
        self._iterating.unpark_all()  # each of them has to know the new time to wait for
        _moved(delivery)

    def _done(self, delivery: Delivery[RawMessage]) -> None:
        """Another message may take its place."""
        self._warned = False
        self._member.lapse()
        if self._inbox.finished(delivery):
            self._iterating.unpark()
        _moved(delivery)

    # --- what the readers bring (Sink) ------------------------------------------------------------------

    def take_in(self, queue: ProcessQueue[RawMessage], messages: list[RawMessage]) -> None:
        """Put pulled messages into the inbox, without those whose tag only has the same hash."""
        expression = self._settings.subscriptions[queue.queue.topic]
        taken = 0
        for raw in messages:
            if raw.queue_offset < queue.next_offset:
                continue  # a broker may begin its answer before the offset asked for
            if expression.tags and not expression.matches(raw.properties.get(TAGS)):
                self._filtered += 1
                continue
            self._inbox.put(queue.add(raw.queue_offset, raw.size, raw.reconsume_times + 1, raw))
            taken += 1
        self._iterating.unpark(count=taken)


def _moved(delivery: Delivery[RawMessage]) -> None:
    """Tell who waits for it that a message was taken or settled."""
    if (waiter := delivery.queue.waiter) is not None:
        waiter()
