"""Tells brokers which groups this client has, and takes it back at the end.

One heartbeat holds everything: all producer groups and all consumer groups with their subscriptions.
Without groups nothing is sent. When each broker is due is decided in ``engine.membership``.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import trio

from rocketmq_lite.client.engine.membership import Membership
from rocketmq_lite.errors import ConfigError, RocketMQError
from rocketmq_lite.protocol.bodies import ConsumerData, HeartbeatData, ProducerData
from rocketmq_lite.transport.nursery import ProtectedNursery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import ConsumeMessageDirectlyResult, ConsumerRunningInfo
    from rocketmq_lite.protocol.framing import MessageBatch

__all__ = ["GOODBYE_TIMEOUT", "ConsumerMember", "Heartbeats"]

_log = logging.getLogger(__name__)

GOODBYE_TIMEOUT = 2.0
"""Seconds that brokers get to take the news of our leaving, also when we are being cancelled."""


class ConsumerMember(Protocol):
    """Our part of one consumer group."""

    def balance_soon(self) -> None:
        """The members of the group changed: look again who reads what."""

    def disconnected(self, address: str) -> None:
        """A connection has ended."""

    def running_info(self) -> ConsumerRunningInfo:
        """How it is doing."""

    def move_to(self, offsets: Mapping[MessageQueue, int]) -> None:
        """The group's positions in these queues were set: go on there, where they are ours."""

    def positions(self, topic: str) -> Mapping[MessageQueue, int]:
        """How far it is in its queues of a topic."""

    async def consume_directly(self, message: MessageBatch, broker_name: str) -> ConsumeMessageDirectlyResult:
        """Work on a message that an administrator hands over, and say how that ended.

        Raises:
            BrokerError: It does not.
        """


@dataclass(slots=True)
class _Outcome:
    """How a heartbeat went; ``error`` counts once ``event`` is set."""

    event: trio.Event = field(default_factory=trio.Event)
    error: RocketMQError | None = None


