"""Topics: create, change, delete, list, and how full they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.errors import BrokerError
from rocketmq_lite.protocol.bodies import TopicConfig, TopicList
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.framing import json_dumps
from rocketmq_lite.protocol.headers.topic import CreateTopicRequestHeader, TopicRequestHeader

if TYPE_CHECKING:
    from rocketmq_lite.broker.catalog import Catalog
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.broker.plane import EngineOwner
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
        """The smallest and the next offset of each queue of a topic.

        The time of the last message is not known without reading it; it is reported as 0, which tools show as a blank.
        """
        topic = self._existing(TopicRequestHeader.from_fields(request.fields).topic)
        queues = range(max(topic.read_queue_nums, topic.write_queue_nums))
        bounds = await self._owner.bounds(topic.topic_name, queues)
        table = {
            queue_key(self._broker_name, topic.topic_name, queue): {
                "lastUpdateTimestamp": 0,
                "maxOffset": following,
                "minOffset": smallest,
            }
            for queue, (smallest, following) in bounds.items()
        }
        return request.answer(body=json_dumps({"offsetTable": table, "topicPutTps": 0.0}))

    def _existing(self, name: str) -> TopicConfig:
        topic = self._catalog.topics.get(name)
        if topic is None:
            raise BrokerError(ResponseCode.TOPIC_NOT_EXIST, f"No topic in this broker. topic: {name}")
        return topic


def queue_key(broker_name: str, topic: str, queue: int) -> tuple[tuple[str, object], ...]:
    """A message queue as the key of a map, which fastjson writes as an object."""
    return (("brokerName", broker_name), ("queueId", queue), ("topic", topic))
