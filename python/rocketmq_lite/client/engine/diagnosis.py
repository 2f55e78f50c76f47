"""What can be wrong with a consumer group, worked out of what brokers and its members say.

Everything here is known from questions that Apache's brokers and clients answer too: the connections of a group (203), what
each member says of itself (307), positions (208) and the bounds of queues (202). A member that says nothing of itself is
taken to do no wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import Connection, ConsumerRunningInfo, SubscriptionData

__all__ = [
    "STRATEGY_PROPERTY",
    "Problem",
    "behind_retention",
    "different_subscriptions",
    "disputed_queues",
    "duplicate_client_ids",
]

STRATEGY_PROPERTY: Final = "PROP_ALLOCATE_STRATEGY"
"""Under which our consumers tell their allocation strategy among their running info; Java's do not tell theirs."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong in a cluster.

    Attributes:
        kind: ``different-subscriptions``, ``duplicate-client-id``, ``disputed-queues``, ``behind-retention``,
            ``unreachable`` or ``dead-letters``.
        subject: The group or server that has it.
        text: What is the matter.
        hint: What to do.
    """

    kind: str
    subject: str
    text: str
    hint: str


def duplicate_client_ids(group: str, connections: Collection[Sequence[Connection]]) -> list[Problem]:
    """Client ids that one broker knows at several addresses.

    Args:
        group: The consumer group.
        connections: Those of it at each broker.
    """
    found: dict[str, set[str]] = {}
    for at_one_broker in connections:
        addresses: dict[str, set[str]] = {}
        for each in at_one_broker:
            addresses.setdefault(each.client_id, set()).add(each.client_addr)
        for client_id, places in addresses.items():
            if len(places) > 1:
                found.setdefault(client_id, set()).update(places)
    return [
        Problem(
            "duplicate-client-id",
            group,
            f"client id {client_id} is used by more than one client: {', '.join(sorted(places))}",
            "give each client an instance name of its own; they take the same queues for theirs",
        )
        for client_id, places in sorted(found.items())
    ]


def different_subscriptions(group: str, members: Mapping[str, ConsumerRunningInfo]) -> list[Problem]:
    """Members that want different messages: brokers keep one subscription a group and topic."""
    wanted: dict[frozenset[str], list[str]] = {}
    for client_id, info in sorted(members.items()):
        wanted.setdefault(frozenset(map(_subscription_text, info.subscription_set)), []).append(client_id)
    if len(wanted) < 2:  # noqa: PLR2004 - they differ when there are two
        return []
    common = frozenset.intersection(*wanted)
    views = [
        f"{', '.join(clients)}: {'; '.join(sorted(texts - common)) or 'nothing more'}"
        for texts, clients in wanted.items()
    ]
    return [
        Problem(
            "different-subscriptions",
            group,
            f"its members subscribe to different messages ({' | '.join(views)})",
            "have all members of a group subscribe alike, or use a group for each",
        )
    ]


def disputed_queues(
    group: str, queues: Collection[MessageQueue], members: Mapping[str, ConsumerRunningInfo]
) -> list[Problem]:
    """Queues that several members read, or none does: they share out by different strategies.

    Args:
        group: A clustering consumer group whose members have not changed lately.
        queues: All readable queues of its topics.
        members: What *all* its members say, by client id.
    """
    owners: dict[MessageQueue, list[str]] = {queue: [] for queue in queues}
    for client_id, info in sorted(members.items()):
        for queue in info.mq_table:
            if queue in owners:
                owners[queue].append(client_id)
    twice = [queue for queue, clients in sorted(owners.items()) if len(clients) > 1]
    never = [queue for queue, clients in sorted(owners.items()) if not clients]
    if not twice and not never:
        return []
    parts = [("read by more than one member", twice), ("read by no member", never)]
    text = "; ".join(f"{len(which)} {what} ({_some(which)})" for what, which in parts if which)
    named = sorted(
        {
            info.properties[STRATEGY_PROPERTY]
            for info in members.values()
            if STRATEGY_PROPERTY in info.properties
        }
    )
    return [
        Problem(
            "disputed-queues",
            group,
            f"of its {len(owners)} queues {text}",
            "have all members use one allocation strategy"
            + (f"; those that say use {', '.join(named)}" if named else "")
            + "; right after a change of members look again in 20 s",
        )
    ]


def behind_retention(
    group: str, positions: Mapping[MessageQueue, int], minimums: Mapping[MessageQueue, int]
) -> list[Problem]:
    """Queues in which a group wants messages that are no longer kept.

    Args:
        group: The consumer group.
        positions: The next offset to be consumed of each queue.
        minimums: The first offset that is still there of each queue.
    """
    behind = {
        queue: minimums[queue] - position
        for queue, position in positions.items()
        if queue in minimums and position < minimums[queue]
    }
    if not behind:
        return []
    return [
        Problem(
            "behind-retention",
            group,
            f"{sum(behind.values())} messages were removed before it consumed them ({_some(sorted(behind))})",
            "its consumers go on with the first message that is left; add members, or keep messages longer",
        )
    ]


def _subscription_text(subscription: SubscriptionData) -> str:
    kind = subscription.expression_type or "TAG"
    text = " || ".join(sorted(tag.strip() for tag in subscription.sub_string.split("||")))
    return f"{subscription.topic} {kind} {text if kind == 'TAG' else subscription.sub_string}"


def _some(queues: Sequence[MessageQueue], most: int = 3) -> str:
    """The first queues, so that a long list stays readable."""
    texts = [f"{queue.topic} {queue.broker_name}/{queue.queue_id}" for queue in queues[:most]]
    return ", ".join([*texts, "…"] if len(queues) > most else texts)
