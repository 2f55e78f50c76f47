"""Pulling: the application says which queues, from where, and when it wants messages.

Two ways to choose queues. With topics, a puller is a member of its group: the members share the queues, as consumers do.
Without, ``assign`` names them, and the puller is no member: others must not leave it a share that nobody reads. (Java's lite
pull consumer joins either way.)

Polling again says that the earlier messages are done with; that is what is committed by itself. Nothing is lost by a
cancellation: ``poll`` does not wait between taking messages and returning them.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, final

import trio

from rocketmq_lite.client.heartbeats import GOODBYE_TIMEOUT
from rocketmq_lite.client.message_view import StoredMessage
from rocketmq_lite.client.places import offset_at
from rocketmq_lite.client.pull_member import PullMember
from rocketmq_lite.client.pull_queues import PullQueues
from rocketmq_lite.errors import ClientClosed, ConfigError
from rocketmq_lite.records import dataclass
from rocketmq_lite.transport.nursery import background_nursery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from rocketmq_lite.client.fetcher import Fetcher, PulledStatistics
    from rocketmq_lite.client.heartbeats import Heartbeats
    from rocketmq_lite.client.places import Place
    from rocketmq_lite.client.puller_settings import PullerSettings
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.transport.nursery import ProtectedNursery

__all__ = ["Puller", "PullerStatistics", "open_puller"]

_POLL_LIMIT: Final = 32
_POLL_SECONDS: Final = 5.0
"""As Java's ``pollTimeoutMillis``."""


@dataclass(frozen=True, slots=True)
class PullerStatistics:
    """A snapshot of a puller.

    Attributes:
        queues: Its queues, sorted.
        polled: Messages handed out.
    """

    queues: tuple[PulledStatistics, ...]
    polled: int


@asynccontextmanager
async def open_puller(
    settings: PullerSettings, *, client_id: str, remote: Remote, routing: Routing, heartbeats: Heartbeats
) -> AsyncIterator[Puller]:
    """A puller for as long as the block lasts; see ``Client.puller``."""
    for topic in settings.topics:
        await routing.ensure(topic)
    async with background_nursery() as nursery:
        puller = Puller(settings, nursery, remote=remote, routing=routing)
        queues = puller._queues  # noqa: SLF001 - who makes the two starts and ends them
        member = PullMember(
            settings,
            nursery,
            queues,
            client_id=client_id,
            remote=remote,
            routing=routing,
            heartbeats=heartbeats,
        )
        if settings.topics:
            member.register()
        try:
            if settings.topics:
                await member.start()
            if settings.auto_commit:
                nursery.start_soon(queues.run_committer)
            yield puller
            puller._settle()  # noqa: SLF001 - a block that ends in order has done what it polled
        finally:
            puller._end()  # noqa: SLF001
            stopped = queues.stop()
            if settings.auto_commit:
                with trio.move_on_after(GOODBYE_TIMEOUT, shield=True):
                    await queues.commit_done(stopped)
            if settings.topics:
                await member.leave()


