"""Members of a consumer group that contradict each other, as their heartbeats show it.

A broker keeps one subscription a group and topic, so members that want different messages take each other's away; and two
clients with one client id take the same queues for theirs. Neither is refused, as in Apache's broker. It is said here once
when it begins and once when it is over.

Surprise: a client that lost its connection without the broker noticing comes back with its old id beside the old connection.
So an id counts as taken twice only when the *older* connection speaks while the younger is there.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from rocketmq_lite import records

if TYPE_CHECKING:
    from rocketmq_lite.protocol.bodies import ConsumerData, SubscriptionData

Wanted = frozenset[tuple[str, str, str]]
"""What a member subscribes to: topic, kind of filter, filter; tags in any order are the same."""


@records.dataclass(frozen=True, slots=True)
class Discord:
    """A contradiction within a group that has begun, or is over.

    Attributes:
        group: The consumer group.
        text: What it is about.
        over: Whether it is over.
    """

    group: str
    text: str
    over: bool = False


@records.dataclass(slots=True)
class _Voice:
    """What one connection said of itself."""

    client_id: str
    wanted: Wanted | None = None
    model: str = ""


@records.dataclass(slots=True)
class _Group:
    voices: dict[int, _Voice] = field(default_factory=dict)
    """By connection, in the order in which they were first heard."""
    twins: set[str] = field(default_factory=set)
    known: frozenset[str] = frozenset()
    """What has been said."""


class DiscordWatch:
    """Listens to heartbeats of consumers."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}

    def heard(
        self, conn: int, client_id: str, data: ConsumerData, *, with_subscriptions: bool
    ) -> tuple[Discord, ...]:
        """A member spoke; returns what began or ended with that."""
        group = self._groups.setdefault(data.group_name, _Group())
        voice = group.voices.setdefault(conn, _Voice(client_id))
        voice.model = data.message_model
        if with_subscriptions:
            voice.wanted = frozenset(map(_wanted, data.subscription_data_set))
        later = list(group.voices)[list(group.voices).index(conn) + 1 :]
        if any(group.voices[other].client_id == client_id for other in later):
            group.twins.add(client_id)
        return _news(data.group_name, group)

    def left(self, conn: int, group_name: str) -> tuple[Discord, ...]:
        """A member has gone; returns what ended with that."""
        group = self._groups.get(group_name)
        if group is None or group.voices.pop(conn, None) is None:
            return ()
        ids = [voice.client_id for voice in group.voices.values()]
        group.twins = {client_id for client_id in group.twins if ids.count(client_id) > 1}
        if not group.voices:
            del self._groups[group_name]
        return _news(group_name, group)


def _news(name: str, group: _Group) -> tuple[Discord, ...]:
    found = frozenset(_texts(group))
    begun, over = sorted(found - group.known), sorted(group.known - found)
    group.known = found
    return tuple(Discord(name, text) for text in begun) + tuple(
        Discord(name, text, over=True) for text in over
    )


def _texts(group: _Group) -> list[str]:
    voices = group.voices.values()
    texts = [f"client id {client_id} is used by more than one client" for client_id in group.twins]
    if len({voice.model for voice in voices}) > 1:
        texts.append("some members consume in clustering, others in broadcasting mode")
    if len({voice.wanted for voice in voices if voice.wanted is not None}) > 1:
        texts.append("its members subscribe to different messages, and each takes away what others want")
    return texts


def _wanted(subscription: SubscriptionData) -> tuple[str, str, str]:
    kind = subscription.expression_type or "TAG"
    tags = sorted(tag.strip() for tag in subscription.sub_string.split("||"))
    return (subscription.topic, kind, "||".join(tags) if kind == "TAG" else subscription.sub_string)
