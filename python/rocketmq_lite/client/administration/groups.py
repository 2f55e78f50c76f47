"""Consumer groups: create, change, delete, list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.administration.group_reports import GroupSummary
from rocketmq_lite.client.administration.part import AdminPart, ask_each, chosen
from rocketmq_lite.client.engine.names import check_group
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.protocol.bodies import SubscriptionGroupConfig
from rocketmq_lite.protocol.reserved import dead_letter_topic, retry_topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rocketmq_lite.protocol.bodies import ConsumerConnection

__all__ = ["GroupAdmin"]


_MAX_RETRIES: Final = 2**31 - 1
"""What a Java ``int`` has room for."""


class GroupAdmin(AdminPart):
    """The part of `Admin` that is about consumer groups and their settings."""

    async def groups(self) -> tuple[GroupSummary, ...]:
        """All consumer groups, RocketMQ's own among them, sorted.

        Raises:
            RocketMQError: A server could not be reached.
        """
        masters = await self._all_masters()
        known = (await ask_each(masters.values(), self._remote.groups)).all()
        brokers: dict[str, list[str]] = {}
        for name, address in masters.items():
            for group in known[address]:
                brokers.setdefault(group, []).append(name)
        places = [(group, masters[name]) for group, names in brokers.items() for name in names]
        online = (
            await ask_each(places, lambda each: self._remote.consumer_connection(each[1], each[0]))
        ).all()
        return tuple(
            _summary(group, tuple(names), [online[group, masters[name]] for name in names])
            for group, names in sorted(brokers.items())
        )

    async def group_names(self) -> tuple[str, ...]:
        """The names of all consumer groups, RocketMQ's own among them, sorted.

        Raises:
            RocketMQError: A server could not be reached.
        """
        masters = await self._all_masters()
        known = (await ask_each(masters.values(), self._remote.groups)).all()
        return tuple(sorted({group for groups in known.values() for group in groups}))

    async def group(self, group: str) -> Mapping[str, SubscriptionGroupConfig]:
        """The settings of a consumer group on each broker that knows it, by broker name.

        Raises:
            GroupNotFound: No broker knows it.
            RocketMQError: A server could not be reached.
        """
        return await self._group_settings(group, await self._all_masters())

    async def create_group(
        self,
        group: str,
        *,
        retry_max_times: int = 16,
        consume_enable: bool = True,
        broadcast_enable: bool = True,
        orderly: bool = False,
        cluster: str | None = None,
        broker: str | None = None,
    ) -> tuple[str, ...]:
        """Create a consumer group, or give one that exists exactly these settings.

        Args:
            group: Its name.
            retry_max_times: How often a message that could not be consumed comes again before it is given up.
            consume_enable: Whether its members get messages at all.
            broadcast_enable: Whether its members may consume in broadcasting mode.
            orderly: Whether it consumes each queue in order.
            cluster: On all masters of this cluster; may be left out when there is only one.
            broker: On the master of this broker name alone.

        Returns:
            The names of the brokers that have it now.

        Raises:
            ConfigError: An argument is not valid, or there is no such cluster or broker.
            BrokerError: A broker refused.
            RocketMQError: A server could not be reached.
        """
        config = SubscriptionGroupConfig(
            group_name=check_group(group),
            retry_max_times=_check_retries(retry_max_times),
            consume_enable=consume_enable,
            consume_broadcast_enable=broadcast_enable,
            consume_message_orderly=orderly,
        )
        masters = await self._masters(cluster, broker)
        for address in masters.values():
            await self._remote.put_group(address, config)
        return tuple(masters)

    async def alter_group(
        self,
        group: str,
        *,
        retry_max_times: int | None = None,
        consume_enable: bool | None = None,
        broadcast_enable: bool | None = None,
        orderly: bool | None = None,
        broker: str | None = None,
    ) -> Mapping[str, SubscriptionGroupConfig]:
        """Change settings of a consumer group on the brokers that know it; what is not given stays as it is.

        The arguments are those of :meth:`create_group`.

        Returns:
            The settings that it has now, by broker name.

        Raises:
            GroupNotFound: No broker knows it.
            ConfigError: An argument is not valid, or the broker does not know the group.
            BrokerError: A broker refused.
            RocketMQError: A server could not be reached.
        """
        wanted = {
            "retry_max_times": None if retry_max_times is None else _check_retries(retry_max_times),
            "consume_enable": consume_enable,
            "consume_broadcast_enable": broadcast_enable,
            "consume_message_orderly": orderly,
        }
        changes = {name: value for name, value in wanted.items() if value is not None}
        masters = await self._all_masters()
        known = chosen(await self._group_settings(group, masters), broker, f"group {group}")
        altered = {name: replace(config, **changes) for name, config in known.items()}  # type: ignore[arg-type]
        for name, config in altered.items():
            await self._remote.put_group(masters[name], config)
        return altered

    async def delete_group(self, group: str, *, cluster: str | None = None) -> tuple[str, ...]:
        """Delete a consumer group with its positions, retry topic and dead letters, on all masters.

        Members that are connected create it again, and begin where a new group does.

        Args:
            group: Its name; one that is not there is deleted already.
            cluster: Only on the masters of this cluster.

        Returns:
            The names of the brokers that were asked to delete it.

        Raises:
            ConfigError: There is no such cluster.
            BrokerError: A server refused.
            RocketMQError: A server could not be reached.
        """
        masters = await self._masters_to_clear(cluster)
        for address in masters.values():
            await self._remote.delete_group(address, group)
        for topic in (retry_topic(group), dead_letter_topic(group)):
            await self._remove_topic(topic, masters.values(), cluster)
        return tuple(masters)


def _summary(
    group: str, brokers: tuple[str, ...], views: Iterable[ConsumerConnection | None]
) -> GroupSummary:
    online = [view for view in views if view is not None]
    members = {each.client_id for view in online for each in view.connection_set}
    return GroupSummary(group, brokers, len(members), online[0].message_model if online else None)


def _check_retries(times: int) -> int:
    if not 0 <= times <= _MAX_RETRIES:
        raise ConfigError(f"{times} retries are not possible", hint=f"give 0 to {_MAX_RETRIES}")
    return times
