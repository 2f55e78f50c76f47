"""Consumer groups: create, change, delete, list, and how far they have come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.broker.handlers.topic import queue_key
from rocketmq_lite.protocol.bodies import SubscriptionGroupConfig
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.framing import json_dumps
from rocketmq_lite.protocol.headers.group import (
    DeleteSubscriptionGroupRequestHeader,
    GetConsumeStatsRequestHeader,
    GetSubscriptionGroupConfigRequestHeader,
)
from rocketmq_lite.protocol.headers.topic import TopicRequestHeader

if TYPE_CHECKING:
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
        self, *, catalog: Catalog, owner: EngineOwner, clients: ClientTable, broker_name: str
    ) -> None:
        self._catalog = catalog
        self._owner = owner
        self._clients = clients
        self._broker_name = broker_name

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {
            RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: self.put,
            RequestCode.DELETE_SUBSCRIPTIONGROUP: self.remove,
            RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG: self.show,
            RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG: self.show_all,
            RequestCode.GET_CONSUME_STATS: self.statistics,
            RequestCode.QUERY_TOPIC_CONSUME_BY_WHO: self.readers,
        }

    async def put(self, _caller: Caller, request: Command) -> Command:
        """Create a group or change it."""
        planned = self._catalog.groups.plan_update(SubscriptionGroupConfig.decode(request.body))
        if planned is not None:
            await self._catalog.put_group(planned)
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
        table: dict[object, object] = {}
        for topic in sorted(wanted or {each.topic for each in stored}):
            if self._is_read(header.consumer_group, topic):
                table.update(await self._progress(topic, [each for each in stored if each.topic == topic]))
        return request.answer(body=json_dumps({"consumeTps": 0.0, "offsetTable": table}))

    async def readers(self, _caller: Caller, request: Command) -> Command:
        """The groups that read a topic: those online, and those that have a position in it."""
        topic = TopicRequestHeader.from_fields(request.fields).topic
        online = self._clients.groups_subscribed_to(topic)
        stored = {each.group for each in await self._owner.offsets() if each.topic == topic}
        return request.answer(body=json_dumps({"groupList": sorted(online | stored)}))

    def _is_read(self, group: str, topic: str) -> bool:
        """Left-over offsets of a topic that an online group does not subscribe to any more are not its lag."""
        if self._catalog.topics.get(topic) is None:
            return False
        view = self._clients.consumer_group(group)
        return view is None or not view.subscriptions or topic in view.subscriptions

    async def _progress(self, topic: str, stored: list[CommittedOffset]) -> dict[object, object]:
        config = self._catalog.topics.get(topic)
        if config is None:
            return {}
        committed = {each.queue_id: each.offset for each in stored}
        bounds = await self._owner.bounds(topic, range(config.read_queue_nums))
        return {
            queue_key(self._broker_name, topic, queue): {
                "brokerOffset": following,
                "consumerOffset": committed.get(queue, -1),
                "lastTimestamp": 0,
                "pullOffset": committed.get(queue, -1),
            }
            for queue, (_smallest, following) in bounds.items()
        }
