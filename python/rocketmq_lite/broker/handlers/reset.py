"""Setting a group's positions, while it consumes or not, and giving them to another group.

The engine stores the new offsets and tells consumers with their next pull, as Apache's broker does with
``useServerSideResetOffset``; nothing is pushed to them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rocketmq_lite.errors import BrokerError
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import ResetOffsets
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.headers.group import (
    CloneGroupOffsetRequestHeader,
    InvokeBrokerToResetOffsetRequestHeader,
)

if TYPE_CHECKING:
    from rocketmq_lite.broker.catalog import Catalog
    from rocketmq_lite.broker.engine.clients import ClientTable
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler


class ResetHandlers:
    """Requests that set positions."""

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
            RequestCode.INVOKE_BROKER_TO_RESET_OFFSET: self.reset,
            RequestCode.CLONE_GROUP_OFFSET: self.clone,
        }

    async def reset(self, _caller: Caller, request: Command) -> Command:
        """Set a group's position in one queue of a topic or in all, to an offset or to a time."""
        header = InvokeBrokerToResetOffsetRequestHeader.from_fields(request.fields)
        topic = self._catalog.topics.get(header.topic)
        if topic is None:
            raise BrokerError(ResponseCode.TOPIC_NOT_EXIST, f"Topic {header.topic} does not exist")
        if self._catalog.groups.get(header.group) is None:
            raise BrokerError(
                ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, f"Group {header.group} does not exist"
            )
        if header.queue_id < 0:
            queues = range(topic.read_queue_nums)
            offsets = {queue: await self._at(header.topic, queue, header.timestamp) for queue in queues}
        elif header.offset == -1:
            offsets = {header.queue_id: await self._at(header.topic, header.queue_id, header.timestamp)}
        else:
            await self._check_range(header.topic, header.queue_id, header.offset)
            offsets = {header.queue_id: header.offset}
        self._owner.reset_offsets(header.topic, header.group, offsets)
        table = {
            MessageQueue(header.topic, self._broker_name, queue): offset for queue, offset in offsets.items()
        }
        return request.answer(body=ResetOffsets(table).encode())

    async def clone(self, _caller: Caller, request: Command) -> Command:
        """Give a group the positions of another, in one topic or in all that there are; members are not told.

        Of a source that is online, only topics that it subscribes to count, unless the request says otherwise.
        """
        header = CloneGroupOffsetRequestHeader.from_fields(request.fields)
        view = None if header.offline else self._clients.consumer_group(header.src_group)
        self._owner.load_offsets(
            replace(each, group=header.dest_group)
            for each in await self._owner.offsets()
            if each.group == header.src_group
            and header.topic in {None, "", each.topic}
            and self._catalog.topics.get(each.topic) is not None
            and (view is None or each.topic in view.subscriptions)
        )
        return request.answer()

    async def _at(self, topic: str, queue: int, timestamp: int) -> int:
        if timestamp >= 0:
            return await self._owner.search_time(topic, queue, timestamp)
        (_smallest, following) = (await self._owner.bounds(topic, [queue]))[queue]
        return following

    async def _check_range(self, topic: str, queue: int, offset: int) -> None:
        smallest, following = (await self._owner.bounds(topic, [queue]))[queue]
        if not smallest <= offset <= following:
            raise BrokerError(
                ResponseCode.SYSTEM_ERROR,
                f"Target offset {offset} not in consume queue range [{smallest}-{following}]",
            )
