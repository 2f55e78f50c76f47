"""Which queues of a topic a member of a consumer group reads (Java's ``AllocateMessageQueueAveragely``).

Every member computes the same split from the same two sorted lists, so nobody has to be asked. Lists
that differ for a moment give overlapping or missing parts until the next run; that is RocketMQ's
at-least-once contract and not repaired here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rocketmq_lite.model import MessageQueue

__all__ = ["Change", "allocate_averagely", "java_sorted", "plan_change"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a member has to start and to stop reading."""

    gained: tuple[MessageQueue, ...]
    lost: tuple[MessageQueue, ...]


def java_sorted(texts: Collection[str]) -> list[str]:
    """Sort as Java compares strings: by UTF-16 code unit, which differs from Python beyond U+FFFF."""
    return sorted(texts, key=lambda text: text.encode("utf-16-be", "surrogatepass"))


def allocate_averagely(
    queues: Sequence[MessageQueue], members: Collection[str], own: str
) -> tuple[MessageQueue, ...]:
    """The consecutive part of ``queues`` that belongs to ``own``; empty when it is not a member.

    Args:
        queues: All readable queues of one topic, in any order.
        members: Client ids of the group, in any order.
        own: This member's client id.
    """
    ordered_members = java_sorted(set(members))
    if own not in ordered_members:
        return ()
    ordered = sorted(queues)
    index, count = ordered_members.index(own), len(ordered_members)
    rest = len(ordered) % count
    size = 1 if len(ordered) <= count else len(ordered) // count + (1 if index < rest else 0)
    start = index * size if index < rest else index * size + rest
    return tuple(ordered[start : start + size])


def plan_change(current: Collection[MessageQueue], wanted: Collection[MessageQueue]) -> Change:
    """The difference between what is read and what should be, in a stable order."""
    return Change(
        gained=tuple(sorted(set(wanted) - set(current))),
        lost=tuple(sorted(set(current) - set(wanted))),
    )
