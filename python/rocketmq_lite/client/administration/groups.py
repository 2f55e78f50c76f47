"""Consumer and producer groups: create, change, delete, list, who is in them and how far they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.administration.group_reports import (
    GroupClient,
    GroupClients,
    GroupLag,
    GroupSummary,
    QueueLag,
)
from rocketmq_lite.client.administration.part import AdminPart, ask_each, chosen
from rocketmq_lite.client.engine.names import check_group
from rocketmq_lite.errors import ConfigError, GroupNotFound
from rocketmq_lite.protocol.bodies import SubscriptionGroupConfig
from rocketmq_lite.protocol.codes import ResponseCode
from rocketmq_lite.protocol.explanations import advice_on
from rocketmq_lite.protocol.reserved import dead_letter_topic, retry_topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import (
        Connection,
        ConsumeOffset,
        ConsumerConnection,
    )

__all__ = ["GroupAdmin"]


_MAX_RETRIES: Final = 2**31 - 1
"""What a Java ``int`` has room for."""


class GroupAdmin(AdminPart):
    """The part of `Admin` that is about groups."""

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
        return await self._settings_of(group, await self._all_masters())

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
        known = chosen(await self._settings_of(group, masters), broker, f"group {group}")
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

    async def group_clients(self, group: str, *, queues: bool = True) -> GroupClients:
        """The members of a consumer group, and what it subscribes to.

        Args:
            group: Its name.
            queues: Also ask each member which queues it reads. One that hangs makes this wait for 10 seconds.

        Raises:
            GroupNotFound: No broker knows it.
            RocketMQError: A server could not be reached.
        """
        masters = await self._all_masters()
        found = (
            await ask_each(masters.values(), lambda address: self._remote.consumer_connection(address, group))
        ).all()
        online = {address: each for address, each in found.items() if each is not None}
        if not online:
            await self._settings_of(group, masters)
            return GroupClients(group, None, None, None, {}, ())
        members = _members(online)
        if queues:
            members = await self._with_queues(group, members, online)
        first = next(iter(online.values()))
        return GroupClients(
            group=group,
            consume_type=first.consume_type,
            message_model=first.message_model,
            consume_from_where=first.consume_from_where,
            subscriptions={
                topic: each for view in online.values() for topic, each in view.subscription_table.items()
            },
            members=tuple(members[client_id] for client_id in sorted(members)),
        )

    async def group_lag(self, group: str, *, topic: str | None = None) -> GroupLag:
        """How far a consumer group is in each of its queues, and who reads them.

        Args:
            group: Its name.
            topic: Only the queues of this topic.

        Raises:
            GroupNotFound: No broker knows it.
            RocketMQError: A server could not be reached.
        """
        clients = await self.group_clients(group)
        readers = {queue: each.client_id for each in clients.members for queue in each.queues or ()}
        masters = await self._all_masters()
        found = await ask_each(
            masters.values(), lambda address: self._remote.consume_stats(address, group, topic)
        )
        positions = {queue: each for stats in found.all().values() for queue, each in stats.items()}
        return GroupLag(
            group,
            len(clients.members),
            tuple(_queue_lag(queue, positions[queue], readers.get(queue)) for queue in sorted(positions)),
        )

    async def producers(self, group: str) -> tuple[GroupClient, ...]:
        """The members of a producer group, by client id; none when nobody is connected.

        Raises:
            RocketMQError: A server could not be reached.
        """
        masters = await self._all_masters()
        found = await ask_each(
            masters.values(), lambda address: self._remote.producer_connection(address, group)
        )
        members = {
            each.client_id: _client(each) for view in found.all().values() for each in view.connection_set
        }
        return tuple(members[client_id] for client_id in sorted(members))

    # --- parts

    async def _settings_of(
        self, group: str, masters: Mapping[str, str]
    ) -> dict[str, SubscriptionGroupConfig]:
        # Asking for the one group (352) would create it.
        known = (await ask_each(masters.values(), self._remote.groups)).all()
        found = {name: known[address][group] for name, address in masters.items() if group in known[address]}
        if not found:
            code = ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST
            raise GroupNotFound(code, f"no broker knows consumer group {group}", hint=advice_on(code))
        return found

    async def _with_queues(
        self, group: str, members: Mapping[str, GroupClient], online: Mapping[str, ConsumerConnection]
    ) -> dict[str, GroupClient]:
        """The same members with what each of them says that it reads."""
        reached_by = {
            each.client_id: address for address, view in online.items() for each in view.connection_set
        }
        answers = await ask_each(
            members, lambda client_id: self._remote.running_info(reached_by[client_id], group, client_id)
        )
        return {
            client_id: replace(member, queues=tuple(sorted(answers.values[client_id].mq_table)))
            if client_id in answers.values
            else member
            for client_id, member in members.items()
        }


def _summary(
    group: str, brokers: tuple[str, ...], views: Iterable[ConsumerConnection | None]
) -> GroupSummary:
    online = [view for view in views if view is not None]
    members = {each.client_id for view in online for each in view.connection_set}
    return GroupSummary(group, brokers, len(members), online[0].message_model if online else None)


def _members(online: Mapping[str, ConsumerConnection]) -> dict[str, GroupClient]:
    return {each.client_id: _client(each) for view in online.values() for each in view.connection_set}


def _client(connection: Connection) -> GroupClient:
    return GroupClient(connection.client_id, connection.client_addr, connection.language, connection.version)


def _queue_lag(queue: MessageQueue, found: ConsumeOffset, client_id: str | None) -> QueueLag:
    return QueueLag(
        queue=queue,
        broker_offset=found.broker_offset,
        consumer_offset=found.consumer_offset,
        last_stored_ms=found.last_timestamp,
        client_id=client_id,
    )


def _check_retries(times: int) -> int:
    if not 0 <= times <= _MAX_RETRIES:
        raise ConfigError(f"{times} retries are not possible", hint=f"give 0 to {_MAX_RETRIES}")
    return times
