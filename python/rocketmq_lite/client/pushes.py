"""What servers ask of a client, and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.errors import BrokerError
from rocketmq_lite.protocol.bodies import ConsumerStatus, ResetOffsets
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.framing import decode_batch
from rocketmq_lite.protocol.headers.group import GetConsumerStatusRequestHeader, ResetOffsetRequestHeader
from rocketmq_lite.protocol.headers.heartbeat import (
    ConsumeMessageDirectlyResultRequestHeader,
    GetConsumerRunningInfoRequestHeader,
    NotifyConsumerIdsChangedRequestHeader,
)

if TYPE_CHECKING:
    from rocketmq_lite.client.heartbeats import ConsumerMember, Heartbeats
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler

__all__ = ["Pushes"]


class Pushes:
    """The answers; the pool needs them before there are heartbeats."""

    def __init__(self) -> None:
        self.heartbeats: Heartbeats | None = None

    def table(self) -> dict[int, Handler[str]]:
        """Which request each method answers."""
        return {
            RequestCode.NOTIFY_CONSUMER_IDS_CHANGED: self.consumer_ids_changed,
            RequestCode.GET_CONSUMER_RUNNING_INFO: self.running_info,
            RequestCode.RESET_CONSUMER_CLIENT_OFFSET: self.reset_offset,
            RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT: self.status,
            RequestCode.CONSUME_MESSAGE_DIRECTLY: self.consume_directly,
        }

    async def consumer_ids_changed(self, _address: str, request: Command) -> None:
        """The members of a consumer group changed; this request has no answer."""
        header = NotifyConsumerIdsChangedRequestHeader.from_fields(request.fields)
        if self.heartbeats is not None:
            self.heartbeats.members_changed(header.consumer_group)

    async def running_info(self, _address: str, request: Command) -> Command:
        """How our member of a consumer group is doing."""
        header = GetConsumerRunningInfoRequestHeader.from_fields(request.fields)
        return request.answer(body=self._member(header.consumer_group).running_info().encode())

    async def reset_offset(self, _address: str, request: Command) -> None:
        """The positions of a consumer group were set; this request has no answer."""
        group = ResetOffsetRequestHeader.from_fields(request.fields).group
        self._member(group).move_to(ResetOffsets.decode(request.body).offset_table)

    async def status(self, _address: str, request: Command) -> Command:
        """How far our member of a consumer group is in a topic."""
        header = GetConsumerStatusRequestHeader.from_fields(request.fields)
        positions = self._member(header.group).positions(header.topic)
        return request.answer(body=ConsumerStatus(dict(positions)).encode())

    async def consume_directly(self, _address: str, request: Command) -> Command:
        """Have our member of a consumer group work on a message."""
        header = ConsumeMessageDirectlyResultRequestHeader.from_fields(request.fields)
        member = self._member(header.consumer_group)
        messages = decode_batch(request.body)
        if len(messages) != 1:
            raise BrokerError(
                ResponseCode.SYSTEM_ERROR, f"the body holds {len(messages)} messages and not one"
            )
        result = await member.consume_directly(messages, header.broker_name or "")
        return request.answer(body=result.encode())

    def _member(self, group: str) -> ConsumerMember:
        member = None if self.heartbeats is None else self.heartbeats.member(group)
        if member is None:
            raise BrokerError(
                ResponseCode.SYSTEM_ERROR, f"The Consumer Group <{group}> not exist in this consumer"
            )
        return member
