"""Which queues of a topic a member of a consumer group reads.

Every member computes the same split from the same two sorted lists, so nobody has to be asked. Lists
that differ for a moment give overlapping or missing parts until the next run; that is RocketMQ's
at-least-once contract. Members of one group have to split in the same way:
`strategies` and `hashed_strategies` hold the ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rocketmq_lite.model import MessageQueue

__all__ = ["AllocationStrategy", "Change", "allocate", "java_sorted", "plan_change"]


class AllocationStrategy(Protocol):
    """A way to share out the queues of one topic among the members of a consumer group.

    All members of a group have to use the same, and each has to come to the same split from the same arguments.
    """

    @property
    def name(self) -> str:
        """What Java calls it, or what tells it from others; shown to administrators."""

    def allocate(
        self, queues: Sequence[MessageQueue], members: Sequence[str], own: str
    ) -> Collection[MessageQueue]:
        """The queues of one member.

        Args:
            queues: All readable queues of one topic, each once, in Java's order.
            members: The client ids of the group's members, each once, in Java's order.
            own: The one whose queues are wanted; it is one of the members.
        """


@dataclass(frozen=True, slots=True)
class Change:
    """What a member has to start and to stop reading."""

    gained: tuple[MessageQueue, ...]
    lost: tuple[MessageQueue, ...]


def java_sorted(texts: Collection[str]) -> list[str]:
    """Sort as Java compares strings: by UTF-16 code unit, which differs from Python beyond U+FFFF."""
    return sorted(texts, key=lambda text: text.encode("utf-16-be", "surrogatepass"))


def allocate(
    strategy: AllocationStrategy, queues: Collection[MessageQueue], members: Collection[str], own: str
) -> tuple[MessageQueue, ...]:
    """The queues that belong to ``own``, sorted; none when it is not a member.

    Args:
        strategy: How the group shares out.
        queues: All readable queues of one topic, in any order.
        members: Client ids of the group, in any order.
        own: This member's client id.
    """
    if own not in members:
        return ()
    return tuple(sorted(strategy.allocate(sorted(set(queues)), java_sorted(set(members)), own)))


def plan_change(current: Collection[MessageQueue], wanted: Collection[MessageQueue]) -> Change:
    """The difference between what is read and what should be, in a stable order."""
    return Change(
        gained=tuple(sorted(set(wanted) - set(current))),
        lost=tuple(sorted(set(current) - set(wanted))),
    )
