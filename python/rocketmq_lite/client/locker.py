"""Keeps the locks of an ordered consumer's queues at their brokers; what they mean is in ``engine.queue_locks``.

Each broker is asked for all its queues that are due in one request. Locking and unlocking at one broker take turns, so that
an answer is never older than what followed it.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.client.engine.queue_locks import LockState, LockTimings, QueueLocks
from rocketmq_lite.errors import RocketMQError
from rocketmq_lite.transport.nursery import ProtectedNursery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue

__all__ = ["Locker"]

_log = logging.getLogger(__name__)

_ANSWER_WITHIN: Final = 1.0
"""Seconds that a broker gets to answer (Java's time-out for both requests)."""


class _Tenant:
    """Who works on a queue as long as it is locked."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        self.on_end = on_end
        self.changed = trio.Event()
        self.answered = False

    def change(self) -> None:
        """Wake who waits for something to change."""
        self.changed.set()
        self.changed = trio.Event()


class Locker:
    """The locks of one member of a group.

    Args:
        group: The group.
        client_id: Who we are in it.
        timings: When locks are renewed and end.
        remote: The calls.
        routing: Tells where the brokers are.
    """

    def __init__(
        self, group: str, client_id: str, timings: LockTimings, *, remote: Remote, routing: Routing
    ) -> None:
        self._group = group
        self._client_id = client_id
        self._remote = remote
        self._routing = routing
        self._locks = QueueLocks(timings)
        self._tenants: dict[MessageQueue, _Tenant] = {}
        self._turns: dict[str, trio.Lock] = {}
        self._ends_at = math.inf
        self._wake = trio.Event()

    # --- what a tenant says -------------------------------------------------------------------------------

    def want(self, queue: MessageQueue, on_end: Callable[[], None]) -> None:
        """Ask for a queue from now on.

        Args:
            queue: Which one.
            on_end: Called, without waiting, when its lock has ended though it was not given up. Nothing of the
                queue may be handed out or committed after that.
        """
        self._locks.want(queue, trio.current_time())
        self._tenants[queue] = _Tenant(on_end)
        self._wake.set()

    async def answered(self, queue: MessageQueue) -> bool:
        """Wait for a broker's word on a queue, or for the queue to be given up; returns whether it is locked."""
        while (tenant := self._tenants.get(queue)) is not None and not tenant.answered:
            await tenant.changed.wait()
        return self._locks.state(queue) is LockState.HELD

    async def locked(self, queue: MessageQueue) -> bool:
        """Wait until a queue is locked; false when it has been given up."""
        while (tenant := self._tenants.get(queue)) is not None:
            if self._locks.state(queue) is LockState.HELD:
                return True
            await tenant.changed.wait()
        return False

    def give_up(self, queue: MessageQueue) -> None:
        """Let a queue go. Its lock is kept until :meth:`drained` if messages of it may be in work."""
        if self._locks.state(queue) is not LockState.RELEASED:
            self._locks.give_up(queue)
            self._forget_if_released(queue)

    def drained(self, queue: MessageQueue) -> None:
        """Nothing of a queue is in work, or waited for, any longer."""
        if self._locks.state(queue) is not LockState.RELEASED:
            self._locks.drained(queue, trio.current_time())
            self._forget_if_released(queue)
            self._wake.set()

    def _forget_if_released(self, queue: MessageQueue) -> None:
        if self._locks.state(queue) is LockState.RELEASED:
            self._tenants.pop(queue).change()

    # --- what ends locks ----------------------------------------------------------------------------------

    def lapse(self) -> None:
        """End the locks whose time is over. To be called before anything is done that takes a lock."""
        now = trio.current_time()
        if now >= self._ends_at:
            self._end(self._locks.expire(now), "was not renewed in time")
            self._ends_at = self._locks.next_end()

    def disconnected(self, address: str) -> None:
        """A connection broke: its broker may restart, and has then forgotten our locks."""
        now = trio.current_time()
        for broker in {queue.broker_name for queue in self._tenants}:
            if self._routing.table.master(broker) == address:
                self._end(self._locks.disconnected(broker, now), "went with the connection")
        self._wake.set()

    def _end(self, queues: Iterable[MessageQueue], why: str) -> None:
        for queue in queues:
            _log.warning("group %s: the lock of %s %s", self._group, queue, why)
            self._tenants[queue].on_end()
            self._forget_if_released(queue)

    # --- brokers ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Ask for what is wanted and renew what is held, until cancelled."""
        while True:
            self.lapse()
            async with ProtectedNursery() as nursery:
                for broker, queues in self._locks.plan(trio.current_time()).items():
                    nursery.start_soon(self._ask, broker, queues)
            with trio.move_on_at(self._locks.next_due()):
                await self._wake.wait()
            self._wake = trio.Event()

    async def _ask(self, broker: str, queues: tuple[MessageQueue, ...]) -> None:
        async with self._turn(broker):
            asked_at = trio.current_time()
            try:
                granted = await self._remote.lock(
                    self._routing.master(broker), self._group, self._client_id, queues, timeout=_ANSWER_WITHIN
                )
            except RocketMQError as error:
                _log.info("group %s: broker %s gave no locks: %s", self._group, broker, error)
                self._locks.record_silence(queues, trio.current_time())
            else:
                now = trio.current_time()
                ended = self._locks.record_answer(queues, granted, asked_at=asked_at, now=now)
                self._end(ended, "was given to another member")
                self._ends_at = self._locks.next_end()
        for queue in queues:
            if (tenant := self._tenants.get(queue)) is not None:
                tenant.answered = True
                tenant.change()

    async def unlock(self, queue: MessageQueue) -> None:
        """Give a lock back; a failure is logged, and the lock ends by itself then."""
        broker = queue.broker_name
        async with self._turn(broker):
            try:
                await self._remote.unlock(
                    self._routing.master(broker),
                    self._group,
                    self._client_id,
                    (queue,),
                    timeout=_ANSWER_WITHIN,
                )
            except RocketMQError as error:
                _log.info("group %s: broker %s was not told to unlock: %s", self._group, broker, error)

    def _turn(self, broker: str) -> trio.Lock:
        return self._turns.setdefault(broker, trio.Lock())
