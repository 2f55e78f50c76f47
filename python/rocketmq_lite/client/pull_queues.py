"""The queues of a puller: who fetches them, where each begins, and telling brokers how far they are."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.client.engine.balance import plan_change
from rocketmq_lite.client.engine.subscription import EVERYTHING
from rocketmq_lite.client.fetcher import Fetcher
from rocketmq_lite.client.hand_over import standing_position
from rocketmq_lite.client.places import offset_at
from rocketmq_lite.client.positions import BrokerPositions
from rocketmq_lite.errors import ConnectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rocketmq_lite.client.puller_settings import PullerSettings
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.transport.nursery import ProtectedNursery

__all__ = ["PullQueues"]

_log = logging.getLogger(__name__)

_COMMIT_INTERVAL: Final = 5.0
"""Seconds between two commits of what is done (Java's ``autoCommitIntervalMillis``)."""


class PullQueues:
    """The fetchers of one puller.

    Args:
        settings: What to read.
        nursery: Where fetchers run.
        arrived: Called when there is something to hand out.
    """

    def __init__(
        self,
        settings: PullerSettings,
        nursery: ProtectedNursery,
        arrived: Callable[[], None],
        *,
        remote: Remote,
        routing: Routing,
    ) -> None:
        self.fetchers: dict[MessageQueue, Fetcher] = {}
        self._settings = settings
        self._nursery = nursery
        self._arrived = arrived
        self._remote = remote
        self._routing = routing
        self._positions = BrokerPositions(settings.group, remote=remote, routing=routing)

    def change(
        self, current: Iterable[MessageQueue], wanted: Iterable[MessageQueue], *, shared: bool = False
    ) -> list[Fetcher]:
        """Fetch what is wanted instead of what is current.

        Args:
            current: The queues that may go.
            wanted: Those to read.
            shared: Whether another member may still be committing a queue that comes.

        Returns:
            The fetchers of the queues that go; what is done of them is still to be committed.
        """
        plan = plan_change(list(current), list(wanted))
        gone = [self.fetchers.pop(queue) for queue in plan.lost]
        for fetcher in gone:
            fetcher.stop()
        for queue in plan.gained:
            fetcher = self.fetchers[queue] = self._fetcher(queue, shared=shared)
            self._nursery.start_soon(fetcher.run)
        return gone

    async def settled(self) -> None:
        """Wait until each fetcher knows where it starts, or has failed to find out once."""
        for fetcher in list(self.fetchers.values()):
            await fetcher.settled.wait()

    def stop(self) -> list[Fetcher]:
        """Fetch nothing any more; the fetchers that there were."""
        stopped = list(self.fetchers.values())
        for fetcher in stopped:
            fetcher.stop()
        return stopped

    def master(self, queue: MessageQueue) -> str:
        """The address of the broker that keeps a queue and the positions in it.

        Raises:
            ConnectError: It is not known.
        """
        address = self._routing.table.master(queue.broker_name)
        if address is None:
            raise ConnectError(f"no master of broker {queue.broker_name} is known")
        return address

    async def run_committer(self) -> None:
        """Commit what is done, every 5 seconds, until cancelled."""
        while True:
            await trio.sleep(_COMMIT_INTERVAL)
            await self.commit_done(list(self.fetchers.values()))

    async def commit_done(self, fetchers: Iterable[Fetcher]) -> None:
        """Commit what is done of these and was not committed; failures are logged."""
        owed = {
            fetcher: done
            for fetcher in fetchers
            if (done := fetcher.pulled.done) is not None and done != fetcher.committed
        }
        failures = await self._positions.write(
            {fetcher.queue: done for fetcher, done in owed.items()}, wait=True
        )
        for fetcher, done in owed.items():
            if (failure := failures.get(fetcher.queue)) is None:
                fetcher.committed = done
            else:
                _log.warning(
                    "group %s: offset %d of %s was not committed: %s",
                    self._settings.group,
                    done,
                    fetcher.queue,
                    failure,
                )

    async def commit(self, offsets: Mapping[MessageQueue, int]) -> None:
        """Store the group's positions.

        Raises:
            RocketMQError: A broker did not; what others were told is stored.
        """
        failures = await self._positions.write(offsets, wait=True)
        for queue in offsets.keys() & self.fetchers.keys() - failures.keys():
            self.fetchers[queue].committed = offsets[queue]
        for failure in failures.values():
            raise failure

    def _fetcher(self, queue: MessageQueue, *, shared: bool) -> Fetcher:
        return Fetcher(
            queue,
            group=self._settings.group,
            wanted=self._settings.topics.get(queue.topic, EVERYTHING),
            limits=self._settings.limits,
            arrived=self._arrived,
            find_start=partial(self._find_start, shared=shared),
            remote=self._remote,
            routing=self._routing,
        )

    async def _find_start(self, address: str, queue: MessageQueue, *, shared: bool) -> int:
        position = await self._positions.read(queue)
        if position is None:
            return await offset_at(self._remote, address, queue, self._settings.start)
        if shared:
            return await standing_position(self._positions, queue, position, grace=self._settings.grace)
        return position
