"""Which client may consume a queue in order: the locks of orderly consumers.

Rules:
- A lock belongs to a client of a group and covers one queue. Whether the queue, the topic or the group exists is
  nobody's question here, as in Apache.
- It ends when its holder gives it back, or a minute after the holder last asked for it; asking renews it. Consumers
  ask every 20 seconds. A connection that closes ends nothing: its client may be at work all the same.
- Locks live in memory: after a restart of the broker, every queue is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rocketmq_lite.model import MessageQueue


@dataclass(frozen=True, slots=True)
class _Lock:
    client_id: str
    renewed: float


class LockTable:
    """All locks, by group and queue.

    Args:
        lock_seconds: How long a lock lives that is not renewed.
    """

    def __init__(self, lock_seconds: float) -> None:
        self._lock_seconds = lock_seconds
        self._groups: dict[str, dict[MessageQueue, _Lock]] = {}

    def lock(
        self, group: str, client_id: str, queues: Iterable[MessageQueue], *, now: float
    ) -> tuple[MessageQueue, ...]:
        """Take or renew locks; the queues of those asked for that the client has now, in the order asked."""
        locks = self._groups.setdefault(group, {})
        given = []
        for queue in queues:
            held = locks.get(queue)
            if held is None or held.client_id == client_id or self._has_ended(held, now):
                locks[queue] = _Lock(client_id, now)
                given.append(queue)
        self._forget_unlocked((group,))
        return tuple(given)

    def unlock(self, group: str, client_id: str, queues: Iterable[MessageQueue]) -> None:
        """Give locks back; those of other clients stay."""
        locks = self._groups.get(group, {})
        for queue in queues:
            held = locks.get(queue)
            if held is not None and held.client_id == client_id:
                del locks[queue]
        self._forget_unlocked((group,))

    def expire(self, now: float) -> tuple[str, ...]:
        """Forget the locks that have ended; the groups that hold none any more."""
        for locks in self._groups.values():
            for queue in [queue for queue, held in locks.items() if self._has_ended(held, now)]:
                del locks[queue]
        return self._forget_unlocked(tuple(self._groups))

    def is_held_by(self, group: str) -> bool:
        """Whether a group holds any lock, and so consumes in order; one that has ended counts until :meth:`expire`."""
        return group in self._groups

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def _forget_unlocked(self, groups: Iterable[str]) -> tuple[str, ...]:
        unlocked = tuple(group for group in groups if not self._groups.get(group, True))
        for group in unlocked:
            del self._groups[group]
        return unlocked

    def _has_ended(self, lock: _Lock, now: float) -> bool:
        return now - lock.renewed > self._lock_seconds
