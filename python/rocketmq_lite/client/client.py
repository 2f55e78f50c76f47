"""The client: one set of connections, shared by all its producers and consumers; ``connect`` opens and closes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from rocketmq_lite.client.consumer import open_consumer
from rocketmq_lite.client.consumer_settings import (
    ConsumerSettings,
    check_attempts,
    check_grace,
    check_model,
    check_order,
    check_prefetch,
    check_start,
    check_topics,
)
from rocketmq_lite.client.engine.names import check_group
from rocketmq_lite.client.engine.strategies import AllocateAveragely
from rocketmq_lite.client.hand_over import GRACE
from rocketmq_lite.client.identity import Identity, host_member, own_address
from rocketmq_lite.client.local_positions import LocalPositions
from rocketmq_lite.client.positions import BrokerPositions, MemberPositions
from rocketmq_lite.client.producer import Producer
from rocketmq_lite.client.puller import open_puller
from rocketmq_lite.client.puller_settings import PullerSettings
from rocketmq_lite.errors import ClientClosed
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from os import PathLike

    from rocketmq_lite.client.admin import Admin
    from rocketmq_lite.client.consumer import Consumer
    from rocketmq_lite.client.consumer_settings import Model, Start
    from rocketmq_lite.client.engine.balance import AllocationStrategy
    from rocketmq_lite.client.engine.events import ConsumerEvent
    from rocketmq_lite.client.engine.queue_locks import LockTimings
    from rocketmq_lite.client.heartbeats import Heartbeats
    from rocketmq_lite.client.positions import Positions
    from rocketmq_lite.client.puller import Puller
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.model import Tags, Where
    from rocketmq_lite.transport.rpc import PoolStatistics

__all__ = ["Client", "ClientStatistics"]

_PREFETCH: Final = 1_000
"""Java's ``pullThresholdForQueue``."""
_PREFETCH_BYTES: Final = 100 * 1024 * 1024
"""Java's ``pullThresholdSizeForQueue``."""
_SPAN: Final = 2_000
"""Java's ``consumeConcurrentlyMaxSpan``."""
_STRATEGY: Final = AllocateAveragely()
"""As in Java."""


@dataclass(frozen=True, slots=True)
class ClientStatistics:
    """A snapshot of a client.

    Attributes:
        client_id: Its id at the brokers.
        name_server: The name server in use.
        topics: The topics whose routes are kept.
        producer_groups: The producer groups it is in.
        consumer_groups: The consumer groups it is in.
        known_at: The brokers that have it in their tables.
        connections: What its connections do.
    """

    client_id: str
    name_server: str
    topics: tuple[str, ...]
    producer_groups: tuple[str, ...]
    consumer_groups: tuple[str, ...]
    known_at: tuple[str, ...]
    connections: PoolStatistics


