"""Looks for known problems in a whole cluster."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rocketmq_lite.client.administration.part import AdminPart, ask_each
from rocketmq_lite.client.engine.diagnosis import (
    Problem,
    behind_retention,
    different_subscriptions,
    disputed_queues,
    duplicate_client_ids,
)
from rocketmq_lite.client.engine.routes import compile_route
from rocketmq_lite.errors import TopicNotFound
from rocketmq_lite.protocol.reserved import RETRY_PREFIX, dead_letter_topic, is_system_group

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rocketmq_lite.model import MessageQueue

__all__ = ["DoctorAdmin"]

_BROADCASTING = "BROADCASTING"
_PULLING = "CONSUME_PASSIVELY"


class DoctorAdmin(AdminPart):
    """The part of `Admin` that finds out what is wrong."""

    async def problems(self) -> tuple[Problem, ...]:
        """Everything known to be wrong: brokers that do not answer, and the problems of each consumer group.

        Asks every broker, and every consumer that is online. One that hangs makes this wait for 10 seconds.

        Raises:
            NoNameServer: None answers.
        """
        info = await self.cluster()
        addresses = {
            address: f"{name} {broker_id} at {address}"
            for name, broker in sorted(info.broker_addr_table.items())
            for broker_id, address in sorted(broker.broker_addrs.items())
        }
        answers = await ask_each(addresses, self._remote.runtime)
        found = [
            Problem(
                "unreachable",
                addresses[address],
                error.message,
                "see whether it runs, and whether its address leads to it from here",
            )
            for address, error in answers.failures.items()
        ]
        masters = {
            name: address
            for name, address in (await self._all_masters()).items()
            if address in answers.values
        }
        known = await ask_each(masters.values(), self._remote.groups)
        groups = sorted({group for groups in known.values.values() for group in groups})
        for group in groups:
            if not is_system_group(group):
                found += await self._problems_of(group, masters)
        return tuple(found)

    async def group_problems(self, group: str) -> tuple[Problem, ...]:
        """What is wrong with one consumer group.

        Raises:
            NoNameServer: None answers.
        """
        return tuple(await self._problems_of(group, await self._all_masters()))

    async def member_problems(self, group: str) -> tuple[Problem, ...]:
        """Where the members of a consumer group contradict each other.

        Raises:
            NoNameServer: None answers.
        """
        return tuple(await self._problems_of_members(group, await self._all_masters()))

    # --- parts

    async def _problems_of(self, group: str, masters: Mapping[str, str]) -> list[Problem]:
        found = await self._problems_of_members(group, masters)
        found += await self._problems_of_positions(group, masters)
        dead = await self._count(dead_letter_topic(group), masters)
        if dead:
            found.append(
                Problem(
                    "dead-letters",
                    group,
                    f"{dead} messages were given up and are kept in {dead_letter_topic(group)}",
                    f"look at them with `rmq msg tail {dead_letter_topic(group)} --from earliest`",
                )
            )
        return found

    async def _problems_of_members(self, group: str, masters: Mapping[str, str]) -> list[Problem]:
        views = await ask_each(
            masters.values(), lambda address: self._remote.consumer_connection(address, group)
        )
        online = {address: view for address, view in views.values.items() if view is not None}
        if not online:
            return []
        found = duplicate_client_ids(group, [view.connection_set for view in online.values()])
        reached_by = {
            each.client_id: address for address, view in online.items() for each in view.connection_set
        }
        said = await ask_each(
            reached_by, lambda client_id: self._remote.running_info(reached_by[client_id], group, client_id)
        )
        found += different_subscriptions(group, said.values)
        view = next(iter(online.values()))
        # A member that says nothing may read anything; broadcasting members read everything; others are told by brokers.
        if not said.failures and view.message_model != _BROADCASTING and view.consume_type == _PULLING:
            found += disputed_queues(group, await self._readable(view.subscription_table), said.values)
        return found

    async def _readable(self, topics: Iterable[str]) -> list[MessageQueue]:
        """The queues of topics that exist; nobody looks at a %RETRY% topic before its route is known."""
        queues: list[MessageQueue] = []
        for topic in topics:
            if topic.startswith(RETRY_PREFIX):
                continue
            try:
                queues += compile_route(topic, await self._routing.look_up(topic)).readable
            except TopicNotFound:
                continue
        return queues

    async def _problems_of_positions(self, group: str, masters: Mapping[str, str]) -> list[Problem]:
        stats = await ask_each(
            masters.values(), lambda address: self._remote.consume_stats(address, group, None)
        )
        positions = {
            queue: each.consumer_offset
            for found in stats.values.values()
            for queue, each in found.items()
            if each.consumer_offset > 0
        }
        minimums: dict[MessageQueue, int] = {}
        for topic in sorted({queue.topic for queue in positions}):
            bounds = await ask_each(masters.values(), partial(self._remote.topic_stats, topic=topic))
            for found in bounds.values.values():
                minimums |= {queue: each.min_offset for queue, each in found.items()}
        return behind_retention(group, positions, minimums)

    async def _count(self, topic: str, masters: Mapping[str, str]) -> int:
        """How many messages of a topic are kept; 0 when there is no such topic."""
        bounds = await ask_each(masters.values(), partial(self._remote.topic_stats, topic=topic))
        return sum(
            each.max_offset - each.min_offset for found in bounds.values.values() for each in found.values()
        )
