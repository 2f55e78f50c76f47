"""Who is in a consumer or producer group, and how far a consumer group is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rocketmq_lite.client.administration.group_reports import GroupClient, GroupClients, GroupLag, QueueLag
from rocketmq_lite.client.administration.part import AdminPart, ask_each
from rocketmq_lite.protocol.bodies import BlockedQueues

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import (
        Connection,
        ConsumeOffset,
        ConsumerConnection,
        ConsumerRunningInfo,
    )

__all__ = ["MemberAdmin"]


class MemberAdmin(AdminPart):
    """The part of `Admin` that is about the members of groups."""

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
            await self._group_settings(group, masters)
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
        readers = {queue: each for each in clients.members for queue in each.queues or ()}
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
            client_id: _as_it_says(member, answers.values[client_id])
            if client_id in answers.values
            else member
            for client_id, member in members.items()
        }


def _members(online: Mapping[str, ConsumerConnection]) -> dict[str, GroupClient]:
    return {each.client_id: _client(each) for view in online.values() for each in view.connection_set}


def _client(connection: Connection) -> GroupClient:
    return GroupClient(connection.client_id, connection.client_addr, connection.language, connection.version)


def _as_it_says(member: GroupClient, info: ConsumerRunningInfo) -> GroupClient:
    text = info.properties.get(BlockedQueues.PROPERTY)
    blocked = None if text is None else BlockedQueues.decode(text.encode()).queues
    return replace(
        member,
        queues=tuple(sorted(info.mq_table)),
        blocked=None if blocked is None else {each.queue: each for each in blocked},
    )


def _queue_lag(queue: MessageQueue, found: ConsumeOffset, reader: GroupClient | None) -> QueueLag:
    blocked = None if reader is None else reader.blocked
    return QueueLag(
        queue=queue,
        broker_offset=found.broker_offset,
        consumer_offset=found.consumer_offset,
        last_stored_ms=found.last_timestamp,
        client_id=None if reader is None else reader.client_id,
        blocked=None if blocked is None else blocked.get(queue),
        blocked_known=blocked is not None,
        skipped=found.skipped,
    )
