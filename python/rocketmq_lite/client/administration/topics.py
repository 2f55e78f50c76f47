"""Topics: create, change, delete, list, and how full they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.administration.part import AdminPart, ask_each, chosen
from rocketmq_lite.client.engine.names import check_topic
from rocketmq_lite.client.engine.routes import MASTER_ID
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.model import Perm
from rocketmq_lite.protocol.headers.topic import CreateTopicRequestHeader
from rocketmq_lite.protocol.reserved import TEMPLATE_TOPIC

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import TopicConfig, TopicOffset, TopicRouteData

__all__ = ["TopicAdmin"]

_DEFAULT_QUEUES: Final = 8
_MAX_QUEUES: Final = 65_535
_PERMS: Final[Mapping[str, Perm]] = {"rw": Perm.READ | Perm.WRITE, "r": Perm.READ, "w": Perm.WRITE}


class TopicAdmin(AdminPart):
    """The part of `Admin` that is about topics."""

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
        return await self._routing.look_up(topic)

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
            The names of the brokers that have it now.

        Raises:
            ConfigError: An argument is not valid, or there is no such cluster or broker.
            BrokerError: A broker refused.
            RocketMQError: A server could not be reached.
        """
        check_topic(topic)
        header = CreateTopicRequestHeader(
            topic=topic,
            default_topic=TEMPLATE_TOPIC,
            read_queue_nums=_check_queues(queues),
            write_queue_nums=queues,
            perm=_check_perm(perm),
            topic_filter_type="SINGLE_TAG",
            topic_sys_flag=0,
            order=False,
        )
        masters = await self._masters(cluster, broker)
        for address in masters.values():
            await self._remote.create_topic(address, header)
        await self._relearn(topic)
        return tuple(masters)

    async def topic_settings(self, topic: str) -> Mapping[str, TopicConfig]:
        """A topic's settings on each broker that has it, by broker name.

        Raises:
            TopicNotFound: There is no such topic.
            RocketMQError: A server could not be reached.
        """
        masters = await self._masters_of(topic)
        found = await ask_each(masters, lambda name: self._remote.topic_config(masters[name], topic))
        return found.all()

    async def alter_topic(
        self,
        topic: str,
        *,
        read_queues: int | None = None,
        write_queues: int | None = None,
        perm: str | None = None,
        broker: str | None = None,
    ) -> Mapping[str, TopicConfig]:
        """Change settings of a topic on the brokers that have it; what is not given stays as it is.

        Fewer queues hide messages: those in queues that are no longer read stay stored and are not
        delivered. To take queues away, lower ``write_queues`` first, and ``read_queues`` when consumers
        have finished.

        Args:
            topic: Its name.
            read_queues: Queues on each broker that consumers read.
            write_queues: Queues on each broker that producers choose from.
            perm: ``"rw"``, ``"r"`` or ``"w"``.
            broker: On this broker alone.

        Returns:
            The settings that it has now, by broker name.

        Raises:
            TopicNotFound: There is no such topic.
            ConfigError: An argument is not valid, or the broker does not have the topic.
            BrokerError: A broker refused.
            RocketMQError: A server could not be reached.
        """
        changes: dict[str, int] = {}
        if read_queues is not None:
            changes["read_queue_nums"] = _check_queues(read_queues)
        if write_queues is not None:
            changes["write_queue_nums"] = _check_queues(write_queues)
        if perm is not None:
            changes["perm"] = _check_perm(perm)
        known = chosen(await self.topic_settings(topic), broker, f"topic {topic}")
        masters = await self._masters_of(topic)
        altered = {name: replace(config, **changes) for name, config in known.items()}  # type: ignore[arg-type]
        for name, config in altered.items():
            await self._remote.create_topic(masters[name], _header(config))
        await self._relearn(topic)
        return altered

    async def delete_topic(self, topic: str, *, cluster: str | None = None) -> tuple[str, ...]:
        """Delete a topic on all masters and on every name server.

        Args:
            topic: Its name.
            cluster: Only on the masters of this cluster; brokers of others keep it.

        Returns:
            The names of the brokers that were asked to delete it.

        Raises:
            TopicNotFound: There is no such topic.
            ConfigError: The name is not valid, or there is no such cluster.
            BrokerError: A server refused.
            RocketMQError: A server could not be reached.
        """
        await self.route(topic)
        masters = await self._masters_to_clear(cluster)
        await self._remove_topic(topic, masters.values(), cluster)
        return tuple(masters)

    async def topic_stats(self, topic: str) -> Mapping[MessageQueue, TopicOffset]:
        """The bounds of all queues of a topic, asked of each of its masters.

        Raises:
            TopicNotFound: There is no such topic.
            RocketMQError: A server could not be reached.
        """
        masters = await self._masters_of(topic)
        found = await ask_each(masters.values(), lambda address: self._remote.topic_stats(address, topic))
        stats = {queue: bounds for each in found.all().values() for queue, bounds in each.items()}
        return dict(sorted(stats.items()))

    async def _masters_of(self, topic: str) -> dict[str, str]:
        """The masters that have a topic, by broker name."""
        route = await self.route(topic)
        return {
            broker.broker_name: address
            for broker in sorted(route.broker_datas, key=lambda broker: broker.broker_name)
            if (address := broker.broker_addrs.get(MASTER_ID)) is not None
        }

    async def _relearn(self, topic: str) -> None:
        """Replace what this client knows of a topic that has just changed."""
        if self._routing.table.get(topic) is not None:
            await self._routing.refresh(topic)


def _check_queues(queues: int) -> int:
    if not 1 <= queues <= _MAX_QUEUES:
        raise ConfigError(f"{queues} queues are not possible", hint=f"give 1 to {_MAX_QUEUES}")
    return queues


def _check_perm(perm: str) -> int:
    if perm not in _PERMS:
        raise ConfigError(f"permission {perm!r} is unknown", hint="give 'rw', 'r' or 'w'")
    return int(_PERMS[perm])


def _header(config: TopicConfig) -> CreateTopicRequestHeader:
    """The request that gives a topic these settings; attributes it has stay, as no change of them is asked for."""
    return CreateTopicRequestHeader(
        topic=config.topic_name,
        default_topic=TEMPLATE_TOPIC,
        read_queue_nums=config.read_queue_nums,
        write_queue_nums=config.write_queue_nums,
        perm=config.perm,
        topic_filter_type=config.topic_filter_type,
        topic_sys_flag=config.topic_sys_flag,
        order=config.order,
    )
