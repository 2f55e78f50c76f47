"""What clients say about themselves: heartbeats and good-byes.

Surprise: a heartbeat never fails because of one of its groups. A consumer group that does not exist and may not be created
is left out, as Apache's broker does; the client finds out when it pulls.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rocketmq_lite.broker.engine.clients import Member
from rocketmq_lite.errors import BrokerError, StoreError
from rocketmq_lite.protocol.bodies import HeartbeatData
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.headers.heartbeat import UnregisterClientRequestHeader

if TYPE_CHECKING:
    from rocketmq_lite.broker.catalog import Catalog
    from rocketmq_lite.broker.engine.clients import ClientTable
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.broker.presence import Presence
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.protocol.bodies import ConsumerData
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler

_log: Final = logging.getLogger(__name__)
_UNIT_SUBSCRIPTION_FLAG: Final = 2


class HeartbeatHandlers:
    """Heartbeats and good-byes."""

    def __init__(self, *, catalog: Catalog, clients: ClientTable, presence: Presence, clock: Clock) -> None:
        self._catalog = catalog
        self._clients = clients
        self._presence = presence
        self._clock = clock

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {
            RequestCode.HEART_BEAT: self.heartbeat,
            RequestCode.UNREGISTER_CLIENT: self.unregister,
        }

    async def heartbeat(self, caller: Caller, request: Command) -> Command:
        """A client says which groups it belongs to and what they subscribe to."""
        heartbeat = HeartbeatData.decode(request.body)
        known = [consumer for consumer in heartbeat.consumer_data_set if await self._ensure_group(consumer)]
        member = Member(
            caller.conn,
            heartbeat.client_id,
            caller.address,
            request.language,
            request.version,
            seen_ms=self._clock.wall_ms(),
        )
        outcome = self._clients.heartbeat(
            member, replace(heartbeat, consumer_data_set=tuple(known)), now=self._clock.mono()
        )
        self._presence.apply(outcome.changes)
        wants = heartbeat.heartbeat_fingerprint == 0 or outcome.wants_subscriptions
        return request.answer(
            fields={"IS_SUPPORT_HEART_BEAT_V2": "true", "IS_SUB_CHANGE": "true" if wants else "false"}
        )

    async def unregister(self, caller: Caller, request: Command) -> Command:
        """A client leaves a group."""
        header = UnregisterClientRequestHeader.from_fields(request.fields)
        self._presence.apply(
            self._clients.unregister(
                caller.conn, consumer_group=header.consumer_group, producer_group=header.producer_group
            )
        )
        return request.answer()

    async def _ensure_group(self, consumer: ConsumerData) -> bool:
        """Create what the group needs; a disk that refuses to write it down does not cut off the group."""
        sys_flag = _UNIT_SUBSCRIPTION_FLAG if consumer.unit_mode else 0
        try:
            group = await self._catalog.ensure_group(consumer.group_name)
            await self._catalog.ensure_retry_topic(group, sys_flag=sys_flag)
        except BrokerError as refusal:
            _log.info("a heartbeat's group was left out: %s", refusal.remark)
            return False
        except StoreError as error:
            _log.error("group %s exists, but that was not written: %s", consumer.group_name, error)
        return True
