"""The tables of a name server: which broker has which topic, and who is alive. Pure; time is an argument.

Rules (namesrv.md 5, 6, 8): a broker *name* is the key of a replica group, and id 0 in it the master. Topics come from
masters, or from the smallest id of a group of new brokers. A topic that a registration no longer lists stays. A broker
leaves when it says so, when its connection closes, or when it has been silent for its time-out; what nobody serves any
more disappears with it.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

from rocketmq_lite import records
from rocketmq_lite.protocol.bodies import (
    BrokerData,
    ClusterInfo,
    DataVersion,
    QueueData,
    TopicRouteData,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rocketmq_lite.protocol.bodies import RegisterBrokerBody, TopicConfig
    from rocketmq_lite.protocol.headers.route import RegisterBrokerRequestHeader

__all__ = ["BrokerKey", "Registration", "RouteTable"]

MASTER_ID: Final = 0
PERM_WRITE: Final = 2
PERM_READ_WRITE: Final = 6


@records.dataclass(frozen=True, slots=True)
class BrokerKey:
    """One broker process."""

    cluster: str
    address: str


@records.dataclass(slots=True)
class _Live:
    """A registered broker, as long as it is heard of."""

    name: str
    last_seen: float
    timeout: float
    data_version: DataVersion
    ha_address: str
    connection: int


@records.dataclass(slots=True)
class _Group:
    """The brokers of one name."""

    cluster: str
    addresses: dict[int, str] = field(default_factory=dict)
    zone: str | None = None
    acting_master: bool = False


@records.dataclass(frozen=True, slots=True)
class Registration:
    """What a broker is told; addresses only for a slave whose master is alive."""

    accepted: bool
    master_address: str | None = None
    ha_address: str | None = None


class RouteTable:
    """All tables but KV configuration.

    Args:
        live_timeout: Seconds of silence after which a broker that names no time of its own is forgotten.
    """

    def __init__(self, *, live_timeout: float = 120.0) -> None:
        self._live_timeout = live_timeout
        self._topics: dict[str, dict[str, QueueData]] = {}
        self._groups: dict[str, _Group] = {}
        self._live: dict[BrokerKey, _Live] = {}

    # --- registration ------------------------------------------------------------------------

    def register(
        self,
        header: RegisterBrokerRequestHeader,
        body: RegisterBrokerBody,
        *,
        zone: str | None,
        connection: int,
        now: float,
        drop_unlisted: bool = False,
    ) -> Registration:
        """Take a broker in, or renew what it said before.

        The order of the steps is Apache's (``RouteInfoManager.registerBroker``) and shows: a refused
        registration leaves its group behind, and has already given up the ids it held before.

        Args:
            header: Who it is.
            body: Its topics.
            zone: Where it is, for clients that want to stay near.
            connection: Whose closing ends the registration.
            now: Monotonic seconds.
            drop_unlisted: Whether the broker's topics that the body does not list are forgotten.
        """
        first = header.broker_name not in self._groups
        group = self._groups.setdefault(header.broker_name, _Group(header.cluster_name))
        group.zone = zone
        group.acting_master = bool(header.enable_acting_master)
        self._forget_other_ids(group, header)
        key = BrokerKey(header.cluster_name, header.broker_addr)
        if self._is_outdated(group, header, body.data_version):
            self._live.pop(key, None)
            return Registration(accepted=True)
        known_id = header.broker_id in group.addresses
        if not known_id and len(body.topics) == 1:
            # Only an update of a broker that is known may be partial.
            return Registration(accepted=False)
        group.addresses[header.broker_id] = header.broker_addr
        if self._speaks_for_topics(group, header):
            known = self._live.get(key)
            changed = first or not known_id or known is None or known.data_version != body.data_version
            if drop_unlisted:
                self._drop_unlisted(header.broker_name, body.topics)
            self._take_topics(header, body.topics, changed=changed)
        self._live[key] = self._live_entry(header, body.data_version, connection=connection, now=now)
        return self._answer(group, header)

    def _live_entry(
        self, header: RegisterBrokerRequestHeader, version: DataVersion, *, connection: int, now: float
    ) -> _Live:
        millis = header.heartbeat_timeout_millis
        return _Live(
            name=header.broker_name,
            last_seen=now,
            timeout=self._live_timeout if millis is None else millis / 1000,
            data_version=version,
            ha_address=header.ha_server_addr,
            connection=connection,
        )

    def _is_outdated(self, group: _Group, header: RegisterBrokerRequestHeader, version: DataVersion) -> bool:
        """Whether another broker holds this id with a newer controller epoch; then the newcomer is ignored."""
        address = group.addresses.get(header.broker_id)
        if address is None or address == header.broker_addr:
            return False
        holder = self._live.get(BrokerKey(header.cluster_name, address))
        return holder is not None and holder.data_version.state_version > version.state_version

    @staticmethod
    def _forget_other_ids(group: _Group, header: RegisterBrokerRequestHeader) -> None:
        """A promoted slave must not appear twice."""
        group.addresses = {
            broker_id: address
            for broker_id, address in group.addresses.items()
            if address != header.broker_addr or broker_id == header.broker_id
        }

    @staticmethod
    def _speaks_for_topics(group: _Group, header: RegisterBrokerRequestHeader) -> bool:
        is_new = header.enable_acting_master is not None
        return header.broker_id == MASTER_ID or (is_new and header.broker_id == min(group.addresses))

    def _take_topics(
        self, header: RegisterBrokerRequestHeader, topics: Mapping[str, TopicConfig], *, changed: bool
    ) -> None:
        for name, config in topics.items():
            brokers = self._topics.setdefault(name, {})
            if changed or header.broker_name not in brokers:
                perm = config.perm
                if header.broker_id != MASTER_ID and header.enable_acting_master:
                    perm &= ~PERM_WRITE
                brokers[header.broker_name] = QueueData(
                    broker_name=header.broker_name,
                    read_queue_nums=config.read_queue_nums,
                    write_queue_nums=config.write_queue_nums,
                    perm=perm,
                    topic_sys_flag=config.topic_sys_flag,
                )

    def _drop_unlisted(self, broker_name: str, topics: Mapping[str, TopicConfig]) -> None:
        for topic in [topic for topic in self._topics if topic not in topics]:
            self._drop_queues(topic, {broker_name})

    def _answer(self, group: _Group, header: RegisterBrokerRequestHeader) -> Registration:
        master = group.addresses.get(MASTER_ID)
        if header.broker_id == MASTER_ID or master is None:
            return Registration(accepted=True)
        live = self._live.get(BrokerKey(header.cluster_name, master))
        if live is None:
            return Registration(accepted=True)
        return Registration(accepted=True, master_address=master, ha_address=live.ha_address)

    def add_queues(self, topic: str, queues: Iterable[QueueData]) -> None:
        """Merge a single topic (217) for the brokers that are known."""
        known = [each for each in queues if each.broker_name in self._groups]
        if known:
            self._topics.setdefault(topic, {}).update({each.broker_name: each for each in known})

    def data_version(self, key: BrokerKey, *, now: float) -> DataVersion | None:
        """The version a broker last registered, which counts as hearing of it; ``None`` for an unknown one."""
        live = self._live.get(key)
        if live is None:
            return None
        live.last_seen = now
        return live.data_version

    def heard_of(self, key: BrokerKey, *, now: float) -> None:
        """A sign of life without a registration."""
        if (live := self._live.get(key)) is not None:
            live.last_seen = now

    # --- leaving -----------------------------------------------------------------------------

    def unregister(self, key: BrokerKey, broker_name: str) -> None:
        """A broker goes: whatever id its address is registered under, which may have changed meanwhile."""
        self._live.pop(key, None)
        group = self._groups.get(broker_name)
        if group is None:
            return
        group.addresses = {
            broker_id: address for broker_id, address in group.addresses.items() if address != key.address
        }
        if not group.addresses:
            del self._groups[broker_name]
            for topic in list(self._topics):
                self._drop_queues(topic, {broker_name})
        elif MASTER_ID not in group.addresses and group.acting_master:
            self._change_perm(broker_name, lambda perm: perm & ~PERM_WRITE)

    def connection_closed(self, connection: int) -> list[BrokerKey]:
        """Whoever registered over this connection is gone; who that was."""
        return self._remove([key for key, live in self._live.items() if live.connection == connection])

    def expire(self, *, now: float) -> list[BrokerKey]:
        """Forget the brokers that have been silent too long; which ones."""
        return self._remove([key for key, live in self._live.items() if live.last_seen + live.timeout < now])

    def _remove(self, keys: list[BrokerKey]) -> list[BrokerKey]:
        for key in keys:
            self.unregister(key, self._live[key].name)
        return keys

    def _drop_queues(self, topic: str, brokers: set[str]) -> None:
        queues = self._topics.get(topic, {})
        for name in brokers:
            queues.pop(name, None)
        if not queues:
            self._topics.pop(topic, None)

    # --- looking up --------------------------------------------------------------------------

    def route(self, topic: str, *, zone: str | None = None) -> TopicRouteData | None:
        """Where a topic's queues are; ``None`` when nobody has it. Lists are ordered by broker name.

        A zone hides the brokers of other zones that have a master, be it all of them.
        """
        queues = self._topics.get(topic, {})
        known = [name for name in sorted(queues) if name in self._groups]
        if not known:
            return None
        names = [name for name in known if zone is None or self._is_near(name, zone)]
        return TopicRouteData(
            queue_datas=tuple(queues[name] for name in names),
            broker_datas=tuple(self._broker_data(name) for name in names),
        )

    def _is_near(self, name: str, zone: str) -> bool:
        """Whether a broker is in the zone, or has only slaves left: then far is better than not at all."""
        group = self._groups[name]
        return (group.zone or "").lower() == zone.lower() or MASTER_ID not in group.addresses

    def _broker_data(self, name: str) -> BrokerData:
        group = self._groups[name]
        return BrokerData(
            cluster=group.cluster,
            broker_name=name,
            broker_addrs=dict(sorted(group.addresses.items())),
            enable_acting_master=group.acting_master,
            zone_name=group.zone,
        )

    def member_group(self, broker_name: str) -> dict[int, str]:
        """Addresses of a replica group by id; empty for an unknown one."""
        group = self._groups.get(broker_name)
        return dict(sorted(group.addresses.items())) if group else {}

    def cluster_info(self) -> ClusterInfo:
        """Every replica group."""
        clusters: dict[str, list[str]] = {}
        for name in sorted(self._groups):
            clusters.setdefault(self._groups[name].cluster, []).append(name)
        return ClusterInfo(
            broker_addr_table={name: self._broker_data(name) for name in sorted(self._groups)},
            cluster_addr_table={cluster: tuple(names) for cluster, names in clusters.items()},
        )

    def topics(self) -> tuple[str, ...]:
        """Every topic name."""
        return tuple(sorted(self._topics))

    def topics_of_cluster(self, cluster: str) -> tuple[str, ...]:
        """The topics that some broker of a cluster has."""
        names = {name for name, group in self._groups.items() if group.cluster == cluster}
        return tuple(sorted(topic for topic, queues in self._topics.items() if names & queues.keys()))

    def topics_by_flags(self, mask: int, wanted: int) -> tuple[str, ...]:
        """Topics whose flags show the wanted bits under the mask."""
        flags = {topic: next(iter(queues.values())).topic_sys_flag for topic, queues in self._topics.items()}
        return tuple(sorted(topic for topic, found in flags.items() if found & mask == wanted))

    def system_names(self) -> tuple[tuple[str, ...], str | None]:
        """Names of clusters and brokers, which are reserved as topics; and an address of the first broker."""
        clusters = dict.fromkeys(group.cluster for group in self._groups.values())
        first = next((group for group in self._groups.values() if group.addresses), None)
        address = next(iter(first.addresses.values())) if first else None
        return (*clusters, *self._groups), address

    # --- administration ----------------------------------------------------------------------

    def remove_topic(self, topic: str, *, cluster: str | None = None) -> None:
        """Forget a topic, everywhere or on the brokers of one cluster; it is back when one registers it again."""
        if cluster is None:
            self._topics.pop(topic, None)
            return
        self._drop_queues(topic, {name for name, group in self._groups.items() if group.cluster == cluster})

    def wipe_write_permission(self, broker_name: str) -> int:
        """Take the write permission from all topics of a broker; how many there are."""
        return self._change_perm(broker_name, lambda perm: perm & ~PERM_WRITE)

    def add_write_permission(self, broker_name: str) -> int:
        """Make all topics of a broker readable and writable; how many there are."""
        return self._change_perm(broker_name, lambda _perm: PERM_READ_WRITE)

    def _change_perm(self, broker_name: str, change: Callable[[int], int]) -> int:
        count = 0
        for queues in self._topics.values():
            if (found := queues.get(broker_name)) is not None:
                queues[broker_name] = replace(found, perm=change(found.perm))
                count += 1
        return count
