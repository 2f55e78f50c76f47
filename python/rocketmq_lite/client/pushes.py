"""What servers ask of a client, and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.errors import BrokerError
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.headers.heartbeat import (
    GetConsumerRunningInfoRequestHeader,
    NotifyConsumerIdsChangedRequestHeader,
)

if TYPE_CHECKING:
    from rocketmq_lite.client.heartbeats import Heartbeats
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
        }

    async def consumer_ids_changed(self, _address: str, request: Command) -> None:
        """The members of a consumer group changed; this request has no answer."""
        header = NotifyConsumerIdsChangedRequestHeader.from_fields(request.fields)
        if self.heartbeats is not None:
            self.heartbeats.members_changed(header.consumer_group)

    async def running_info(self, _address: str, request: Command) -> Command:
        """How our member of a consumer group is doing."""
        group = GetConsumerRunningInfoRequestHeader.from_fields(request.fields).consumer_group
        found = None if self.heartbeats is None else self.heartbeats.running_info(group)
        if found is None:
            raise BrokerError(
                ResponseCode.SYSTEM_ERROR, f"The Consumer Group <{group}> not exist in this consumer"
            )
        return request.answer(body=found.encode())
