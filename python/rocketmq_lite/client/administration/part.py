"""What the parts of administration share: which brokers there are, and asking many of them at once."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import trio

from rocketmq_lite.client.engine.names import check_topic
from rocketmq_lite.client.engine.routes import MASTER_ID, compile_route
from rocketmq_lite.errors import ConfigError, GroupNotFound, RocketMQError
from rocketmq_lite.protocol.codes import ResponseCode
from rocketmq_lite.protocol.explanations import advice_on
from rocketmq_lite.records import dataclass
from rocketmq_lite.transport.nursery import ProtectedNursery

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from rocketmq_lite.client.remote_admin import AdminRemote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import ClusterInfo, SubscriptionGroupConfig

__all__ = ["AdminPart", "Answers", "ask_each", "chosen", "plan_masters"]

K = TypeVar("K")
V = TypeVar("V")

_AT_A_TIME: Final = 16
"""Questions under way together: enough to hide the way there and back, few enough for any broker."""


class AdminPart:
    """One subject of administration.

    Args:
        remote: The calls.
        routing: Knows the name servers, and the routes that a change makes stale.
    """

    def __init__(self, remote: AdminRemote, routing: Routing) -> None:
        self._remote = remote
        self._routing = routing

    async def cluster(self) -> ClusterInfo:
        """All clusters and their brokers.

        Raises:
            NoNameServer: None answers.
        """
        return await self._routing.ask(self._remote.cluster)

    async def _masters(self, cluster: str | None = None, broker: str | None = None) -> dict[str, str]:
        """The masters that a change goes to, by broker name: of one cluster, or one broker's."""
        return plan_masters(await self.cluster(), cluster, broker)

    async def _all_masters(self) -> dict[str, str]:
        """The masters of all clusters, by broker name."""
        return _addresses((await self.cluster()), None)

    async def _masters_to_clear(self, cluster: str | None) -> dict[str, str]:
        """The masters that something is deleted on, by broker name: of one cluster, or all there are."""
        return await (self._all_masters() if cluster is None else self._masters(cluster))

    async def _queues_of(self, topic: str) -> dict[MessageQueue, str]:
        """The queues of a topic that can be read, sorted, each with the master that has it.

        Raises:
            TopicNotFound: There is no such topic.
            ConfigError: The topic cannot be.
        """
        route = compile_route(topic, await self._routing.look_up(check_topic(topic)))
        masters = {
            broker.broker_name: address
            for broker in route.data.broker_datas
            if (address := broker.broker_addrs.get(MASTER_ID)) is not None
        }
        return {
            queue: masters[queue.broker_name]
            for queue in sorted(route.readable)
            if queue.broker_name in masters
        }

    async def _group_settings(
        self, group: str, masters: Mapping[str, str]
    ) -> dict[str, SubscriptionGroupConfig]:
        """A consumer group's settings on each broker that knows it, by broker name; 352 would create it.

        Raises:
            GroupNotFound: None does.
        """
        known = (await ask_each(masters.values(), self._remote.groups)).all()
        found = {name: known[address][group] for name, address in masters.items() if group in known[address]}
        if not found:
            code = ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST
            raise GroupNotFound(code, f"no broker knows consumer group {group}", hint=advice_on(code))
        return found

    async def _remove_topic(self, topic: str, masters: Iterable[str], cluster: str | None) -> None:
        """Delete a topic on these brokers, and on every name server; there for one cluster alone, if one is given."""
        for address in masters:
            await self._remote.delete_topic_in_broker(address, topic)
        for name_server in self._routing.name_servers:
            await self._remote.delete_topic_in_name_server(name_server, topic, cluster)
        self._routing.table.forget(topic)


@dataclass(frozen=True, slots=True)
class Answers(Generic[K, V]):
    """What came of asking many, in the order in which they were to be asked."""

    values: dict[K, V] = field(default_factory=dict)
    failures: dict[K, RocketMQError] = field(default_factory=dict)

    def all(self) -> dict[K, V]:
        """The answers, if everyone gave one.

        Raises:
            RocketMQError: Somebody did not; the first of them.
        """
        for failure in self.failures.values():
            raise failure
        return self.values


async def ask_each(targets: Iterable[K], call: Callable[[K], Awaitable[V]]) -> Answers[K, V]:
    """Make a call for each target, several at a time."""
    wanted = list(targets)
    values: dict[K, V] = {}
    failures: dict[K, RocketMQError] = {}
    room = trio.CapacityLimiter(_AT_A_TIME)

    async def ask_one(target: K) -> None:
        async with room:
            try:
                values[target] = await call(target)
            except RocketMQError as error:
                failures[target] = error

    async with ProtectedNursery() as nursery:
        for target in wanted:
            nursery.start_soon(ask_one, target)
    return Answers(
        {target: values[target] for target in wanted if target in values},
        {target: failures[target] for target in wanted if target in failures},
    )


def chosen(settings: Mapping[str, V], broker: str | None, what: str) -> dict[str, V]:
    """Of the settings by broker name those of one broker, or all.

    Raises:
        ConfigError: That broker is not among them.
    """
    if broker is None:
        return dict(settings)
    if broker not in settings:
        raise ConfigError(
            f"broker {broker!r} does not have {what}", hint=f"these have it: {', '.join(settings)}"
        )
    return {broker: settings[broker]}


def plan_masters(info: ClusterInfo, cluster: str | None, broker: str | None) -> dict[str, str]:
    """The masters that a change goes to, by broker name.

    Args:
        info: What is registered.
        cluster: All masters of this cluster; may be left out when there is only one.
        broker: The master of this broker name alone.

    Raises:
        ConfigError: There is no such cluster or broker, or it has no master.
        RocketMQError: No broker is registered.
    """
    if broker is not None:
        addresses = _addresses(info, [broker])
        wanted = f"broker {broker!r}"
    else:
        cluster = cluster or _only_cluster(info)
        addresses = _addresses(info, info.cluster_addr_table.get(cluster, ()))
        wanted = f"cluster {cluster!r}"
    if not addresses:
        known = ", ".join(sorted(info.cluster_addr_table)) or "none"
        raise ConfigError(f"{wanted} has no master", hint=f"clusters registered now: {known}")
    return addresses


def _addresses(info: ClusterInfo, names: Iterable[str] | None) -> dict[str, str]:
    found = {
        name: info.broker_addr_table[name].broker_addrs.get(MASTER_ID)
        for name in sorted(info.broker_addr_table if names is None else names)
        if name in info.broker_addr_table
    }
    return {name: address for name, address in found.items() if address is not None}


def _only_cluster(info: ClusterInfo) -> str:
    names = sorted(info.cluster_addr_table)
    if len(names) == 1:
        return names[0]
    if not names:
        raise RocketMQError("no broker is registered", hint="start one with 'rmq broker' or 'rmq up'")
    raise ConfigError(
        f"there are several clusters: {', '.join(names)}",
        hint="say which: cluster=, or --cluster on the command line",
    )
