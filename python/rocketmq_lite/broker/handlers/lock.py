"""Queues that one member of a group consumes in order: taken, renewed and given back.

The message engine is told of a group's first and last lock. A group that holds locks sends to its ``%RETRY%`` topic only
what it has given up, so that goes to its dead letters at once (Apache's ``SendMessageProcessor.handleRetryAndDLQ``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.protocol.bodies import LockBatch, LockedQueues
from rocketmq_lite.protocol.codes import RequestCode

if TYPE_CHECKING:
    from rocketmq_lite.broker.engine.locks import LockTable
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler


class LockHandlers:
    """Requests of orderly consumers."""

    def __init__(self, locks: LockTable, clock: Clock, owner: EngineOwner) -> None:
        self._locks = locks
        self._owner = owner
        self._clock = clock

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {RequestCode.LOCK_BATCH_MQ: self.lock, RequestCode.UNLOCK_BATCH_MQ: self.unlock}

    async def lock(self, _caller: Caller, request: Command) -> Command:
        """Take or renew locks; the answer names those that were given."""
        wanted = LockBatch.decode(request.body)
        was_orderly = self._locks.is_held_by(wanted.consumer_group)
        given = self._locks.lock(
            wanted.consumer_group, wanted.client_id, wanted.mq_set, now=self._clock.mono()
        )
        self._tell_engine(wanted.consumer_group, was_orderly=was_orderly)
        return request.answer(body=LockedQueues(given).encode())

    async def unlock(self, _caller: Caller, request: Command) -> Command:
        """Give locks back."""
        wanted = LockBatch.decode(request.body)
        was_orderly = self._locks.is_held_by(wanted.consumer_group)
        self._locks.unlock(wanted.consumer_group, wanted.client_id, wanted.mq_set)
        self._tell_engine(wanted.consumer_group, was_orderly=was_orderly)
        return request.answer()

    def _tell_engine(self, group: str, *, was_orderly: bool) -> None:
        is_orderly = self._locks.is_held_by(group)
        if is_orderly != was_orderly:
            self._owner.set_orderly(group, orderly=is_orderly)
