"""Which client may consume a queue in order: the locks of orderly consumers.

Rules:
- A lock belongs to a client of a group and covers one queue. Whether the queue, the topic or the group exists is
  nobody's question here, as in Apache.
- It ends when its holder gives it back, or a minute after the holder last asked for it; asking renews it. Consumers
  ask every 20 seconds.
- Locks live in memory: after a restart of the broker, every queue is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rocketmq_lite.model import MessageQueue

LOCK_SECONDS: Final = 60.0  # Apache's rocketmq.broker.rebalance.lockMaxLiveTime


@dataclass(frozen=True, slots=True)
class _Lock:
    client_id: str
    renewed: float


class LockTable:
    """All locks, by group and queue."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, MessageQueue], _Lock] = {}

    def lock(
        self, group: str, client_id: str, queues: Iterable[MessageQueue], *, now: float
    ) -> tuple[MessageQueue, ...]:
        """Take or renew locks; the queues of those asked for that the client has now, in the order asked."""
        return tuple(queue for queue in queues if self._lock_one(group, client_id, queue, now))

    def unlock(self, group: str, client_id: str, queues: Iterable[MessageQueue]) -> None:
        """Give locks back; those of other clients stay."""
        for queue in queues:
            held = self._locks.get((group, queue))
            if held is not None and held.client_id == client_id:
                del self._locks[group, queue]

    def expire(self, now: float) -> None:
        """Forget the locks that have ended, so that groups long gone take no memory."""
        ended = [place for place, held in self._locks.items() if _has_ended(held, now)]
        for place in ended:
            del self._locks[place]

    def __len__(self) -> int:
        return len(self._locks)

    def _lock_one(self, group: str, client_id: str, queue: MessageQueue, now: float) -> bool:
        held = self._locks.get((group, queue))
        if held is not None and held.client_id != client_id and not _has_ended(held, now):
            return False
        self._locks[group, queue] = _Lock(client_id, now)
        return True


def _has_ended(lock: _Lock, now: float) -> bool:
    return now - lock.renewed > LOCK_SECONDS
