"""Consumer groups: create, change, delete, list, and how far they have come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import (
    ConsumeOffset,
    ConsumeStats,
    GroupList,
    SubscriptionGroupConfig,
    SubscriptionGroupList,
    TopicList,
)
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.framing import json_dumps
from rocketmq_lite.protocol.headers.group import (
    DeleteSubscriptionGroupRequestHeader,
    GetConsumeStatsRequestHeader,
    GetSubscriptionGroupConfigRequestHeader,
    QueryTopicsByConsumerRequestHeader,
)
from rocketmq_lite.protocol.headers.topic import TopicRequestHeader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rocketmq_lite.broker.catalog import Catalog
    from rocketmq_lite.broker.engine.clients import ClientTable
    from rocketmq_lite.broker.engine.offsets import CommittedOffset
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.broker.plane import EngineOwner
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler


class GroupHandlers:
    """Requests about consumer groups."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        owner: EngineOwner,
        clients: ClientTable,
        broker_name: str,
        address: str,
    ) -> None:
        self._catalog = catalog
        self._owner = owner
        self._clients = clients
        self._broker_name = broker_name
        self._address = address

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {
            RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: self.put,
            RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST: self.put_all,
            RequestCode.DELETE_SUBSCRIPTIONGROUP: self.remove,
            RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG: self.show,
            RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG: self.show_all,
            RequestCode.GET_CONSUME_STATS: self.statistics,
            RequestCode.QUERY_TOPIC_CONSUME_BY_WHO: self.readers,
            RequestCode.QUERY_TOPICS_BY_CONSUMER: self.topics,
        }

    async def put(self, _caller: Caller, request: Command) -> Command:
        """Create a group or change it."""
        await self._put([SubscriptionGroupConfig.decode(request.body)])
        return request.answer()

    async def put_all(self, _caller: Caller, request: Command) -> Command:
        """Create or change several groups; none, if one of them cannot be."""
        await self._put(SubscriptionGroupList.decode(request.body).group_config_list)
        return request.answer()

    async def remove(self, _caller: Caller, request: Command) -> Command:
        """Delete a group; one that is not there is deleted already."""
        header = DeleteSubscriptionGroupRequestHeader.from_fields(request.fields)
        await self._catalog.remove_group(header.group_name, clean_offsets=bool(header.clean_offset))
        return request.answer()

    async def show(self, _caller: Caller, request: Command) -> Command:
        """The settings of a group, which is created by this question if groups are created by use."""
        name = GetSubscriptionGroupConfigRequestHeader.from_fields(request.fields).group
        return request.answer(body=(await self._catalog.ensure_group(name)).encode())

    async def show_all(self, _caller: Caller, request: Command) -> Command:
        """The settings of all groups, with the version of the whole."""
        return request.answer(body=json_dumps(self._catalog.groups.picture()))

    async def statistics(self, _caller: Caller, request: Command) -> Command:
        """How far a group has come in each queue it reads, or in those of one topic."""
        header = GetConsumeStatsRequestHeader.from_fields(request.fields)
        stored = [each for each in await self._owner.offsets() if each.group == header.consumer_group]
        wanted = set(header.topic_list.split(";")) if header.topic_list else set()
        if header.topic:
            wanted.add(header.topic)
        table: dict[MessageQueue, ConsumeOffset] = {}
        for topic in sorted(wanted or {each.topic for each in stored}):
            if self._is_read(header.consumer_group, topic):
                table.update(await self._progress(topic, [each for each in stored if each.topic == topic]))
        return request.answer(body=ConsumeStats(table).encode())

    async def readers(self, _caller: Caller, request: Command) -> Command:
        """The groups that read a topic: those online, and those that have a position in it."""
        topic = TopicRequestHeader.from_fields(request.fields).topic
        online = self._clients.groups_subscribed_to(topic)
        stored = {each.group for each in await self._owner.offsets() if each.topic == topic}
        return request.answer(body=GroupList(tuple(sorted(online | stored))).encode())

    async def topics(self, _caller: Caller, request: Command) -> Command:
        """The topics in which a group has a position."""
        group = QueryTopicsByConsumerRequestHeader.from_fields(request.fields).group
        stored = {each.topic for each in await self._owner.offsets() if each.group == group}
        return request.answer(body=TopicList(tuple(sorted(stored)), self._address).encode())

    async def _put(self, wanted: Iterable[SubscriptionGroupConfig]) -> None:
        planned = [self._catalog.groups.plan_update(each) for each in wanted]
        for group in filter(None, planned):
            await self._catalog.put_group(group)

    def _is_read(self, group: str, topic: str) -> bool:
        """Left-over offsets of a topic that an online group does not subscribe to any more are not its lag."""
        if self._catalog.topics.get(topic) is None:
            return False
        view = self._clients.consumer_group(group)
        return view is None or not view.subscriptions or topic in view.subscriptions

    async def _progress(self, topic: str, stored: list[CommittedOffset]) -> dict[MessageQueue, ConsumeOffset]:
        config = self._catalog.topics.get(topic)
        if config is None:
            return {}
        committed = {each.queue_id: each.offset for each in stored}
        bounds = await self._owner.bounds(topic, range(config.read_queue_nums))
        return {
            MessageQueue(topic, self._broker_name, queue): ConsumeOffset(
                broker_offset=following,
                consumer_offset=committed.get(queue, 0),
                pull_offset=committed.get(queue, 0),
            )
            for queue, (_smallest, following) in bounds.items()
        }
