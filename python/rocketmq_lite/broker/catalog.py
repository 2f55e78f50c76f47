"""The door to every change of topics and groups: the table, the engine, the file and the name servers, in this order.

Rules:
- The decision and its effect on table and engine happen without an await in between, so two requests for one name meet
  in the table, never halfway.
- A change is on disk before its requester is answered, and the name servers that know us have been told. One that does
  not answer delays nobody for more than a few seconds.
- A change that cannot be written is reported and kept: memory and engine agree, and the next save writes both.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rocketmq_lite.errors import BrokerError
from rocketmq_lite.protocol.reserved import retry_topic

if TYPE_CHECKING:
    from rocketmq_lite.broker.engine.groups import GroupTable
    from rocketmq_lite.broker.engine.topics import TopicTable
    from rocketmq_lite.broker.events import MissingGroup, MissingTopic
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.broker.services.register import Registrar
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.config_files import SavedDocument
    from rocketmq_lite.protocol.bodies import SubscriptionGroupConfig, TopicConfig

_log: Final = logging.getLogger(__name__)


class Catalog:
    """Topics and groups, with everything that a change of one entails."""

    def __init__(
        self,
        *,
        owner: EngineOwner,
        topics: TopicTable,
        groups: GroupTable,
        topic_file: SavedDocument,
        group_file: SavedDocument,
        registrar: Registrar,
        clock: Clock,
    ) -> None:
        self.topics = topics
        self.groups = groups
        self._owner = owner
        self._topic_file = topic_file
        self._group_file = group_file
        self._registrar = registrar
        self._clock = clock

    def push_all(self) -> None:
        """Give the engine both tables; once, before it listens."""
        for topic in self.topics.all().values():
            self._owner.put_topic(topic)
        for group in self.groups.all().values():
            self._owner.put_group(group)

    async def save(self) -> None:
        """Write the tables whose last change could not be written.

        Raises:
            StoreError: One cannot be written now either.
        """
        await self._topic_file.save_if_owed()
        await self._group_file.save_if_owed()

    # --- topics

    async def put_topic(self, topic: TopicConfig) -> None:
        """Create or replace a topic.

        Raises:
            StoreError: It is in use already, but could not be written.
        """
        self._owner.put_topic(topic)  # first: what the engine refuses must not get into the file
        self.topics.put(topic, now_ms=self._clock.wall_ms())
        await self._topic_file.save()
        await self._registrar.announce(frozenset({topic.topic_name}))

    async def mark_ordered(self, names: frozenset[str]) -> None:
        """Mark those of these topics that exist as having an order configuration.

        The mark is never taken off here: what name servers know of it may be incomplete (Apache does the same).

        Raises:
            StoreError: As ``put_topic``.
        """
        for name in sorted(names):
            topic = self.topics.get(name)
            if topic is not None and not topic.order:
                await self.put_topic(replace(topic, order=True))

    async def remove_topic(self, name: str) -> None:
        """Delete a topic with its messages and every group's offsets in it.

        Raises:
            StoreError: It is gone already, but that could not be written.
        """
        self._owner.remove_topic(name)
        self._owner.remove_offsets(topic=name)
        if self.topics.remove(name, now_ms=self._clock.wall_ms()):
            await self._topic_file.save()
            await self._registrar.announce(None)

    async def create_missing_topic(self, missing: MissingTopic) -> None:
        """Create the topic that sends wait for, or refuse them; either way they are released."""
        if self.topics.get(missing.name) is None:
            try:
                topic = self.topics.plan_auto_create(
                    missing.name,
                    default_topic=missing.default_topic,
                    queue_nums=missing.queue_nums,
                    unit=missing.unit,
                )
            except BrokerError as refusal:
                self._owner.refuse_topic(missing.name, refusal)
                return
            try:
                await self.put_topic(topic)
            finally:
                self._owner.retry_topic(missing.name)
        else:
            self._owner.retry_topic(missing.name)

    async def ensure_retry_topic(self, group: SubscriptionGroupConfig, *, sys_flag: int) -> None:
        """Create a group's retry topic if it does not exist and the group wants one.

        Raises:
            StoreError: As ``put_topic``.
        """
        name = retry_topic(group.group_name)
        if group.retry_queue_nums > 0 and self.topics.get(name) is None:
            await self.put_topic(
                self.topics.plan_retry_topic(name, queues=group.retry_queue_nums, sys_flag=sys_flag)
            )

    # --- groups

    async def put_group(self, group: SubscriptionGroupConfig) -> None:
        """Create or replace a group.

        Raises:
            StoreError: It is in use already, but could not be written.
        """
        self._owner.put_group(group)  # first, as above
        self.groups.put(group, now_ms=self._clock.wall_ms())
        await self._group_file.save()

    async def remove_group(self, name: str, *, clean_offsets: bool) -> None:
        """Delete a group, with its offsets if that is wished.

        Raises:
            StoreError: It is gone already, but that could not be written.
        """
        self._owner.remove_group(name, clean_offsets=clean_offsets)
        if self.groups.remove(name, now_ms=self._clock.wall_ms()):
            await self._group_file.save()

    async def ensure_group(self, name: str) -> SubscriptionGroupConfig:
        """The group of that name, created with Apache's defaults when it does not exist.

        Raises:
            BrokerError: 26: it does not exist and is not created by use.
            StoreError: As ``put_group``.
        """
        known = self.groups.get(name)
        if known is None:
            known = self.groups.plan_auto_create(name)
            await self.put_group(known)
        return known

    async def create_missing_group(self, missing: MissingGroup) -> None:
        """Create the group that requests wait for, or refuse them; either way they are released."""
        try:
            await self.ensure_group(missing.name)
        except BrokerError as refusal:
            self._owner.refuse_group(missing.name, refusal)
            return
        except BaseException:
            self._owner.retry_group(missing.name)
            raise
        self._owner.retry_group(missing.name)
