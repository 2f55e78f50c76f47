"""Dead letters: what consumer groups have given up, kept in ``%DLQ%<group>`` until their age ends them.

How far those of a group were sent again is remembered on the brokers, as a position in that topic: sending again can be
interrupted, and taken up from any machine.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Self

from rocketmq_lite.client.administration.part import AdminPart, ask_each
from rocketmq_lite.client.administration.resending import RESENDING, Resending
from rocketmq_lite.client.administration.shelves import Shelf, ShelfReader
from rocketmq_lite.client.engine.dead_letters import origin_of
from rocketmq_lite.client.engine.names import ORIGIN_MESSAGE_ID
from rocketmq_lite.client.message_view import StoredMessage
from rocketmq_lite.client.places import bounds_of
from rocketmq_lite.errors import TopicNotFound
from rocketmq_lite.protocol.reserved import DLQ_PREFIX, dead_letter_topic
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from rocketmq_lite.client.administration.resending import ResendTo, Resent
    from rocketmq_lite.client.remote_queues import QueueRemote
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import RawMessage

__all__ = ["DeadLetterAdmin", "DeadLetterCount", "KeptDeadLetter"]


@dataclass(frozen=True, slots=True)
class DeadLetterCount:
    """The dead letters of one group.

    Attributes:
        group: The consumer group that gave them up.
        kept: How many there are.
        waiting: How many of them were not sent again.
    """

    group: str
    kept: int
    waiting: int


@dataclass(frozen=True, slots=True)
class KeptDeadLetter:
    """A message that a group gave up.

    Attributes:
        message: The message as it is kept.
        origin_topic: Where it was sent to; ``None`` where the record does not say.
        origin_message_id: The broker's id of the message that was sent first, if the record has it.
        attempts: How often it was delivered.
        resent: Whether it was sent again.
    """

    message: StoredMessage
    origin_topic: str | None
    origin_message_id: str | None
    attempts: int
    resent: bool


class DeadLetterAdmin(AdminPart):
    """The part of `Admin` that is about dead letters."""

    async def dead_letter_counts(self) -> tuple[DeadLetterCount, ...]:
        """How many dead letters each group has on all brokers, by group; groups that never gave one up are left out.

        Raises:
            RocketMQError: A server could not be reached.
        """
        topics = await self._routing.ask(self._remote.topics)
        groups = sorted(topic.removeprefix(DLQ_PREFIX) for topic in topics if topic.startswith(DLQ_PREFIX))
        return tuple([await self.dead_letter_count(group) for group in groups])

    async def dead_letter_count(self, group: str) -> DeadLetterCount:
        """How many dead letters a group has; none if it never gave one up.

        Raises:
            RocketMQError: A server could not be reached.
        """
        shelves = await self._shelves(group)
        return DeadLetterCount(
            group,
            kept=sum(each.end - each.first for each in shelves),
            waiting=sum(each.end - each.waiting_from for each in shelves),
        )

    def dead_letters(self, group: str) -> AsyncIterator[KeptDeadLetter]:
        """The dead letters of a group, of each broker the oldest first; none for a group that never gave one up.

        Each step of the iteration raises what it has to: :exc:`~rocketmq_lite.RocketMQError` when a server could not be
        reached. It may be left at any time.
        """
        return _Kept(self._remote, lambda: self._shelves(group))

    def resend_dead_letters(
        self, group: str, *, to: ResendTo = "origin", again: bool = False
    ) -> AsyncIterator[Resent]:
        """Send dead letters once more, at most 32 with each step of the iteration, going on where an earlier call stopped.

        They stay kept. Body, tag, keys, order key, properties and message id are as they were; attempts are counted anew.

        Args:
            group: Who gave them up.
            to: ``"origin"``: to the topics they were sent to, where every group gets them. ``"retry"``: to this group alone.
            again: Begin with the oldest, whatever was sent again already.

        A step raises :exc:`~rocketmq_lite.TopicNotFound` when a topic that one was sent to does not exist any more, and
        :exc:`~rocketmq_lite.RocketMQError` when a server could not be reached; what was sent before counts. Leaving the
        iteration or cancelling it loses nothing: how far it came is kept on the brokers. A process that is killed has sent
        at most 32 messages that the next one sends once more.
        """

        async def begin() -> list[tuple[Shelf, int]]:
            return [(each, each.first if again else each.waiting_from) for each in await self._shelves(group)]

        return Resending(group, to, begin, remote=self._remote, routing=self._routing)

    async def purge_dead_letters(self, group: str) -> int:
        """Remove all dead letters of a group for good, with the topic that keeps them; the next one creates it anew.

        Returns:
            How many there were.

        Raises:
            BrokerError: A server refused.
            RocketMQError: A server could not be reached.
        """
        count = await self.dead_letter_count(group)
        masters = await self._all_masters()
        await self._remove_topic(dead_letter_topic(group), masters.values(), None)
        return count.kept

    async def _shelves(self, group: str) -> list[Shelf]:
        """The queues that keep a group's dead letters."""
        try:
            places = await self._queues_of(dead_letter_topic(group))
        except TopicNotFound:
            return []

        async def look(queue: MessageQueue) -> Shelf:
            first, end = await bounds_of(self._remote, places[queue], queue)
            position = await self._remote.query_offset(places[queue], RESENDING, queue)
            # One that is behind the end is of a topic that was removed since.
            waiting_from = position if position is not None and first <= position <= end else first
            return Shelf(queue, places[queue], first, end, waiting_from)

        return list((await ask_each(places, look)).all().values())


class _Kept:
    """The iteration over dead letters; no generator, whose clean-up would be left to chance."""

    def __init__(self, remote: QueueRemote, shelves: Callable[[], Awaitable[Sequence[Shelf]]]) -> None:
        self._remote = remote
        self._shelves = shelves
        self._reader: ShelfReader | None = None
        self._read: deque[KeptDeadLetter] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> KeptDeadLetter:
        if self._reader is None:
            shelves = await self._shelves()
            self._reader = ShelfReader(self._remote, [(each, each.first) for each in shelves])
        if not self._read:
            batch = await self._reader.next_batch()
            if batch is None:
                raise StopAsyncIteration
            shelf, messages = batch
            self._read.extend(_kept(shelf, raw) for raw in messages)
        return self._read.popleft()


def _kept(shelf: Shelf, raw: RawMessage) -> KeptDeadLetter:
    return KeptDeadLetter(
        StoredMessage(raw, shelf.queue),
        origin_topic=origin_of(raw.properties),
        origin_message_id=raw.properties.get(ORIGIN_MESSAGE_ID),
        attempts=raw.reconsume_times,
        resent=raw.queue_offset < shelf.waiting_from,
    )
