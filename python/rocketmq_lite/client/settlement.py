"""How the work on each message ended, and what becomes of those that failed.

Without order a failed message goes back to its broker, which delivers it again later or keeps it as a dead letter. With
order it stays, and what is behind it in its queue waits for what becomes of it. In a broadcasting group nothing comes back:
it is done with, unless the user wants it again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import trio

from rocketmq_lite.client.engine.failed_head import (
    AttemptLimits,
    FailedHead,
    RetryInPlace,
    Stop,
    after_failure,
)
from rocketmq_lite.client.engine.giving_back import NEVER_AGAIN, RetryLater, delay_level
from rocketmq_lite.client.engine.ordered_inbox import OrderedInbox
from rocketmq_lite.client.engine.retry import redelivery_pause
from rocketmq_lite.errors import RocketMQError

if TYPE_CHECKING:
    from rocketmq_lite.client.consumer_settings import ConsumerSettings
    from rocketmq_lite.client.engine.inbox import Inbox
    from rocketmq_lite.client.engine.process_queue import Delivery
    from rocketmq_lite.client.member import GroupMember
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.transport.nursery import ProtectedNursery

__all__ = ["GroupSettlement"]

_log = logging.getLogger(__name__)


class GroupSettlement:
    """Is told when a message is left.

    Args:
        settings: What is to become of failed messages.
        inbox: Takes those that are handed out again here.
        iterating: Who waits for messages.
        member: Gives the others back.
        nursery: Where that is done.
        clock: Says since when a queue has been held up.

    Attributes:
        acknowledged: Messages acknowledged.
        failed: Deliveries that ended with an exception.
    """

    direct = False

    def __init__(
        self,
        settings: ConsumerSettings,
        inbox: Inbox | OrderedInbox,
        iterating: trio.lowlevel.ParkingLot,
        *,
        member: GroupMember,
        nursery: ProtectedNursery,
        clock: Clock,
    ) -> None:
        self.acknowledged = 0
        self.failed = 0
        self._settings = settings
        self._inbox = inbox
        self._ordered = inbox if isinstance(inbox, OrderedInbox) else None
        self._iterating = iterating
        self._member = member
        self._nursery = nursery
        self._clock = clock

    @property
    def group(self) -> str:
        """The consumer group that the messages were delivered to."""
        return self._settings.group

    def acknowledge(self, delivery: Delivery) -> None:
        """The user has worked on it; the committer tells the broker."""
        self.acknowledged += 1
        if self._ordered is not None:
            self._open_queue(self._ordered, delivery)

    def fail(self, delivery: Delivery, error: Exception) -> None:
        """The user's work raised."""
        self.failed += 1
        if delivery.queue.lost:
            delivery.keep()  # it is still unfinished, so that whoever has the queue next is given it
        elif self._settings.broadcasting:
            self._give_up(delivery, error)
        elif self._settings.order is not None:
            self._hold_queue(delivery, error, self._settings.order.attempts)
        else:
            self._nursery.start_soon(self._send_back, delivery, delay_level(error))

    def _give_up(self, delivery: Delivery, error: Exception) -> None:
        if isinstance(error, RetryLater):
            self._keep(delivery, error.seconds)
        else:
            delivery.give_back()

    def _hold_queue(self, delivery: Delivery, error: Exception, limits: AttemptLimits) -> None:
        queue, attempt = delivery.queue, delivery.attempt
        next_step = after_failure(error, attempt, limits)
        known = queue.failed_head
        queue.failed_head = FailedHead(
            offset=delivery.queue_offset,
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
                delivery.keep()
                _log.error(
                    "group %s: %s stands at offset %d, which failed %d times",
                    self.group,
                    queue.queue,
                    delivery.queue_offset,
                    attempt,
                )

    async def _send_back(self, delivery: Delivery, level: int) -> None:
        """Once the broker has it again, the group goes on behind it; else we hand it out again ourselves.

        When the consumer ends and the broker does not answer in time, the message counts as neither: it comes again, at
        worst twice.
        """
        try:
            await self._member.send_back(delivery.queue.queue, delivery, level=level)
        except RocketMQError as problem:
            pause = redelivery_pause(delivery.attempt)
            _log.warning(
                "message at offset %d of %s could not be sent back and is delivered again in %g s: %s",
                delivery.queue_offset,
                delivery.queue.queue,
                pause,
                problem,
            )
            self._keep(delivery, pause)
            return
        delivery.give_back()
        if self._ordered is not None:
            self._open_queue(self._ordered, delivery)

    def _keep(self, delivery: Delivery, pause: float) -> None:
        """Hand it out again after a pause."""
        delivery.keep()
        self._inbox.pause(delivery, trio.current_time() + pause)
        self._iterating.unpark_all()  # each of them has to know the new time to wait for

    def _open_queue(self, inbox: OrderedInbox, delivery: Delivery) -> None:
        """What was behind it may be handed out."""
        if inbox.finished(delivery):
            self._iterating.unpark()
