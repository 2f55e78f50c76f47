"""Carries out what the client table decides: tables for the engine, notices for clients, closed connections.

A client learns of every change of its group at once (Apache's ``realTimeNotifyConsumerChange``); a notice is one-way and
goes over the client's own connection.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import FLAG_ONEWAY, Command
from rocketmq_lite.protocol.headers.heartbeat import NotifyConsumerIdsChangedRequestHeader

if TYPE_CHECKING:
    from rocketmq_lite.broker.engine.clients import Changes, ClientTable
    from rocketmq_lite.broker.engine.filters import ConditionTable
    from rocketmq_lite.broker.engine.groups import GroupTable
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.clock import Clock

_log: Final = logging.getLogger(__name__)


class Presence:
    """The one place where a change of the client table has effects."""

    def __init__(
        self,
        owner: EngineOwner,
        clients: ClientTable,
        groups: GroupTable,
        conditions: ConditionTable,
        clock: Clock,
    ) -> None:
        self._owner = owner
        self._clients = clients
        self._groups = groups
        self._conditions = conditions
        self._clock = clock

    def apply(self, changes: Changes) -> None:
        """Tell the engine first: a client that is told of a change may pull at once."""
        for table in changes.tables:
            self._owner.put_subscriptions(table)
            self._conditions.register(table.group, table.subscriptions or (), now_ms=self._clock.wall_ms())
        for notice in changes.notices:
            if self._wants_notices(notice.group):
                request = Command(
                    code=RequestCode.NOTIFY_CONSUMER_IDS_CHANGED,
                    flag=FLAG_ONEWAY,
                    fields=NotifyConsumerIdsChangedRequestHeader(notice.group).to_fields(),
                )
                for conn in notice.connections:
                    self._owner.push(conn, request)
        for discord in changes.discords:
            if discord.over:
                _log.info("consumer group %s: no longer: %s", discord.group, discord.text)
            else:
                _log.warning("consumer group %s: %s", discord.group, discord.text)

    def closed(self, conn: int) -> None:
        """A connection has gone."""
        self.apply(self._clients.closed(conn))

    def expire(self) -> None:
        """Close the connections that have been silent for too long."""
        for conn in self._clients.plan_expiry(self._clock.mono()):
            self._owner.close_connection(conn)
            self.closed(conn)

    def _wants_notices(self, group: str) -> bool:
        known = self._groups.get(group)
        return known is None or known.notify_consumer_ids_changed_enable
