"""What administration says of groups: who is in them, and how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import BlockedQueue, SkippedOffsets, SubscriptionData

__all__ = ["GroupClient", "GroupClients", "GroupLag", "GroupSummary", "QueueLag"]


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """A consumer group among others.

    Attributes:
        group: Its name.
        brokers: The names of the brokers that know it.
        members: How many clients of it are connected.
        message_model: ``CLUSTERING`` or ``BROADCASTING``; ``None`` while nobody is connected.
    """

    group: str
    brokers: tuple[str, ...]
    members: int
    message_model: str | None


@dataclass(frozen=True, slots=True)
class GroupClient:
    """A member of a group.

    Attributes:
        client_id: Its id.
        address: Its ``host:port``, as a broker sees it.
        language: What it is written in, as it says.
        version: RocketMQ's number of its version.
        queues: The queues that it reads; ``None`` where it does not say.
        blocked: What it is held up by in queues that it consumes in order; ``None`` where it does not say, as clients of
            other languages.
    """

    client_id: str
    address: str
    language: str
    version: int
    queues: tuple[MessageQueue, ...] | None = None
    blocked: Mapping[MessageQueue, BlockedQueue] | None = None


@dataclass(frozen=True, slots=True)
class GroupClients:
    """Who is in a consumer group.

    Attributes:
        group: Its name.
        consume_type: ``CONSUME_PASSIVELY`` (push), ``CONSUME_ACTIVELY`` (pull) or ``CONSUME_POP``; ``None``, as the next
            two, while nobody is connected.
        message_model: ``CLUSTERING`` or ``BROADCASTING``.
        consume_from_where: Where its members say that they begin without a position.
        subscriptions: What it subscribes to, by topic.
        members: Its members, by client id.
    """

    group: str
    consume_type: str | None
    message_model: str | None
    consume_from_where: str | None
    subscriptions: Mapping[str, SubscriptionData]
    members: tuple[GroupClient, ...]


@dataclass(frozen=True, slots=True)
class QueueLag:
    """How far a group is in one queue.

    Attributes:
        queue: Which one.
        broker_offset: Where the next message will be stored.
        consumer_offset: The next message to be consumed; 0 too where the group has no position.
        last_stored_ms: When the last consumed message was stored, in milliseconds; 0 when none was, or it is gone.
        client_id: The member that reads the queue, where known.
        blocked: The message that the queue waits for, because it failed and the order has to be kept; ``None`` where
            there is none.
        blocked_known: Whether the member says so; those of other languages do not.
        skipped: What the group lost last in this queue, because it fell behind what the broker keeps; ``None`` where it lost
            nothing since the broker started, and always on Apache's brokers, which do not say.
    """

    queue: MessageQueue
    broker_offset: int
    consumer_offset: int
    last_stored_ms: int
    client_id: str | None
    blocked: BlockedQueue | None
    blocked_known: bool
    skipped: SkippedOffsets | None = None

    @property
    def lag(self) -> int:
        """How many messages wait to be consumed."""
        return max(self.broker_offset - self.consumer_offset, 0)


@dataclass(frozen=True, slots=True)
class GroupLag:
    """How far a group is.

    Attributes:
        group: Its name.
        members: How many clients of it are connected.
        queues: Its queues, sorted; only those of topics in which it has a position.
    """

    group: str
    members: int
    queues: tuple[QueueLag, ...]

    @property
    def total(self) -> int:
        """How many messages wait to be consumed in all."""
        return sum(queue.lag for queue in self.queues)
