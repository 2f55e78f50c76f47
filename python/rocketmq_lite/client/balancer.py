"""Decides which queues are ours: every 20 seconds, and at once when a broker tells of new members or a route changed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Protocol

import trio

from rocketmq_lite.client.engine.balance import allocate
from rocketmq_lite.client.routing import UNREACHABLE
from rocketmq_lite.errors import BrokerError, ConnectError, RocketMQError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rocketmq_lite.client.consumer_settings import ConsumerSettings
    from rocketmq_lite.client.heartbeats import Heartbeats
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue

__all__ = ["Balancer"]

_log = logging.getLogger(__name__)

_BALANCE_INTERVAL: Final = 20.0
"""Seconds between two looks at who reads what (Java's ``rebalance`` wait interval)."""
_BALANCE_RETRY: Final = 1.0
"""Seconds after a look that failed (Java's ``minInterval``)."""


class Assign(Protocol):
    """Who is told which queues are ours."""

    def __call__(self, topic: str, ours: Sequence[MessageQueue], *, shared: bool) -> None:
        """Read these queues of a topic, and no others of it."""


class Balancer:
    """Shares out the queues of a group's topics.

    Args:
        settings: The group and its topics.
        client_id: Who we are in the group.
        assign: Takes a topic, its queues that are ours, and whether there are other members.
        remote: The calls.
        routing: Tells which queues there are.
        heartbeats: Makes us known to the broker that is asked for the members.

    Attributes:
        members: The client ids of the group as a broker last told them.
    """

    def __init__(
        self,
        settings: ConsumerSettings,
        *,
        client_id: str,
        assign: Assign,
        remote: Remote,
        routing: Routing,
        heartbeats: Heartbeats,
    ) -> None:
        self._settings = settings
        self._client_id = client_id
        self._assign = assign
        self._remote = remote
        self._routing = routing
        self._heartbeats = heartbeats
        self._wanted = trio.Event()
        self._ended = trio.Event()
        self.members: tuple[str, ...] = ()

    def balance_soon(self) -> None:
        """Look again who reads what: members or routes changed."""
        self._wanted.set()

    def end(self) -> None:
        """Share out nothing any more."""
        self._ended.set()

    async def run(self) -> None:
        """Keep the queues that we read equal to those that are ours, until :meth:`end`."""
        pause = _BALANCE_INTERVAL
        while not self._ended.is_set():
            with trio.move_on_after(pause):
                await self._wanted.wait()
            self._wanted = trio.Event()
            try:
                await self.balance()
                pause = _BALANCE_INTERVAL
            except RocketMQError as error:
                if self._ended.is_set():
                    return  # a broker may have forgotten us, as we asked it to
                _log.warning("group %s: the queues could not be shared out: %s", self._settings.group, error)
                pause = _BALANCE_RETRY

    async def balance(self) -> None:
        """Find out which queues are ours, and have them assigned.

        Raises:
            RocketMQError: The members of the group could not be found out for some topic; for the other
                topics everything is done.
        """
        failure: RocketMQError | None = None
        for topic in self._settings.subscriptions:
            if self._routing.table.get(topic) is None:
                continue  # the %RETRY% topic of a new group; the route's coming wakes us
            try:
                members = await self._members(topic)
            except RocketMQError as error:
                failure = error
                continue
            self.members = members
            route = self._routing.table.get(topic)
            if route is not None and not self._ended.is_set():
                ours = allocate(self._settings.strategy, route.readable, members, self._client_id)
                self._assign(topic, ours, shared=len(members) > 1)
        if failure is not None:
            raise failure

    async def _members(self, topic: str) -> tuple[str, ...]:
        """The group's members as one of the topic's brokers knows them; each of them knows all."""
        if self._settings.broadcasting:
            return (self._client_id,)  # every queue is everybody's
        failure: RocketMQError = ConnectError(f"no broker of topic {topic} is known")
        for address in self._routing.table.brokers_of(topic):
            try:
                await self._heartbeats.ensure(address)
                return await self._remote.consumer_ids(address, self._settings.group)
            except UNREACHABLE as error:
                self._heartbeats.forgotten_by(address)
                failure = error
            except BrokerError as error:
                failure = error
        raise failure
