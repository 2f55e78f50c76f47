"""Keeps how far a group has come: every 5 seconds, and when a queue is given up.

Pulls carry the position too. What may be committed is decided in ``engine.process_queue``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.errors import RocketMQError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rocketmq_lite.client.positions import Positions
    from rocketmq_lite.client.reader import QueueReader
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
        positions: Where they are kept.
    """

    def __init__(self, group: str, readers: Mapping[MessageQueue, QueueReader], positions: Positions) -> None:
        self._group = group
        self._readers = readers
        self._positions = positions

    async def run(self) -> None:
        """Commit what has changed, every 5 seconds, until cancelled."""
        while True:
            await trio.sleep(_COMMIT_INTERVAL)
            await self._commit(filter(_is_due, tuple(self._readers.values())), wait=False)

    async def commit(self, readers: Iterable[QueueReader]) -> None:
        """Commit the positions of these readers and wait until they are kept; failures are logged."""
        await self._commit(readers, wait=True)

    async def commit_ahead(self, reader: QueueReader) -> None:
        """Commit a position unless that would set the group back: the queue may have an owner that is further already."""
        offset = reader.position()
        if offset is None or not _is_due(reader):
            return
        try:
            kept = await self._positions.read(reader.queue)
        except RocketMQError as error:
            self._complain(reader.queue, offset, error)
            return
        if kept is None or kept < offset:
            await self._commit([reader], wait=True)
        else:
            reader.committed = offset

    async def _commit(self, readers: Iterable[QueueReader], *, wait: bool) -> None:
        wanted = [(reader, offset) for reader in readers if (offset := reader.position()) is not None]
        if not wanted:
            return
        failures = await self._positions.write({reader.queue: offset for reader, offset in wanted}, wait=wait)
        for reader, offset in wanted:
            if (error := failures.get(reader.queue)) is None:
                reader.committed = offset
            else:
                self._complain(reader.queue, offset, error)

    def _complain(self, queue: MessageQueue, offset: int, error: RocketMQError) -> None:
        _log.warning("group %s: offset %d of %s was not committed: %s", self._group, offset, queue, error)


def _is_due(reader: QueueReader) -> bool:
    offset = reader.position()
    return offset is not None and offset != reader.committed