@final
class Client:
    """Producers, consumers and administration over one set of connections; made by :func:`connect`."""

    def __init__(
        self,
        *,
        identity: Identity,
        clock: Clock,
        remote: Remote,
        routing: Routing,
        heartbeats: Heartbeats,
        connections: Callable[[], PoolStatistics],
        admin: Admin,
    ) -> None:
        self._identity = identity
        self._clock = clock
        self._remote = remote
        self._routing = routing
        self._heartbeats = heartbeats
        self._connections = connections
        self._closed = False
        self._admin = admin
        self._producers: dict[str, Producer] = {}

    @property
    def client_id(self) -> str:
        """This client's id at the brokers."""
        return self._identity.client_id

    @property
    def admin(self) -> Admin:
        """Topics, groups, brokers and single messages."""
        return self._admin

    def producer(self, group: str) -> Producer:
        """The producer of a producer group; brokers hear of the group at once.

        Asked again for the same group, this is the same producer: queues go on taking turns, and a broker that just
        failed is still avoided.

        Args:
            group: Names the service that sends. Producers of one group are thought to be alike.

        Raises:
            ConfigError: The group cannot be the name of one.
            ClientClosed: The client's block has ended.
        """
        self._check_open()
        check_group(group)
        producer = self._producers.get(group)
        if producer is None:
            self._heartbeats.join_producer(group)
            producer = self._producers[group] = Producer(
                group, remote=self._remote, routing=self._routing, identity=self._identity, clock=self._clock
            )
        return producer

    def consumer(
        self,
        group: str,
        topics: str | Mapping[str, Tags | Where],
        *,
        tags: str = "*",
        where: str | None = None,
        start: Start = "latest",
        prefetch: int = _PREFETCH,
        prefetch_bytes: int = _PREFETCH_BYTES,
        strategy: AllocationStrategy = _STRATEGY,
        max_attempts: int | None = None,
        ordered: bool | LockTimings = False,
        park_after: int | None = None,
        auto_ack: bool = False,
        grace: float = GRACE,
        on_event: Callable[[ConsumerEvent], None] | None = None,
        model: Model = "clustering",
        member: str | None = None,
        offsets_directory: str | PathLike[str] | None = None,
    ) -> AbstractAsyncContextManager[Consumer]:
        """A member of a consumer group, for the block of ``async with``.

        The members of a group, of whatever language, share the queues of its topics and of its
        ``%RETRY%`` topic; each message goes to one of them, and is
        delivered at least once. Messages are acknowledged one by one, by leaving ``async with message``;
        the group's position in a queue is the lowest message that is not. It is committed every 5
        seconds, with each pull, and when the block ends, and the group continues there.

        A message whose block raised goes back to its broker, which delivers it to a member of the group
        again: after 10 seconds, 30 seconds, 1 minute, 2, 3 and so on up to 2 hours, or as ``rmq.RetryLater``
        asks. After ``max_attempts``, or with ``rmq.DeadLetter``, it is kept in ``%DLQ%<group>``. When the broker
        cannot be reached or refuses, this consumer delivers the message again itself after 1 second, then 2, 4
        and so on up to 30; it is never skipped.

        With ``ordered=True`` each queue is consumed in order: by one member of the group at a time, which holds a lock at
        the queue's broker, and one message at a time; several tasks work on different queues. A message whose block
        raised stays in front of its queue and is tried again there: after 1 second, 2, 4 and so on up to 30, or as
        ``rmq.RetryLater`` asks. All members have to consume in order. A member that dies keeps its locks for up to a
        minute. Where a lock ends (its broker was restarted or could not be reached) what was handed out comes again.

        Args:
            group: The group. One client can be in it once; use a second client for a second member.
            topics: A topic, or several with what is wanted of each: ``rmq.Tags`` or ``rmq.Where``.
            tags: Which messages of the one topic: ``"paid || refunded"``, or ``"*"`` for all.
            where: Instead of tags, a condition over properties that the broker evaluates:
                ``"price > 1 AND region IN ('eu', 'us')"`` (SQL92 as RocketMQ knows it, ``docs/filters.md``).
            start: Where to begin in a queue in which the group has no position: behind its ``"latest"``
                message, at the ``"earliest"``, or at the first message stored at or after a time.
            prefetch: At most so many messages of each queue are held unacknowledged. When none of them
                was entered, nothing more comes and an ``UnacknowledgedWarning`` says so.
            prefetch_bytes: At most so many bytes of each queue, as the broker stores them, are held so; the answer
                to a pull may go over it.
            strategy: How the members share out the queues, averagely by default (``rmq.AllocateAveragely``). All
                members of the group have to use the same.
            max_attempts: Deliveries after which a message that failed is a dead letter; by default as many as
                the group's settings allow (17). With ``ordered``: after which its queue stands, until another member
                or a new consumer takes it up; by default that never happens.
            ordered: Whether each queue is consumed in order; or how, with other times than Java's.
            park_after: With ``ordered``: failures after which a message goes to ``%DLQ%<group>`` and its queue goes on. By
                default only ``rmq.DeadLetter`` does that.
            auto_ack: ``async for`` acknowledges a message when it asks for the next, unless ``async with message``
                has. A loop that is left, by ``break`` or by an error, has not acknowledged its last message, which comes
                again when the group next starts from its committed offset. ``anext(messages)`` acknowledges nothing.
            grace: When a queue goes to another member: seconds that its messages in hands get to be finished and
                committed here, and that we wait for a member to finish from whom a queue comes.
            on_event: Called, without waiting, with each ``rmq.QueueGained``, ``rmq.QueueLost``,
                ``rmq.OffsetMoved`` and ``rmq.GroupProblem``. It must not block; what it raises is logged.
            model: ``"broadcasting"``: each member gets every message, from its own position. A message that fails
                is logged and left; ``rmq.RetryLater`` has this member get it again.
            member: In broadcasting, what this member's positions are kept under: the same at each start, and no
                other member's of the group; the name of the machine by default.
            offsets_directory: In broadcasting, keep positions in files of Apache's format below this directory, as
                Java does below ``~/.rocketmq_offsets``, and not on the brokers, as group ``<group>_BC_<member>``.
                ``member`` is then a Java client id, ``<ip>@DEFAULT`` by default.

        Raises:
            ConfigError: An argument is not valid, or the client is in the group already.
            TopicNotFound: A topic does not exist.
            BrokerError: A broker does not evaluate conditions, and ``where`` is given.
            RocketMQError: No broker could be asked who else is in the group.
            ClientClosed: The client's block has ended.

        Entering waits until the start of each queue is known: what is sent afterwards will be received.
        Leaving the block, also by cancellation, commits, leaves the group (brokers get two seconds for
        each) and leaves no task behind.

        Example:
            >>> async with client.consumer("billing", "orders", tags="paid", start="earliest") as messages:
            ...     async for message in messages:
            ...         async with message:
            ...             await book(message.body)
        """
        self._check_open()
        broadcasting = check_model(model, member=member, offsets_directory=offsets_directory)
        settings = ConsumerSettings(
            group=check_group(group),
            topics=check_topics(topics, tags, where),
            start=check_start(start),
            limits=check_prefetch(prefetch, prefetch_bytes, span=_SPAN),
            strategy=strategy,
            broadcasting=broadcasting,
            grace=check_grace(grace),
            on_event=on_event,
            sub_version=self._clock.wall_ms(),
            max_attempts=check_attempts(max_attempts),
            order=check_order(
                ordered=ordered,
                broadcasting=broadcasting,
                max_attempts=max_attempts,
                park_after=park_after,
            ),
            auto_ack=auto_ack,
        )
        return open_consumer(
            settings,
            self._positions(settings, member, offsets_directory),
            client_id=self.client_id,
            remote=self._remote,
            routing=self._routing,
            heartbeats=self._heartbeats,
            find_problems=self._admin.member_problems,
            clock=self._clock,
        )

    def puller(
        self,
        group: str,
        topics: str | Mapping[str, Tags | Where] | None = None,
        *,
        tags: str = "*",
        where: str | None = None,
        start: Start = "latest",
        auto_commit: bool = True,
        prefetch: int = _PREFETCH,
        prefetch_bytes: int = _PREFETCH_BYTES,
        strategy: AllocationStrategy = _STRATEGY,
    ) -> AbstractAsyncContextManager[Puller]:
        """Queues of a group that are read when you ask for messages, for the block of ``async with``.

        Args:
            group: Whose positions count.
            topics: As for :meth:`consumer`; the members of the group share their queues. Left out, :meth:`Puller.assign`
                chooses queues, the puller is no member of the group, and nobody keeps others from reading the same queues.
            tags: As for :meth:`consumer`.
            where: As for :meth:`consumer`.
            start: As for :meth:`consumer`.
            auto_commit: Commit what is done with, every 5 seconds and at the end: what was polled before the last poll, and
                everything once the block has ended in order. Without it, only :meth:`Puller.commit` commits.
            prefetch: At most so many messages of each queue are fetched ahead of :meth:`Puller.poll`.
            prefetch_bytes: At most so many bytes, likewise; the answer to a fetch may go over it.
            strategy: As for :meth:`consumer`.

        A message that cannot be worked on does not come again by itself, as nothing is given back: seek, or send it on.

        Raises:
            ConfigError: An argument is not valid, or the client is in the group already.
            TopicNotFound: A topic does not exist.
            BrokerError: A broker does not evaluate conditions, and ``where`` is given.
            RocketMQError: No broker could be asked who else is in the group.
            ClientClosed: The client's block has ended.

        Leaving the block, also by cancellation, commits what is done with, leaves the group (brokers get two seconds for
        each) and leaves no task behind.

        Example:
            >>> async with client.puller("audit", "orders", start="earliest") as puller:
            ...     while messages := await puller.poll(timeout=10):
            ...         await archive(messages)
        """
        self._check_open()
        settings = PullerSettings(
            group=check_group(group),
            topics={} if topics is None else check_topics(topics, tags, where),
            start=check_start(start),
            limits=check_prefetch(prefetch, prefetch_bytes, span=_SPAN),
            strategy=strategy,
            grace=GRACE,
            on_event=None,
            sub_version=self._clock.wall_ms(),
            auto_commit=auto_commit,
        )
        return open_puller(
            settings,
            client_id=self.client_id,
            remote=self._remote,
            routing=self._routing,
            heartbeats=self._heartbeats,
        )

    def _positions(
        self, settings: ConsumerSettings, member: str | None, directory: str | PathLike[str] | None
    ) -> Positions:
        if directory is not None:
            own = member or f"{own_address()}@DEFAULT"
            return LocalPositions(Path(directory) / own / settings.group)
        if settings.broadcasting:
            own = check_group(f"{settings.group}_BC_{member or host_member()}")
            return MemberPositions(own, remote=self._remote, routing=self._routing)
        return BrokerPositions(settings.group, remote=self._remote, routing=self._routing)

    def statistics(self) -> ClientStatistics:
        """A snapshot."""
        return ClientStatistics(
            client_id=self.client_id,
            name_server=self._routing.name_server,
            topics=self._routing.table.topics,
            producer_groups=self._heartbeats.producer_groups,
            consumer_groups=self._heartbeats.consumer_groups,
            known_at=self._heartbeats.known_at,
            connections=self._connections(),
        )

    def close(self) -> None:
        """Open nothing more; for :func:`connect`, whose block ends everything else."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed("the client has been closed")
