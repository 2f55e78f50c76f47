"""Tells the brokers how far a group has come: every 5 seconds, and when a queue is given up.

Pulls carry the position too. What may be committed is decided in ``engine.process_queue``.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.errors import RocketMQError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rocketmq_lite.client.reader import QueueReader
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue

__all__ = ["Committer"]

_log = logging.getLogger(__name__)

_COMMIT_INTERVAL: Final = 5.0
"""Seconds between two commits of offsets (Java's ``persistConsumerOffsetInterval``)."""


class Committer:
    """The positions of one group in the queues that we read.

    Args:
        group: Whose positions.
        readers: Who reads which queue now.
        remote: The calls.
        routing: Tells where the brokers are.
    """

    def __init__(
        self, group: str, readers: Mapping[MessageQueue, QueueReader], *, remote: Remote, routing: Routing
    ) -> None:
        self._group = group
        self._readers = readers
        self._remote = remote
        self._routing = routing

    async def run(self) -> None:
        """Commit what has changed, every 5 seconds, until cancelled."""
        while True:
            await trio.sleep(_COMMIT_INTERVAL)
            for reader in tuple(self._readers.values()):
                offset = reader.process_queue.committable
                if offset is not None and offset != reader.committed:
                    await self._commit_one(reader, wait=False)

    async def commit(self, readers: Iterable[QueueReader]) -> None:
        """Commit the positions of these readers and wait for the brokers' answers; failures are logged."""
        async with trio.open_nursery() as nursery:
            for reader in readers:
                nursery.start_soon(partial(self._commit_one, reader, wait=True))

    async def _commit_one(self, reader: QueueReader, *, wait: bool) -> None:
        offset = reader.process_queue.committable
        address = self._routing.table.master(reader.queue.broker_name)
        if offset is None or address is None:
            return
        try:
            await self._remote.update_offset(address, self._group, reader.queue, offset, wait=wait)
            reader.committed = offset
        except RocketMQError as error:
            _log.warning(
                "group %s: offset %d of %s was not committed: %s", self._group, offset, reader.queue, error
            )
