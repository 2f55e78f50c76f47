"""A member's place in its group: told to the brokers, with its share of the queues, and given up again.

What is done with the queues is the member's matter: consumers push messages to the application, pullers wait to be asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.client.balancer import Balancer
from rocketmq_lite.client.preflight import check_conditions

if TYPE_CHECKING:
    from rocketmq_lite.client.balancer import Assign
    from rocketmq_lite.client.consumer_settings import ConsumerSettings
    from rocketmq_lite.client.heartbeats import ConsumerMember, Heartbeats
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing

__all__ = ["Enrolment"]


class Enrolment:
    """One client in one consumer group.

    Args:
        settings: The group and its topics.
        client_id: Who we are in the group.
        assign: Takes a topic, its queues that are ours, and whether there are other members.
        remote: The calls.
        routing: Tells which brokers and queues there are.
        heartbeats: Tell the brokers.

    Attributes:
        balancer: Finds out which queues are ours.
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
        self._remote = remote
        self._routing = routing
        self._heartbeats = heartbeats
        self.balancer = Balancer(
            settings,
            client_id=client_id,
            assign=assign,
            remote=remote,
            routing=routing,
            heartbeats=heartbeats,
        )

    def register(self, member: ConsumerMember) -> None:
        """Be in the group: from now on heartbeats tell it. :meth:`leave` has to follow.

        Raises:
            ConfigError: This client is in the group already.
        """
        self._heartbeats.join_consumer(self._settings.membership, member)
        self._routing.subscribe(self.balancer.balance_soon)

    async def announce(self) -> None:
        """Tell the brokers.

        Raises:
            BrokerError: A broker cannot evaluate a condition.
        """
        await check_conditions(
            self._settings.membership, client_id=self._client_id, remote=self._remote, routing=self._routing
        )
        await self._heartbeats.beat()

    def stop_sharing(self) -> None:
        """Share out nothing any more."""
        self.balancer.end()
        self._routing.unsubscribe(self.balancer.balance_soon)

    async def leave(self) -> None:
        """Tell the brokers that we are gone."""
        await self._heartbeats.leave_consumer(self._settings.group)
