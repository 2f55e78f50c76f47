"""Who is connected: the producers and consumers that heartbeats announced, and what each group subscribes to.

Rules:
- A connection is a member of a group from its first heartbeat that names the group until it says goodbye, closes, or
  stays silent for two minutes.
- The subscriptions belong to the *group*: the heartbeat of any member replaces them. A subscription with a newer version
  wins over an older one, and a topic that the heartbeat leaves out is dropped.
- Members are told (code 40) when a member comes or goes or the set of topics changes, the newcomer included. Members of
  a broadcasting group are not: each of them reads everything, so nobody else's coming concerns it.

Every method that changes something returns what is to be done about it; doing it is the caller's part.

Surprise: a *short* heartbeat (a fingerprint instead of subscriptions) leaves the subscriptions alone. An answer asks for
a full one next time when the fingerprint is not the one the group's last full heartbeat had, as Apache's does. Asking is
harmless; so a short heartbeat to a group without any is answered so too, where Apache forgets the subscriptions.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from rocketmq_lite import records
from rocketmq_lite.broker.engine.discord import DiscordWatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rocketmq_lite.broker.engine.discord import Discord
    from rocketmq_lite.protocol.bodies import ConsumerData, HeartbeatData, SubscriptionData

EXPIRY_SECONDS: Final = 120.0  # four missed heartbeats; Apache's channelExpiredTimeout
BROADCASTING: Final = "BROADCASTING"


@records.dataclass(frozen=True, slots=True)
class Member:
    """A client on one connection, as it introduced itself.

    Attributes:
        seen_ms: When its last heartbeat came, in milliseconds of wall time.
    """

    conn: int
    client_id: str
    address: str
    language: str
    version: int
    seen_ms: int = 0


@records.dataclass(frozen=True, slots=True)
class Notice:
    """Tell these connections that the members of the group have changed."""

    group: str
    connections: tuple[int, ...]


@records.dataclass(frozen=True, slots=True)
class GroupSubscriptions:
    """What the message engine has to know of a group; None when nobody of the group is left."""

    group: str
    broadcasting: bool
    subscriptions: tuple[SubscriptionData, ...] | None


@records.dataclass(frozen=True, slots=True)
class Changes:
    """What is to be done after the table changed, in this order."""

    tables: tuple[GroupSubscriptions, ...] = ()
    notices: tuple[Notice, ...] = ()
    discords: tuple[Discord, ...] = ()

    def __add__(self, other: Changes) -> Changes:
        return Changes(
            self.tables + other.tables, self.notices + other.notices, self.discords + other.discords
        )


@records.dataclass(frozen=True, slots=True)
class HeartbeatOutcome:
    """What a heartbeat led to, and whether the client's next one should have its subscriptions."""

    changes: Changes
    wants_subscriptions: bool


@records.dataclass(frozen=True, slots=True)
class ConsumerGroupView:
    """A group of consumers at one moment."""

    consume_type: str
    message_model: str
    consume_from_where: str
    members: tuple[Member, ...]
    subscriptions: Mapping[str, SubscriptionData]


@records.dataclass(frozen=True, slots=True)
class ClientStatistics:
    """How many there are of each."""

    connections: int
    consumer_groups: int
    producer_groups: int


@records.dataclass(slots=True)
class _ConsumerGroup:
    consume_type: str
    message_model: str
    consume_from_where: str
    members: dict[int, Member] = field(default_factory=dict)
    fingerprint: int | None = None
    subscriptions: dict[str, SubscriptionData] = field(default_factory=dict)

    @property
    def broadcasting(self) -> bool:
        return self.message_model == BROADCASTING

    def take_identity(self, data: ConsumerData) -> bool:
        """Adopt what the heartbeat says of the group as a whole; whether the engine has to hear of it."""
        was = self.broadcasting
        self.consume_type = data.consume_type
        self.message_model = data.message_model
        self.consume_from_where = data.consume_from_where
        return was != self.broadcasting

    def take_fingerprint(self, heartbeat: HeartbeatData) -> bool:
        """Compare with the last full heartbeat and remember this one if it is full; whether a full one is wanted."""
        known, offered = self.fingerprint, heartbeat.heartbeat_fingerprint
        if not heartbeat.without_sub:
            self.fingerprint = offered
        return heartbeat.without_sub if known is None else known != offered

    def take_subscriptions(self, fresh: Iterable[SubscriptionData]) -> tuple[bool, bool]:
        """Adopt the subscriptions; whether any of them changed, and whether the set of topics did."""
        offered = {subscription.topic: subscription for subscription in fresh}
        changed = topics_changed = self.subscriptions.keys() != offered.keys()
        for topic in self.subscriptions.keys() - offered.keys():
            del self.subscriptions[topic]
        for topic, subscription in offered.items():
            known = self.subscriptions.get(topic)
            if known is None or subscription.sub_version > known.sub_version:
                self.subscriptions[topic] = subscription
                changed = True
        return changed, topics_changed


@records.dataclass(slots=True)
class _Connection:
    last_heartbeat: float
    consumer_groups: set[str] = field(default_factory=set)
    producer_groups: set[str] = field(default_factory=set)


