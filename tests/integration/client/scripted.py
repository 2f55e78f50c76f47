"""A server that is told what to answer: name server and broker in one, for answers that real ones rarely give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import trio

from rocketmq_lite.client.connect import connect
from rocketmq_lite.clock import TrioClock
from rocketmq_lite.protocol.bodies import BrokerData, ConsumerList, QueueData, TopicRouteData
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.transport.server import CommandServer

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from rocketmq_lite.client.client import Client
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.testing.network import MemoryNetwork
    from rocketmq_lite.transport.server import Peer

Script = Callable[["Command"], "Command | Awaitable[Command | None] | None"]


class ScriptedServer:
    """Answers 0 to everything but what is scripted.

    Attributes:
        requests: Everything that came, in order.
        scripts: What to answer, by request code.
        retry_topics: Whether each group has a retry topic; without, tests see the requests of their topic only.
        brokers: The broker names and addresses that its routes tell; itself as ``broker-a`` by default.
    """

    def __init__(self, network: MemoryNetwork) -> None:
        self.network = network
        self.address = ""
        self.requests: list[Command] = []
        self.scripts: dict[int, Script] = {
            RequestCode.GET_ROUTEINFO_BY_TOPIC: self._route,
            RequestCode.SEND_MESSAGE_V2: send_answer,
            RequestCode.GET_CONSUMER_LIST_BY_GROUP: self._members,
            RequestCode.QUERY_CONSUMER_OFFSET: lambda request: request.answer(0, fields={"offset": "0"}),
            RequestCode.PULL_MESSAGE: self._hold,
        }
        self.brokers: dict[str, str] = {}
        self.queues = 1
        self.retry_topics = False
        self.members: tuple[str, ...] | None = None

    def connect(self, **options: Any) -> AbstractAsyncContextManager[Client]:
        """A client of this server."""
        return connect(self.address, network=self.network, clock=TrioClock(), **options)

    async def run(self, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled."""
        listener = await self.network.listen("127.0.0.1", 0)
        self.address = listener.address
        self.brokers = self.brokers or {"broker-a": listener.address}
        await CommandServer(self._handle).serve(listener, task_status=task_status)

    def count(self, code: int) -> int:
        """How many requests of a code came."""
        return sum(request.code == code for request in self.requests)

    async def _handle(self, _peer: Peer, request: Command) -> Command | None:
        self.requests.append(request)
        script = self.scripts.get(request.code)
        answer = request.answer(0) if script is None else script(request)
        return await answer if isinstance(answer, Awaitable) else answer

    def _route(self, request: Command) -> Command:
        if request.fields["topic"].startswith("%RETRY%") and not self.retry_topics:
            return request.answer(17, remark="No topic route info in name server")
        body = TopicRouteData(
            queue_datas=tuple(QueueData(name, self.queues, self.queues, 6) for name in self.brokers),
            broker_datas=tuple(BrokerData("C", name, {0: address}) for name, address in self.brokers.items()),
        )
        return request.answer(0, body=body.encode(standard=True))

    def _members(self, request: Command) -> Command:
        own = next(seen for seen in self.requests if seen.code == RequestCode.HEART_BEAT)
        members = self.members or (own.body.split(b'"clientID":"')[1].split(b'"')[0].decode(),)
        return request.answer(0, body=ConsumerList(members).encode())

    async def _hold(self, request: Command) -> Command:
        await trio.sleep(int(request.fields["suspendTimeoutMillis"]) / 1000)
        return pull_answer(request, 19, next_offset=int(request.fields["queueOffset"]))


def send_answer(request: Command, code: int = 0) -> Command:
    """The answer to a send that was stored, more or less."""
    fields = {"msgId": "0A" * 16, "queueId": request.fields["e"], "queueOffset": "7"}
    return request.answer(code, fields=fields)


def pull_answer(
    request: Command, code: int, *, next_offset: int, max_offset: int = 0, body: bytes = b""
) -> Command:
    """The answer to a pull."""
    fields = {
        "suggestWhichBrokerId": "0",
        "nextBeginOffset": str(next_offset),
        "minOffset": "0",
        "maxOffset": str(max_offset),
    }
    return request.answer(code, fields=fields, body=body)
