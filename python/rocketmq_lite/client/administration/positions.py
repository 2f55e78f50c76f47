"""Setting a consumer group's positions: planned first, so that it can be looked at, then done.

A broker that is told a position keeps it whatever the group's members commit until they have heard of it, which they do with
their next pull; so it makes no difference whether the group is online.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.client.administration.part import AdminPart, ask_each
from rocketmq_lite.client.places import bounds_of, offset_at
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.protocol.reserved import RETRY_PREFIX
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rocketmq_lite.client.places import Place
    from rocketmq_lite.model import MessageQueue

__all__ = ["PositionAdmin", "PositionChange"]


@dataclass(frozen=True, slots=True)
class PositionChange:
    """What setting a group's position means in one queue.

    Attributes:
        queue: Which one.
        before: The next message that the group would consume; ``None`` where it has no position.
        after: The next message that it will consume.
    """

    queue: MessageQueue
    before: int | None
    after: int

    @property
    def again(self) -> int:
        """How many messages will be consumed once more."""
        return 0 if self.before is None else max(self.before - self.after, 0)

    @property
    def skipped(self) -> int:
        """How many messages will not be consumed."""
        return 0 if self.before is None else max(self.after - self.before, 0)


class PositionAdmin(AdminPart):
    """The part of `Admin` that sets positions."""

    async def plan_reset(
        self, group: str, topic: str, to: Place, *, queue: int | MessageQueue | None = None
    ) -> tuple[PositionChange, ...]:
        """What it would mean to set a group's positions in a topic; nothing is changed.

        Args:
            group: The consumer group, online or not.
            topic: The topic.
            to: Where it is to go on in each queue; an offset has to be one of every queue concerned.
            queue: Only the queues of this number, or this one queue.

        Raises:
            GroupNotFound: No broker knows the group.
            TopicNotFound: There is no such topic.
            ConfigError: The topic has no such queue, or a queue no such offset.
            RocketMQError: A server could not be reached.
        """
        await self._group_settings(group, await self._all_masters())
        places = await self._places(topic, queue)

        async def plan(each: MessageQueue) -> PositionChange:
            before = await self._remote.query_offset(places[each], group, each)
            return PositionChange(each, before, await offset_at(self._remote, places[each], each, to))

        return tuple((await ask_each(places, plan)).all().values())

    async def plan_clone(
        self, source: str, target: str, *, topic: str | None = None
    ) -> tuple[PositionChange, ...]:
        """What it would mean to give one group the positions of another; nothing is changed.

        What came back to the source by its ``%RETRY%`` topic stays its own. A position that points to nothing any more
        becomes the nearest one that does.

        Args:
            source: Whose positions.
            target: Who gets them.
            topic: Only those in this topic.

        Raises:
            GroupNotFound: No broker knows one of the groups.
            TopicNotFound: There is no such topic.
            RocketMQError: A server could not be reached.
        """
        all_masters = await self._all_masters()
        for group in (source, target):
            await self._group_settings(group, all_masters)
        topics = [topic] if topic is not None else await self._topics_read_by(source, all_masters.values())
        found: list[PositionChange] = []
        for each in topics:
            found.extend(await self._plan_clone_of(source, target, each))
        return tuple(found)

    async def move_group(self, group: str, changes: Iterable[PositionChange]) -> None:
        """Set a group's positions as planned, queue by queue; members that are online go on there.

        Raises:
            ConfigError: A broker of the plan has gone.
            BrokerError: A broker refused, for instance because a queue has lost that offset meanwhile; the queues before it
                are done.
            RocketMQError: A server could not be reached.
        """
        masters = await self._all_masters()
        for change in changes:
            name = change.queue.broker_name
            if name not in masters:
                raise ConfigError(
                    f"broker {name!r} has no master any more", hint="`rmq cluster ls` shows who is there"
                )
            await self._remote.set_position(masters[name], group, change.queue, change.after)

    # --- parts

    async def _places(self, topic: str, wanted: int | MessageQueue | None) -> dict[MessageQueue, str]:
        """The queues concerned, each with the master that has it."""
        places = await self._queues_of(topic)
        chosen = {
            queue: address for queue, address in places.items() if wanted in {None, queue, queue.queue_id}
        }
        if not chosen:
            raise ConfigError(
                f"topic {topic} has no such queue", hint=f"`rmq topic show {topic}` lists its queues"
            )
        return chosen

    async def _topics_read_by(self, group: str, addresses: Iterable[str]) -> list[str]:
        found = await ask_each(addresses, lambda address: self._remote.topics_of_group(address, group))
        topics = {topic for names in found.all().values() for topic in names}
        return sorted(topic for topic in topics if not topic.startswith(RETRY_PREFIX))

    async def _plan_clone_of(self, source: str, target: str, topic: str) -> list[PositionChange]:
        places = await self._queues_of(topic)

        async def plan(queue: MessageQueue) -> PositionChange | None:
            position = await self._remote.query_offset(places[queue], source, queue)
            if position is None:
                return None
            first, end = await bounds_of(self._remote, places[queue], queue)
            before = await self._remote.query_offset(places[queue], target, queue)
            return PositionChange(queue, before, min(max(position, first), end))

        return [each for each in (await ask_each(places, plan)).all().values() if each is not None]
