"""Administration: topics, routes, the cluster.

Changes go to every master concerned, one after the other; the first that refuses ends the change with its
error, and what was changed before stays changed. Repeating a change does no harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from rocketmq_lite.client.engine.names import check_topic, retry_topic
from rocketmq_lite.client.engine.routes import MASTER_ID, TEMPLATE_TOPIC
from rocketmq_lite.errors import ConfigError, RocketMQError
from rocketmq_lite.model import Perm
from rocketmq_lite.protocol.headers.topic import CreateTopicRequestHeader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import ClusterInfo, TopicOffset, TopicRouteData

__all__ = ["Admin"]

_DEFAULT_QUEUES: Final = 8
_MAX_QUEUES: Final = 65_535
_PERMS: Final[Mapping[str, Perm]] = {"rw": Perm.READ | Perm.WRITE, "r": Perm.READ, "w": Perm.WRITE}


@final
class Admin:
    """What administers a cluster; reached by ``client.admin``.

    Cancelling a change leaves it done on some brokers and not on others; repeat it.
    """

    def __init__(self, remote: Remote, routing: Routing) -> None:
        self._remote = remote
        self._routing = routing

    async def create_topic(
        self,
        topic: str,
        *,
        queues: int = _DEFAULT_QUEUES,
        perm: str = "rw",
        cluster: str | None = None,
        broker: str | None = None,
    ) -> tuple[str, ...]:
        """Create a topic, or change it where it exists.

        The name servers know it when this returns.

        Args:
            topic: Its name.
            queues: Queues on each broker.
            perm: ``"rw"``, ``"r"`` or ``"w"``.
            cluster: On all masters of this cluster; may be left out when there is only one.
            broker: On the master of this broker name alone.

        Returns:
            The addresses of the brokers that have it now.

        Raises:
            ConfigError: An argument is not valid, or there is no such cluster or broker.
            BrokerError: A broker refused.
            RocketMQError: A server could not be reached.
        """
        check_topic(topic)
        if not 1 <= queues <= _MAX_QUEUES:
            raise ConfigError(f"{queues} queues are not possible", hint=f"give 1 to {_MAX_QUEUES}")
        if perm not in _PERMS:
            raise ConfigError(f"permission {perm!r} is unknown", hint="give 'rw', 'r' or 'w'")
        header = CreateTopicRequestHeader(
            topic=topic,
            default_topic=TEMPLATE_TOPIC,
            read_queue_nums=queues,
            write_queue_nums=queues,
            perm=int(_PERMS[perm]),
            topic_filter_type="SINGLE_TAG",
            topic_sys_flag=0,
            order=False,
        )
        addresses = _masters(await self.cluster(), cluster, broker)
        for address in addresses:
            await self._remote.create_topic(address, header)
        await self._relearn(topic)
        return addresses

    async def delete_topic(self, topic: str, *, cluster: str | None = None) -> tuple[str, ...]:
        """Delete a topic on all masters of a cluster and on every name server.

        Args:
            topic: Its name.
            cluster: May be left out when there is only one.

        Returns:
            The addresses of the brokers that were asked to delete it.

        Raises:
            TopicNotFound: There is no such topic.
            ConfigError: The name is not valid, or there is no such cluster.
            BrokerError: A server refused.
            RocketMQError: A server could not be reached.
        """
        await self.route(topic)
        addresses = _masters(await self.cluster(), cluster, None)
        for address in addresses:
            await self._remote.delete_topic_in_broker(address, topic)
        for name_server in self._routing.name_servers:
            await self._remote.delete_topic_in_name_server(name_server, topic)
        self._routing.table.forget(topic)
        return addresses

    async def delete_group(self, group: str, *, cluster: str | None = None) -> None:
        """Delete a consumer group with its positions and its retry topic, on all masters of a cluster.

        Raises:
            ConfigError: There is no such cluster.
            BrokerError: A server refused.
            RocketMQError: A server could not be reached.
        """
        retries = retry_topic(group)
        for address in _masters(await self.cluster(), cluster, None):
            await self._remote.delete_group(address, group)
            await self._remote.delete_topic_in_broker(address, retries)
        for name_server in self._routing.name_servers:
            await self._remote.delete_topic_in_name_server(name_server, retries)

    async def topics(self) -> tuple[str, ...]:
        """The names of all topics, RocketMQ's own among them, sorted.

        Raises:
            NoNameServer: None answers.
        """
        return tuple(sorted(await self._routing.ask(self._remote.topics)))

    async def route(self, topic: str) -> TopicRouteData:
        """Where a topic's queues are, as the name server says now.

        Raises:
            TopicNotFound: There is no such topic.
            ConfigError: The name is not valid.
            NoNameServer: None answers.
        """
        check_topic(topic)
        return await self._routing.ask(lambda address: self._remote.route(address, topic))

    async def cluster(self) -> ClusterInfo:
        """All clusters and their brokers.

        Raises:
            NoNameServer: None answers.
        """
        return await self._routing.ask(self._remote.cluster)

    async def topic_stats(self, topic: str) -> Mapping[MessageQueue, TopicOffset]:
        """The bounds of all queues of a topic, asked of each of its masters.

        Raises:
            TopicNotFound: There is no such topic.
            RocketMQError: A server could not be reached.
        """
        route = await self.route(topic)
        stats: dict[MessageQueue, TopicOffset] = {}
        for broker in sorted(route.broker_datas, key=lambda broker: broker.broker_name):
            if (address := broker.broker_addrs.get(MASTER_ID)) is not None:
                stats |= await self._remote.topic_stats(address, topic)
        return dict(sorted(stats.items()))

    async def _relearn(self, topic: str) -> None:
        """Replace what this client knows of a topic that has just changed."""
        if self._routing.table.get(topic) is not None:
            await self._routing.refresh(topic)


def _masters(info: ClusterInfo, cluster: str | None, broker: str | None) -> tuple[str, ...]:
    """The addresses that a change goes to."""
    if broker is not None:
        names = [name for name in info.broker_addr_table if name == broker]
        wanted = f"broker {broker!r}"
    else:
        cluster = cluster or _only_cluster(info)
        names = sorted(info.cluster_addr_table.get(cluster, ()))
        wanted = f"cluster {cluster!r}"
    groups = [info.broker_addr_table[name].broker_addrs for name in names if name in info.broker_addr_table]
    addresses = tuple(group[MASTER_ID] for group in groups if MASTER_ID in group)
    if not addresses:
        known = ", ".join(sorted(info.cluster_addr_table)) or "none"
        raise ConfigError(f"{wanted} has no master", hint=f"clusters registered now: {known}")
    return addresses


def _only_cluster(info: ClusterInfo) -> str:
    names = sorted(info.cluster_addr_table)
    if len(names) == 1:
        return names[0]
    if not names:
        raise RocketMQError("no broker is registered", hint="start one with 'rmq broker' or 'rmq up'")
    raise ConfigError(f"there are several clusters: {', '.join(names)}", hint="say which with cluster=")
