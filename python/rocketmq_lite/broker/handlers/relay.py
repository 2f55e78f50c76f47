"""Questions that only a client can answer: passed on to it, and its answer passed back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from rocketmq_lite.errors import BrokerError, ConnectionLost, LocalProtocolError, RequestTimeout
from rocketmq_lite.protocol.bodies import ConsumerStatus
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.framing import parse_offset_id
from rocketmq_lite.protocol.headers.group import GetConsumerStatusRequestHeader
from rocketmq_lite.protocol.headers.heartbeat import (
    ConsumeMessageDirectlyResultRequestHeader,
    GetConsumerRunningInfoRequestHeader,
)
from rocketmq_lite.transport.nursery import ProtectedNursery

if TYPE_CHECKING:
    from rocketmq_lite.broker.engine.clients import ClientTable, Member
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.transport.dispatch import Handler

_log: Final = logging.getLogger(__name__)

CLIENT_SECONDS: Final = 10.0  # Apache gives a client as long
STATUS_SECONDS: Final = 5.0  # likewise
_RELAYED_SINCE: Final = 62  # 3.1.8-snapshot; older clients know neither 307 nor 309
_STATUS_SINCE: Final = 28  # 3.0.7-snapshot; likewise


class RelayHandlers:
    """Requests that are answered by clients."""

    def __init__(self, owner: EngineOwner, clients: ClientTable, *, broker_name: str) -> None:
        self._owner = owner
        self._clients = clients
        self._broker_name = broker_name

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {
            RequestCode.GET_CONSUMER_RUNNING_INFO: self.running_info,
            RequestCode.CONSUME_MESSAGE_DIRECTLY: self.consume_directly,
            RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS: self.positions,
        }

    async def running_info(self, _caller: Caller, request: Command) -> Command:
        """What a consumer says of itself: its queues, how far it is, its settings."""
        header = GetConsumerRunningInfoRequestHeader.from_fields(request.fields)
        member = self._online(header.consumer_group, header.client_id)
        question = Command(request.code, fields=dict(request.fields), body=request.body)
        return await self._ask(member, header.consumer_group, question, request)

    async def consume_directly(self, _caller: Caller, request: Command) -> Command:
        """Have a consumer work on one stored message; its answer says how that ended."""
        header = ConsumeMessageDirectlyResultRequestHeader.from_fields(request.fields)
        member = self._online(header.consumer_group, header.client_id or "")
        # Whatever address the id names: it may be one that this broker had before.
        place = parse_offset_id(header.msg_id or "")
        if place is None:
            raise BrokerError(
                ResponseCode.SYSTEM_ERROR,
                f"msgId {header.msg_id} is no offset message id of a stored message",
            )
        record = await self._owner.record(place[1])
        if record is None:
            raise BrokerError(ResponseCode.SYSTEM_ERROR, f"can not find message by the offset, {place[1]}")
        fields = {**request.fields, "brokerName": self._broker_name}
        question = Command(request.code, fields=fields, body=record)
        return await self._ask(member, header.consumer_group, question, request)

    async def positions(self, _caller: Caller, request: Command) -> Command:
        """How far each member of a group is in a topic, as it says; who does not say is left out."""
        header = GetConsumerStatusRequestHeader.from_fields(request.fields)
        view = self._clients.consumer_group(header.group)
        if view is None:
            raise BrokerError(
                ResponseCode.SYSTEM_ERROR, f"No Any Consumer online in the consumer group: [{header.group}]"
            )
        found: dict[str, dict[MessageQueue, int]] = {}

        async def ask(member: Member) -> None:
            positions = await self._positions(member, header)
            if positions is not None:
                found[member.client_id] = positions

        async with ProtectedNursery() as nursery:
            for member in view.members:
                if header.client_addr in {None, "", member.client_id} and member.version >= _STATUS_SINCE:
                    nursery.start_soon(ask, member)
        return request.answer(body=ConsumerStatus(consumer_table=found).encode())

    async def _ask(self, member: Member, group: str, question: Command, request: Command) -> Command:
        """The client's answer as it came, or why there is none."""
        try:
            found = await self._owner.call(member.conn, question, timeout=CLIENT_SECONDS)
        except ConnectionLost as error:
            raise _not_online(group, member.client_id) from error
        except RequestTimeout as error:
            raise BrokerError(
                ResponseCode.CONSUME_MSG_TIMEOUT,
                f"consumer <{group}> <{member.client_id}> Timeout: {error.message}",
            ) from error
        return request.answer(found.code, remark=found.remark, fields=dict(found.fields), body=found.body)

    async def _positions(
        self, member: Member, header: GetConsumerStatusRequestHeader
    ) -> dict[MessageQueue, int] | None:
        question = Command(RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, fields=header.to_fields())
        try:
            answer = await self._owner.call(member.conn, question, timeout=STATUS_SECONDS)
            if answer.code == ResponseCode.SUCCESS:
                return ConsumerStatus.decode(answer.body).message_queue_table
            problem: object = answer.remark
        except (ConnectionLost, RequestTimeout, LocalProtocolError) as error:
            problem = error
        _log.warning("consumer %s did not say how far it is: %s", member.client_id, problem)
        return None

    def _online(self, group: str, client_id: str) -> Member:
        member = self._clients.consumer(group, client_id)
        if member is None:
            raise _not_online(group, client_id)
        if member.version < _RELAYED_SINCE:
            raise BrokerError(
                ResponseCode.SYSTEM_ERROR,
                f"The Consumer <{client_id}> Version <{member.version}> too low to finish, please upgrade it",
            )
        return member


def _not_online(group: str, client_id: str) -> BrokerError:
    return BrokerError(ResponseCode.SYSTEM_ERROR, f"The Consumer <{group}> <{client_id}> not online")
