"""RocketMQ's ways to share out queues by counting and by place; those by hashing are in ``hashed_strategies``.

Each agrees with the class of Apache's client that it names, so that a group may mix languages.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, final

from rocketmq_lite.protocol.reserved import RETRY_PREFIX
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from rocketmq_lite.client.engine.balance import AllocationStrategy
    from rocketmq_lite.model import MessageQueue

__all__ = [
    "AllocateAveragely",
    "AllocateAveragelyByCircle",
    "AllocateByConfig",
    "AllocateByMachineRoom",
    "AllocateNearby",
]

_ROOM_SEPARATOR = "@"


@final
@dataclass(frozen=True, slots=True)
class AllocateAveragely:
    """A run of neighbouring queues to each member, the first ones taking the rest; the default, here and in Java.

    Java's ``AllocateMessageQueueAveragely``.
    """

    @property
    def name(self) -> str:
        """``AVG``."""
        return "AVG"

    def allocate(
        self, queues: Sequence[MessageQueue], members: Sequence[str], own: str
    ) -> Collection[MessageQueue]:
        """The queues of one member."""
        index, count = members.index(own), len(members)
        rest = len(queues) % count
        size = 1 if len(queues) <= count else len(queues) // count + (1 if index < rest else 0)
        start = index * size if index < rest else index * size + rest
        return queues[start : start + size]


@final
@dataclass(frozen=True, slots=True)
class AllocateAveragelyByCircle:
    """One queue to each member in turn, as cards are dealt. Java's ``AllocateMessageQueueAveragelyByCircle``."""

    @property
    def name(self) -> str:
        """``AVG_BY_CIRCLE``."""
        return "AVG_BY_CIRCLE"

    def allocate(
        self, queues: Sequence[MessageQueue], members: Sequence[str], own: str
    ) -> Collection[MessageQueue]:
        """The queues of one member."""
        return queues[members.index(own) :: len(members)]


@final
@dataclass(frozen=True, slots=True)
class AllocateByConfig:
    """Exactly the queues that you list for this member. Java's ``AllocateMessageQueueByConfig``.

    That every queue is on one member's list is your matter. The queues of the group's ``%RETRY%`` topic are shared
    out averagely, other than in Java, where nobody reads them unless they are listed: what failed has to come to somebody.

    Args:
        queues: The queues, of any topics.
    """

    queues: Collection[MessageQueue]

    @property
    def name(self) -> str:
        """``CONFIG``."""
        return "CONFIG"

    def allocate(
        self, queues: Sequence[MessageQueue], members: Sequence[str], own: str
    ) -> Collection[MessageQueue]:
        """The listed ones among the queues."""
        if queues and queues[0].topic.startswith(RETRY_PREFIX):
            return AllocateAveragely().allocate(queues, members, own)
        return [queue for queue in queues if queue in self.queues]


@final
@dataclass(frozen=True, slots=True)
class AllocateByMachineRoom:
    """The queues of some machine rooms averagely; nobody reads those of others.

    Java's ``AllocateMessageQueueByMachineRoom``. It counts on brokers that are named ``room@name``.

    Args:
        rooms: The rooms.
    """

    rooms: Collection[str]

    @property
    def name(self) -> str:
        """``MACHINE_ROOM``."""
        return "MACHINE_ROOM"

    def allocate(
        self, queues: Sequence[MessageQueue], members: Sequence[str], own: str
    ) -> Collection[MessageQueue]:
        """The queues of one member: a block, and one of those that are left over."""
        here = [queue for queue in queues if self._is_here(queue.broker_name)]
        index, size = members.index(own), len(here) // len(members)
        rest = here[size * len(members) :]
        return here[index * size : (index + 1) * size] + rest[index : index + 1]

    def _is_here(self, broker_name: str) -> bool:
        room, *rest = broker_name.split(_ROOM_SEPARATOR)
        return room in self.rooms and len(rest) == 1 and rest[0] != ""


def _room_of_broker(queue: MessageQueue) -> str:
    return queue.broker_name.split(_ROOM_SEPARATOR)[0]


@final
@dataclass(frozen=True, slots=True)
class AllocateNearby:
    """The queues of each machine room among the members of that room; those of a room without members among all.

    Java's ``AllocateMachineRoomNearby``.

    Args:
        room_of_member: Tells a member's room by its client id; all members have to come to the same answer.
        room_of_queue: Tells a queue's room; by default what is before ``@`` in its broker's name.
        inner: How queues are shared out within a room; averagely by default.
    """

    room_of_member: Callable[[str], str]
    room_of_queue: Callable[[MessageQueue], str] = _room_of_broker
    inner: AllocationStrategy = field(default_factory=AllocateAveragely)

    @property
    def name(self) -> str:
        """``MACHINE_ROOM_NEARBY-`` and the name of the inner one."""
        return f"MACHINE_ROOM_NEARBY-{self.inner.name}"

    def allocate(
        self, queues: Sequence[MessageQueue], members: Sequence[str], own: str
    ) -> Collection[MessageQueue]:
        """The queues of one member."""
        by_room: dict[str, list[MessageQueue]] = {}
        for queue in queues:
            by_room.setdefault(self.room_of_queue(queue), []).append(queue)
        rooms = {member: self.room_of_member(member) for member in members}
        ours: list[MessageQueue] = []
        for room, inside in by_room.items():
            neighbours = [member for member in members if rooms[member] == room] or members
            if own in neighbours:
                ours += self.inner.allocate(inside, neighbours, own)
        return ours
