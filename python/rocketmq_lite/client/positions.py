"""Where the positions of a consumer group are kept: on the brokers, for the group or for one member alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rocketmq_lite.client.engine.routes import MASTER_ID
from rocketmq_lite.errors import ConnectError, GroupNotFound, RocketMQError
from rocketmq_lite.transport.nursery import ProtectedNursery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue

__all__ = ["BrokerPositions", "MemberPositions", "Positions"]


class Positions(Protocol):
    """The next offset to be consumed of each queue."""

    @property
    def carried_by_pulls(self) -> bool:
        """Whether pulls may tell the position on the way."""

    async def read(self, queue: MessageQueue) -> int | None:
        """The position in a queue, or ``None`` when there is none yet.

        Raises:
            RocketMQError: It could not be found out.
        """

    async def write(
        self, offsets: Mapping[MessageQueue, int], *, wait: bool
    ) -> Mapping[MessageQueue, RocketMQError]:
        """Keep positions; without ``wait`` some may get lost.

        Returns:
            Why those that are not kept are not.
        """


class BrokerPositions:
    """The positions that each broker keeps of its own queues.

    Args:
        group: Whose.
        remote: The calls.
        routing: Tells where the brokers are.
    """

    carried_by_pulls = True

    def __init__(self, group: str, *, remote: Remote, routing: Routing) -> None:
        self._group = group
        self._remote = remote
        self._routing = routing

    async def read(self, queue: MessageQueue) -> int | None:
        """Ask the master, or a slave while there is none."""
        address = self._routing.table.reader(queue.broker_name, MASTER_ID)
        if address is None:
            raise ConnectError(f"no address of broker {queue.broker_name} is known")
        return await self._remote.query_offset(address, self._group, queue)

    async def write(
        self, offsets: Mapping[MessageQueue, int], *, wait: bool
    ) -> Mapping[MessageQueue, RocketMQError]:
        """Tell the masters, which tell their slaves."""
        failures: dict[MessageQueue, RocketMQError] = {}

        async def write_one(queue: MessageQueue, offset: int) -> None:
            try:
                await self._write_one(queue, offset, wait=wait)
            except RocketMQError as error:
                failures[queue] = error

        async with ProtectedNursery() as nursery:
            for queue, offset in offsets.items():
                nursery.start_soon(write_one, queue, offset)
        return failures

    async def _write_one(self, queue: MessageQueue, offset: int, *, wait: bool) -> None:
        address = self._routing.master(queue.broker_name)
        await self._remote.update_offset(address, self._group, queue, offset, wait=wait)


class MemberPositions(BrokerPositions):
    """The positions of one member of a broadcasting group, kept under the name of a group that is its own.

    No member ever joins that group: it only has positions. Pulls are made in the name of the real one.
    """

    carried_by_pulls = False

    async def _write_one(self, queue: MessageQueue, offset: int, *, wait: bool) -> None:
        try:
            await super()._write_one(queue, offset, wait=wait)
        except GroupNotFound:
            # Brokers keep positions of groups that they know, and get to know them by this question.
            await self._remote.ensure_group(self._routing.master(queue.broker_name), self._group)
            await super()._write_one(queue, offset, wait=wait)