class Heartbeats:
    """The groups of one client.

    Args:
        nursery: Where heartbeats are sent.
        remote: The calls.
        routing: Tells which brokers there are.
        client_id: Who we are.
    """

    def __init__(self, nursery: ProtectedNursery, remote: Remote, routing: Routing, client_id: str) -> None:
        self._nursery = nursery
        self._remote = remote
        self._routing = routing
        self._client_id = client_id
        self._membership = Membership()
        self._producers: set[str] = set()
        self._consumers: dict[str, ConsumerData] = {}
        self._members: dict[str, ConsumerMember] = {}
        self._sending: dict[str, trio.Lock] = {}
        self._wake = trio.Event()
        routing.subscribe(self._wake_up)

    @property
    def known_at(self) -> tuple[str, ...]:
        """The brokers that have us in their tables, as far as we know."""
        return self._membership.known_at

    @property
    def producer_groups(self) -> tuple[str, ...]:
        """The producer groups we are in."""
        return tuple(sorted(self._producers))

    @property
    def consumer_groups(self) -> tuple[str, ...]:
        """The consumer groups we are in."""
        return tuple(sorted(self._consumers))

    def join_producer(self, group: str) -> None:
        """Be in a producer group from now on; brokers hear of it at once."""
        if group not in self._producers:
            self._producers.add(group)
            self._changed()

    def join_consumer(self, data: ConsumerData, member: ConsumerMember) -> None:
        """Be in a consumer group from now on.

        Args:
            data: The group and its subscriptions.
            member: Who is told of changes of the group, and asked how it is doing.

        Raises:
            ConfigError: This client is in the group already: brokers tell members apart by client id.
        """
        group = data.group_name
        if group in self._consumers:
            raise ConfigError(
                f"this client is a member of consumer group {group!r} already",
                hint="open a second client with rmq.connect() for a second member",
            )
        self._consumers[group] = data
        self._members[group] = member
        self._changed()

    async def leave_consumer(self, group: str) -> None:
        """Leave a consumer group; gives brokers :data:`GOODBYE_TIMEOUT`, also while being cancelled."""
        del self._consumers[group], self._members[group]
        self._membership.changed()
        with trio.move_on_after(GOODBYE_TIMEOUT, shield=True):
            await self._unregister(consumer_groups=(group,))

    async def leave_all(self) -> None:
        """Leave every group; gives brokers :data:`GOODBYE_TIMEOUT`, also while being cancelled."""
        producers, consumers = self.producer_groups, self.consumer_groups
        self._producers.clear()
        self._consumers.clear()
        self._members.clear()
        with trio.move_on_after(GOODBYE_TIMEOUT, shield=True):
            await self._unregister(producer_groups=producers, consumer_groups=consumers)

    def members_changed(self, group: str) -> None:
        """A broker said that the members of a group changed."""
        if (member := self._members.get(group)) is not None:
            member.balance_soon()

    def member(self, group: str) -> ConsumerMember | None:
        """Our member of a consumer group; ``None`` if we are not in it."""
        return self._members.get(group)

    def forgotten_by(self, address: str) -> None:
        """A broker does not know us, or no longer: the next :meth:`ensure` tells it."""
        self._membership.forgotten_by(address)

    def disconnected(self, address: str) -> None:
        """A connection has ended, and its broker has forgotten us: tell it again as soon as it can be reached."""
        self._membership.forgotten_by(address)
        for member in self._members.values():
            member.disconnected(address)
        self._wake_up()

    async def ensure(self, address: str) -> None:
        """Make sure that a broker has heard of all our groups.

        Raises:
            RocketMQError: It could not be told.
        """
        if not self._membership.is_due(address, trio.current_time()):
            return
        # Not by the caller: when it is cancelled the heartbeat goes on, and our good-bye must not overtake it.
        done = _Outcome()
        self._nursery.start_soon(self._tell, address, done)
        await done.event.wait()
        if done.error is not None:
            raise done.error

    async def _tell(self, address: str, done: _Outcome) -> None:
        try:
            async with self._sending.setdefault(address, trio.Lock()):
                if self._has_groups and self._membership.is_due(address, trio.current_time()):
                    version = self._membership.version
                    self._membership.telling(address)
                    await self._remote.heartbeat(address, self._data())
                    self._membership.sent(address, version, trio.current_time())
        except RocketMQError as error:
            done.error = error
        finally:
            done.event.set()

    async def beat(self) -> None:
        """Send a heartbeat to every broker that is due; failures are logged and tried again later."""
        if not self._has_groups:
            return
        addresses = self._routing.table.addresses(slaves=bool(self._consumers))
        async with ProtectedNursery() as nursery:
            for address in self._membership.plan(addresses, trio.current_time()):
                nursery.start_soon(self._beat_one, address)

    async def run(self) -> None:
        """Send heartbeats every 30 seconds, and at once when groups or brokers come."""
        while True:
            await self.beat()
            due = self._membership.next_due(trio.current_time()) if self._has_groups else math.inf
            with trio.move_on_at(due):
                await self._wake.wait()
            self._wake = trio.Event()

    @property
    def _has_groups(self) -> bool:
        return bool(self._producers or self._consumers)

    def _changed(self) -> None:
        self._membership.changed()
        self._wake_up()

    def _wake_up(self) -> None:
        self._wake.set()

    def _data(self) -> HeartbeatData:
        return HeartbeatData(
            client_id=self._client_id,
            producer_data_set=tuple(ProducerData(group) for group in self.producer_groups),
            consumer_data_set=tuple(self._consumers.values()),
        )

    async def _beat_one(self, address: str) -> None:
        try:
            await self.ensure(address)
        except RocketMQError as error:
            self._membership.failed(address, trio.current_time())
            _log.info("no heartbeat to %s: %s", address, error)

    async def _unregister(
        self, *, producer_groups: tuple[str, ...] = (), consumer_groups: tuple[str, ...] = ()
    ) -> None:
        async with ProtectedNursery() as nursery:
            for address in self.known_at:
                for group in producer_groups:
                    nursery.start_soon(self._say_goodbye, address, group, None)
                for group in consumer_groups:
                    nursery.start_soon(self._say_goodbye, address, None, group)

    async def _say_goodbye(
        self, address: str, producer_group: str | None, consumer_group: str | None
    ) -> None:
        try:
            async with self._sending.setdefault(
                address, trio.Lock()
            ):  # after a heartbeat that has the group in it
                await self._remote.unregister(
                    address, self._client_id, producer_group=producer_group, consumer_group=consumer_group
                )
        except RocketMQError as error:
            # It forgets us anyway when the connection closes, or after 120 seconds.
            _log.info("could not leave a group at %s: %s", address, error)
