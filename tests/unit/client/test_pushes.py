"""What a server tells a member of a consumer group, or asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rocketmq_lite.client.pushes import Pushes
from rocketmq_lite.errors import BrokerError
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import ConsumerStatus, ResetOffsets
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

QUEUE = MessageQueue("orders", "broker-a", 1)


class Member:
    """One member, of group ``g``; it is its own table of members."""

    def __init__(self) -> None:
        self.moved: list[Mapping[MessageQueue, int]] = []

    def member(self, group: str) -> Member | None:
        return self if group == "g" else None

    def move_to(self, offsets: Mapping[MessageQueue, int]) -> None:
        self.moved.append(offsets)

    def positions(self, topic: str) -> Mapping[MessageQueue, int]:
        return {QUEUE: 7} if topic == "orders" else {}


async def say(pushes: Pushes, request: Command) -> Command | None:
    return await pushes.table()[request.code]("broker:10911", request)


def reset(group: str) -> Command:
    fields = {"topic": "orders", "group": group, "timestamp": "-1", "isForce": "false"}
    body = ResetOffsets({QUEUE: 3}).encode()
    return Command(RequestCode.RESET_CONSUMER_CLIENT_OFFSET, fields=fields, body=body)


async def test_positions_that_were_set_reach_their_group() -> None:
    pushes, member = Pushes(), Member()
    with pytest.raises(BrokerError, match="<g> not exist"):
        await say(pushes, reset("g"))
    pushes.heartbeats = member  # type: ignore[assignment]
    assert await say(pushes, reset("g")) is None
    with pytest.raises(BrokerError, match="<other> not exist"):
        await say(pushes, reset("other"))
    assert member.moved == [{QUEUE: 3}]


async def test_a_member_says_how_far_it_is() -> None:
    pushes = Pushes()
    pushes.heartbeats = Member()  # type: ignore[assignment]
    for topic, positions in (("orders", {QUEUE: 7}), ("other", {})):
        fields = {"topic": topic, "group": "g"}
        request = Command(RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, fields=fields)
        answer = await say(pushes, request)
        assert answer is not None
        assert ConsumerStatus.decode(answer.body).message_queue_table == positions
