"""Questions that only a client can answer: passed on to it, and its answer passed back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.errors import BrokerError, ConnectionLost, RequestTimeout
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.headers.heartbeat import GetConsumerRunningInfoRequestHeader

if TYPE_CHECKING:
    from rocketmq_lite.broker.engine.clients import ClientTable, Member
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.transport.dispatch import Handler

CLIENT_SECONDS: Final = 10.0  # Apache gives a client as long
_RUNNING_INFO_SINCE: Final = 62  # 3.1.8-snapshot; older clients do not know the request


class RelayHandlers:
    """Requests that are answered by clients."""

    def __init__(self, owner: EngineOwner, clients: ClientTable) -> None:
        self._owner = owner
        self._clients = clients

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {RequestCode.GET_CONSUMER_RUNNING_INFO: self.running_info}

    async def running_info(self, _caller: Caller, request: Command) -> Command:
        """What a consumer says of itself: its queues, how far it is, its settings."""
        header = GetConsumerRunningInfoRequestHeader.from_fields(request.fields)
        member = self._online(header.consumer_group, header.client_id)
        question = Command(request.code, fields=dict(request.fields), body=request.body)
        try:
            found = await self._owner.call(member.conn, question, timeout=CLIENT_SECONDS)
        except ConnectionLost as error:
            raise _not_online(header.consumer_group, header.client_id) from error
        except RequestTimeout as error:
            name = f"<{header.consumer_group}> <{header.client_id}>"
            raise BrokerError(
                ResponseCode.CONSUME_MSG_TIMEOUT, f"consumer {name} Timeout: {error.message}"
            ) from error
        return request.answer(found.code, remark=found.remark, fields=dict(found.fields), body=found.body)

    def _online(self, group: str, client_id: str) -> Member:
        member = self._clients.consumer(group, client_id)
        if member is None:
            raise _not_online(group, client_id)
        if member.version < _RUNNING_INFO_SINCE:
            raise BrokerError(
                ResponseCode.SYSTEM_ERROR,
                f"The Consumer <{client_id}> Version <{member.version}> too low to finish, please upgrade it",
            )
        return member


def _not_online(group: str, client_id: str) -> BrokerError:
    return BrokerError(ResponseCode.SYSTEM_ERROR, f"The Consumer <{group}> <{client_id}> not online")
