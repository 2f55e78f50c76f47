"""Topics: create, change, delete, list, and how full they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.errors import BrokerError
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import TopicConfig, TopicConfigList, TopicList, TopicOffset, TopicStats
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.framing import json_dumps
from rocketmq_lite.protocol.headers.topic import CreateTopicRequestHeader, TopicRequestHeader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.broker.catalog import Catalog
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler


class TopicHandlers:
    """Requests about topics."""

    def __init__(self, *, catalog: Catalog, owner: EngineOwner, broker_name: str, address: str) -> None:
        self._catalog = catalog
        self._owner = owner
        self._broker_name = broker_name
        self._address = address

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {
            RequestCode.UPDATE_AND_CREATE_TOPIC: self.put,
            RequestCode.UPDATE_AND_CREATE_TOPIC_LIST: self.put_all,
            RequestCode.DELETE_TOPIC_IN_BROKER: self.remove,
            RequestCode.GET_TOPIC_CONFIG: self.show,
            RequestCode.GET_ALL_TOPIC_CONFIG: self.show_all,
            RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER: self.system_list,
            RequestCode.GET_TOPIC_STATS_INFO: self.statistics,
        }

    async def put(self, _caller: Caller, request: Command) -> Command:
        """Create a topic or change it; the name servers know when this is answered."""
        header = CreateTopicRequestHeader.from_fields(request.fields)
        planned = self._catalog.topics.plan_update(
            TopicConfig(
                topic_name=header.topic,
                read_queue_nums=header.read_queue_nums,
                write_queue_nums=header.write_queue_nums,
                perm=header.perm,
                topic_filter_type=header.topic_filter_type,
                topic_sys_flag=header.topic_sys_flag or 0,
                order=header.order,
            ),
            header.attributes or "",
        )
        if planned is not None:
            await self._catalog.put_topic(planned)
        return request.answer()

    async def put_all(self, _caller: Caller, request: Command) -> Command:
        """Create or change several topics; none, if one of them cannot be."""
        wanted = TopicConfigList.decode(request.body).topic_config_list
        planned = [self._catalog.topics.plan_update(each, _changes(each.attributes)) for each in wanted]
        for topic in filter(None, planned):
            await self._catalog.put_topic(topic)
        return request.answer()

    async def remove(self, _caller: Caller, request: Command) -> Command:
        """Delete a topic with its messages; one that is not there is deleted already."""
        name = TopicRequestHeader.from_fields(request.fields).topic
        if self._catalog.topics.plan_removal(name) is not None:
            await self._catalog.remove_topic(name)
        return request.answer()

    async def show(self, _caller: Caller, request: Command) -> Command:
        """The settings of a topic."""
        topic = self._existing(TopicRequestHeader.from_fields(request.fields).topic)
        return request.answer(body=topic.encode())

    async def show_all(self, _caller: Caller, request: Command) -> Command:
        """The settings of all topics, with the version of the whole."""
        topics = self._catalog.topics
        return request.answer(
            body=json_dumps(
                {
                    "dataVersion": topics.version.to_json(),
                    "topicConfigTable": {name: topic.to_json() for name, topic in topics.all().items()},
                    "topicQueueMappingDetailMap": {},
                    "topicQueueMappingInfoMap": {},
                }
            )
        )

    async def system_list(self, _caller: Caller, request: Command) -> Command:
        """The topics that this broker reserves."""
        names = self._catalog.topics.system_names()
        return request.answer(body=TopicList(topic_list=names, broker_addr=self._address).encode())

    async def statistics(self, _caller: Caller, request: Command) -> Command:
        """The smallest and the next offset of each queue of a topic, and when its last message was stored."""
        topic = self._existing(TopicRequestHeader.from_fields(request.fields).topic)
        queues = range(max(topic.read_queue_nums, topic.write_queue_nums))
        bounds = await self._owner.bounds(topic.topic_name, queues)
        table = {
            MessageQueue(topic.topic_name, self._broker_name, queue): TopicOffset(
                smallest, following, await self._last_stored(topic.topic_name, queue, smallest, following)
            )
            for queue, (smallest, following) in bounds.items()
        }
        return request.answer(body=TopicStats(table).encode())

    async def _last_stored(self, topic: str, queue: int, smallest: int, following: int) -> int:
        if smallest >= following:
            return 0
        return max(await self._owner.store_time(topic, queue, following - 1), 0)

    def _existing(self, name: str) -> TopicConfig:
        topic = self._catalog.topics.get(name)
        if topic is None:
            raise BrokerError(ResponseCode.TOPIC_NOT_EXIST, f"No topic in this broker. topic: {name}")
        return topic


def _changes(attributes: Mapping[str, str]) -> str:
    """The text form of attribute changes that came as a map."""
    return ",".join(f"{key}={value}" if key.startswith("+") else key for key, value in attributes.items())
