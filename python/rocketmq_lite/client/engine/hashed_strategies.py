"""Ways to share out queues by hashing: few of them move when a member comes or goes."""

from __future__ import annotations

from bisect import bisect_left
from hashlib import md5
from typing import TYPE_CHECKING, final

from rocketmq_lite.errors import ConfigError
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rocketmq_lite.model import MessageQueue

__all__ = ["AllocateByConsistentHash", "AllocateByRendezvous"]


@final
@dataclass(frozen=True, slots=True)
class AllocateByConsistentHash:
    """Each queue to the next member on a ring of hashes. Java's ``AllocateMessageQueueConsistentHash``, hash and ring.

    About one part in ``n`` of the queues moves when a member comes or goes; the shares are uneven.

    Args:
        virtual_nodes: How often each member is on the ring (Java's default is 10); all members have to agree.

    Raises:
        ConfigError: A member would not be on the ring.
    """

    virtual_nodes: int = 10

    def __post_init__(self) -> None:
        if self.virtual_nodes < 1:
            raise ConfigError(f"virtual_nodes is {self.virtual_nodes}, it must be at least 1")

    @property
    def name(self) -> str:
        """``CONSISTENT_HASH``."""
        return "CONSISTENT_HASH"

    def allocate(
        self, queues: Sequence[MessageQueue], members: Sequence[str], own: str
    ) -> Collection[MessageQueue]:
        """The queues of one member."""
        ring = {
            _hash(f"{member}-{number}", size=4): member
            for member in members
            for number in range(self.virtual_nodes)
        }
        places = sorted(ring)
        return [queue for queue in queues if ring[_next_place(places, queue)] == own]


@final
@dataclass(frozen=True, slots=True)
class AllocateByRendezvous:
    """Each queue to the member whose hash with it is highest; none moves but those of who comes or goes.

    The least movement that is possible, with shares as uneven as chance makes them. Apache's clients do not have it: all
    members of the group have to be this client.
    """

    @property
    def name(self) -> str:
        """``RENDEZVOUS``."""
        return "RENDEZVOUS"

    def allocate(
        self, queues: Sequence[MessageQueue], members: Sequence[str], own: str
    ) -> Collection[MessageQueue]:
        """The queues of one member."""
        return [queue for queue in queues if _first_choice(queue, members) == own]


def _next_place(places: Sequence[int], queue: MessageQueue) -> int:
    """The place on the ring at a queue's hash or the next one behind it; the ring has no end."""
    return places[bisect_left(places, _hash(_java_text(queue), size=4)) % len(places)]


def _first_choice(queue: MessageQueue, members: Sequence[str]) -> str:
    text = _java_text(queue)
    return max(members, key=lambda member: _hash(f"{member} {text}", size=8))


def _java_text(queue: MessageQueue) -> str:
    """What Java's ``MessageQueue.toString`` gives, which is what its ring hashes."""
    return f"MessageQueue [topic={queue.topic}, brokerName={queue.broker_name}, queueId={queue.queue_id}]"


def _hash(text: str, *, size: int) -> int:
    """The first bytes of the MD5, as a number."""
    return int.from_bytes(md5(text.encode(), usedforsecurity=False).digest()[:size], "big")
