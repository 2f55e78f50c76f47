"""Where the positions of a consumer group are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rocketmq_lite.client.engine.routes import MASTER_ID
from rocketmq_lite.errors import ConnectError

if TYPE_CHECKING:
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue

__all__ = ["BrokerPositions", "Positions"]


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

    async def write(self, queue: MessageQueue, offset: int, *, wait: bool) -> None:
        """Keep a position; without ``wait`` it may get lost.

        Raises:
            RocketMQError: It is not kept.
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

    async def write(self, queue: MessageQueue, offset: int, *, wait: bool) -> None:
        """Tell the master, which tells its slaves."""
        address = self._routing.table.master(queue.broker_name)
        if address is None:
            raise ConnectError(f"no master of broker {queue.broker_name} is known")
        await self._remote.update_offset(address, self._group, queue, offset, wait=wait)