class ClientTable:
    """All connections that have sent a heartbeat, by group."""

    def __init__(self) -> None:
        self._connections: dict[int, _Connection] = {}
        self._consumers: dict[str, _ConsumerGroup] = {}
        self._producers: dict[str, dict[int, Member]] = {}
        self._discord = DiscordWatch()

    # --- changes

    def heartbeat(self, member: Member, heartbeat: HeartbeatData, *, now: float) -> HeartbeatOutcome:
        """Record a heartbeat whose consumer groups are all known to exist."""
        connection = self._connections.setdefault(member.conn, _Connection(now))
        connection.last_heartbeat = now
        outcome = HeartbeatOutcome(Changes(), wants_subscriptions=False)
        for consumer in heartbeat.consumer_data_set:
            connection.consumer_groups.add(consumer.group_name)
            one = self._consumer(member, consumer, heartbeat)
            outcome = HeartbeatOutcome(
                outcome.changes + one.changes, outcome.wants_subscriptions or one.wants_subscriptions
            )
        for producer in heartbeat.producer_data_set:
            connection.producer_groups.add(producer.group_name)
            self._producers.setdefault(producer.group_name, {})[member.conn] = member
        return outcome

    def unregister(self, conn: int, *, consumer_group: str | None, producer_group: str | None) -> Changes:
        """A client says goodbye to one group or both; others it belongs to are left alone."""
        connection = self._connections.get(conn)
        if connection is None:
            return Changes()
        changes = Changes()
        if producer_group is not None:
            connection.producer_groups.discard(producer_group)
            self._leave_producers(conn, producer_group)
        if consumer_group is not None:
            connection.consumer_groups.discard(consumer_group)
            changes = self._leave_consumers(conn, consumer_group)
        if not connection.consumer_groups and not connection.producer_groups:
            del self._connections[conn]
        return changes

    def closed(self, conn: int) -> Changes:
        """The connection has gone: so have its memberships."""
        connection = self._connections.pop(conn, None)
        changes = Changes()
        if connection is None:
            return changes
        for group in sorted(connection.producer_groups):
            self._leave_producers(conn, group)
        for group in sorted(connection.consumer_groups):
            changes += self._leave_consumers(conn, group)
        return changes

    def plan_expiry(self, now: float) -> tuple[int, ...]:
        """The connections that have been silent for too long: close each, then report it ``closed``."""
        return tuple(
            conn
            for conn, connection in self._connections.items()
            if now - connection.last_heartbeat > EXPIRY_SECONDS
        )

    # --- questions

    def client_ids(self, group: str) -> tuple[str, ...]:
        """The consumers of a group, sorted, each once."""
        known = self._consumers.get(group)
        return () if known is None else tuple(sorted({member.client_id for member in known.members.values()}))

    def groups_subscribed_to(self, topic: str) -> set[str]:
        """The online consumer groups that subscribe to a topic."""
        return {name for name, group in self._consumers.items() if topic in group.subscriptions}

    def consumer_group(self, group: str) -> ConsumerGroupView | None:
        """The group's members and subscriptions, or None while nobody is there."""
        known = self._consumers.get(group)
        if known is None:
            return None
        return ConsumerGroupView(
            known.consume_type,
            known.message_model,
            known.consume_from_where,
            tuple(known.members.values()),
            dict(known.subscriptions),
        )

    def producers(self, group: str) -> tuple[Member, ...]:
        """The producers of a group."""
        return tuple(self._producers.get(group, {}).values())

    def all_producers(self) -> dict[str, tuple[Member, ...]]:
        """Every producer group that is online."""
        return {group: tuple(members.values()) for group, members in sorted(self._producers.items())}

    def consumer(self, group: str, client_id: str) -> Member | None:
        """The client of that id in a consumer group; of two connections that claim it, the younger."""
        known = self._consumers.get(group)
        members = () if known is None else known.members.values()
        return max((each for each in members if each.client_id == client_id), key=_conn, default=None)

    def statistics(self) -> ClientStatistics:
        """How many connections and groups are known."""
        return ClientStatistics(len(self._connections), len(self._consumers), len(self._producers))

    # --- parts

    def _consumer(self, member: Member, data: ConsumerData, heartbeat: HeartbeatData) -> HeartbeatOutcome:
        known = self._consumers.get(data.group_name)
        if known is None:
            known = _ConsumerGroup(data.consume_type, data.message_model, data.consume_from_where)
            self._consumers[data.group_name] = known
        table_changed = known.take_identity(data) or not known.members
        joined = member.conn not in known.members
        known.members[member.conn] = member
        topics_changed = False
        wants = known.take_fingerprint(heartbeat)
        if not heartbeat.without_sub:
            changed, topics_changed = known.take_subscriptions(data.subscription_data_set)
            table_changed = table_changed or changed
        return HeartbeatOutcome(
            Changes(
                (self._table(data.group_name, known),) if table_changed else (),
                self._notices(data.group_name, known) if joined or topics_changed else (),
                self._discord.heard(
                    member.conn, member.client_id, data, with_subscriptions=not heartbeat.without_sub
                ),
            ),
            wants_subscriptions=wants,
        )

    def _leave_consumers(self, conn: int, group: str) -> Changes:
        known = self._consumers.get(group)
        if known is None or known.members.pop(conn, None) is None:
            return Changes()
        discords = self._discord.left(conn, group)
        if known.members:
            return Changes(notices=self._notices(group, known), discords=discords)
        del self._consumers[group]
        return Changes(tables=(GroupSubscriptions(group, known.broadcasting, None),), discords=discords)

    def _leave_producers(self, conn: int, group: str) -> None:
        members = self._producers.get(group, {})
        members.pop(conn, None)
        if not members:
            self._producers.pop(group, None)

    @staticmethod
    def _table(group: str, known: _ConsumerGroup) -> GroupSubscriptions:
        return GroupSubscriptions(group, known.broadcasting, tuple(known.subscriptions.values()))

    @staticmethod
    def _notices(group: str, known: _ConsumerGroup) -> tuple[Notice, ...]:
        return () if known.broadcasting else (Notice(group, tuple(known.members)),)


def _conn(member: Member) -> int:
    return member.conn