@final
class Puller:
    """Queues that are read when the application asks for messages; made by :meth:`Client.puller`."""

    def __init__(
        self, settings: PullerSettings, nursery: ProtectedNursery, *, remote: Remote, routing: Routing
    ) -> None:
        self._settings = settings
        self._remote = remote
        self._routing = routing
        self._queues = PullQueues(settings, nursery, self._wake, remote=remote, routing=routing)
        self._polling = trio.lowlevel.ParkingLot()
        self._closed = False
        self._polled = 0

    @property
    def group(self) -> str:
        """The consumer group whose positions count."""
        return self._settings.group

    @property
    def queues(self) -> tuple[MessageQueue, ...]:
        """The queues that it reads now: those assigned, or its share of the topics."""
        return tuple(sorted(self._queues.fetchers))

    def statistics(self) -> PullerStatistics:
        """A snapshot."""
        return PullerStatistics(
            tuple(self._queues.fetchers[queue].statistics() for queue in self.queues), self._polled
        )

    async def queues_of(self, topic: str) -> tuple[MessageQueue, ...]:
        """The queues of a topic that can be read, sorted.

        Raises:
            TopicNotFound: There is no such topic.
            NoNameServer: None answers.
        """
        return tuple(sorted((await self._routing.ensure(topic)).readable))

    async def assign(self, queues: Iterable[MessageQueue]) -> None:
        """Read these queues from now on, and no others; those that it read already go on undisturbed.

        Returns when the start of each new one is known: the group's position, else ``start``.

        Raises:
            ConfigError: The puller was opened with topics, whose queues the members of the group share.
            TopicNotFound: A topic does not exist.
            ClientClosed: The puller's block has ended.

        Cancelled, the queues are assigned all the same; only where they start may not be known yet.
        """
        self._check_open()
        if self._settings.topics:
            raise ConfigError(
                "this puller shares the queues of its topics with its group",
                hint="leave the topics out of client.puller() to choose queues yourself",
            )
        wanted = list(queues)
        for topic in sorted({queue.topic for queue in wanted}):
            await self._routing.ensure(topic)
        gone = self._queues.change(self._queues.fetchers, wanted)
        if self._settings.auto_commit:
            await self._queues.commit_done(gone)
        await self._queues.settled()

    async def poll(self, limit: int = _POLL_LIMIT, *, timeout: float = _POLL_SECONDS) -> list[StoredMessage]:
        """The next messages, as soon as there is one; an empty list when none came in time.

        Unless ``auto_commit=False`` was given, this says that the messages of earlier polls are done with.

        Args:
            limit: At most so many.
            timeout: Seconds to wait for the first; 0 does not wait.

        Raises:
            ConfigError: ``limit`` is not above 0.
            ClientClosed: The puller's block has ended.

        Cancelled, no message is lost. Messages of one queue come in its order.
        """
        if limit < 1:
            raise ConfigError(f"limit is {limit}, it must be at least 1")
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._settings.auto_commit:
            self._settle()
        taken = self._take(limit)
        with trio.move_on_after(timeout):
            while not taken:
                await self._polling.park()
                taken = self._take(limit)
        return taken

    async def seek(self, queue: MessageQueue, to: Place) -> None:
        """Go on somewhere else in a queue; what was fetched of it and not polled is thrown away.

        Args:
            queue: One of :attr:`queues`.
            to: ``"earliest"``, ``"latest"``, an offset, or a time: the first message stored then or later.

        Raises:
            ConfigError: It does not read the queue, or the queue has no such offset.
            RocketMQError: The broker could not be asked; the queue goes on as before.
        """
        fetcher = self._fetcher(queue)
        offset = await offset_at(self._remote, self._queues.master(queue), queue, to)
        fetcher.move_to(offset)

    def pause(self, *queues: MessageQueue) -> None:
        """Neither fetch nor hand out messages of these queues until :meth:`resume`; what was fetched is kept.

        Raises:
            ConfigError: It does not read one of them; then nothing is paused.
        """
        for fetcher in [self._fetcher(queue) for queue in queues]:
            fetcher.pulled.paused = True

    def resume(self, *queues: MessageQueue) -> None:
        """Go on with queues that were paused.

        Raises:
            ConfigError: It does not read one of them; then nothing is resumed.
        """
        for fetcher in [self._fetcher(queue) for queue in queues]:
            fetcher.pulled.paused = False
            fetcher.room_changed()
        self._wake()

    def position(self, queue: MessageQueue) -> int | None:
        """The offset of the next message that :meth:`poll` gives; ``None`` while the start could not be found out.

        Raises:
            ConfigError: It does not read the queue.
        """
        return self._fetcher(queue).pulled.position

    async def committed(self, queue: MessageQueue) -> int | None:
        """The group's position in a queue as its broker has it; ``None`` where there is none.

        Raises:
            RocketMQError: The broker could not be asked.
        """
        await self._routing.ensure(queue.topic)
        return await self._remote.query_offset(self._queues.master(queue), self.group, queue)

    async def commit(self, offsets: Mapping[MessageQueue, int] | None = None) -> None:
        """Store the group's positions on the brokers, now.

        Args:
            offsets: For each queue the next message to consume; left out: behind all that was polled.

        Raises:
            RocketMQError: A broker did not take one; the others are stored.
        """
        if offsets is None:
            self._settle()
            done = {queue: fetcher.pulled.done for queue, fetcher in self._queues.fetchers.items()}
            offsets = {queue: offset for queue, offset in done.items() if offset is not None}
        for queue in offsets:
            await self._routing.ensure(queue.topic)
        await self._queues.commit(offsets)

    # --- parts

    def _take(self, limit: int) -> list[StoredMessage]:
        """What has been fetched; the queue that had to wait longest goes first."""
        self._check_open()
        taken: list[StoredMessage] = []
        for queue in list(self._queues.fetchers):
            fetcher = self._queues.fetchers[queue]
            found = fetcher.pulled.take(limit - len(taken))
            if found:
                taken.extend(StoredMessage(raw, queue) for raw in found)
                fetcher.room_changed()
                self._queues.fetchers[queue] = self._queues.fetchers.pop(queue)
            if len(taken) == limit:
                break
        self._polled += len(taken)
        return taken

    def _settle(self) -> None:
        for fetcher in self._queues.fetchers.values():
            fetcher.pulled.settle()

    def _fetcher(self, queue: MessageQueue) -> Fetcher:
        fetcher = self._queues.fetchers.get(queue)
        if fetcher is None:
            raise ConfigError(
                f"this puller does not read {queue.topic} {queue.broker_name}/{queue.queue_id}",
                hint="its queues are in .queues; assign() chooses them",
            )
        return fetcher

    def _wake(self) -> None:
        self._polling.unpark_all()

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed(f"the puller of group {self.group!r} has been closed")

    def _end(self) -> None:
        """Nothing is handed out any more; who waits is told."""
        self._closed = True
        self._wake()
