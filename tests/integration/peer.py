"""A client of a few lines: commands over one stream, answers by opaque, pushes kept aside."""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.protocol.bodies import ConsumerData, HeartbeatData, ProducerData, SubscriptionData
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import Codec, Command
from rocketmq_lite.protocol.connection import CLOSED, Connection, Signal
from rocketmq_lite.protocol.framing import decode_messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from rocketmq_lite.protocol.framing import RawMessage
    from rocketmq_lite.transport.network import Network

EMPTY_MAP: Final[Mapping[str, object]] = MappingProxyType({})


class Peer:
    """One connection to a server."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.codec: Codec = "JSON"
        self.pushed: deque[Command] = deque()
        self._connection = Connection()
        self._answers: dict[int, Command] = {}

    async def post(
        self, code: int, body: bytes = b"", *, header: Mapping[str, object] = EMPTY_MAP, **fields: object
    ) -> int:
        """Send a request; its opaque."""
        opaque = self._connection.next_opaque()
        text = {key: _text(value) for key, value in (dict(header) | fields).items()}
        command = Command(code, opaque=opaque, fields=text, body=body, codec=self.codec)
        await self.stream.send_all(self._connection.send(command))
        return opaque

    async def answer(self, opaque: int) -> Command:
        """The answer to a request; what else comes meanwhile is kept."""
        while opaque not in self._answers:
            await self._read()
        return self._answers.pop(opaque)

    async def call(
        self, code: int, body: bytes = b"", *, header: Mapping[str, object] = EMPTY_MAP, **fields: object
    ) -> Command:
        """Send a request and wait for its answer."""
        return await self.answer(await self.post(code, body, header=header, **fields))

    async def reply(self, answer: Command) -> None:
        """Answer a request of the server."""
        await self.stream.send_all(self._connection.send(answer))

    async def push(self) -> Command:
        """The next request of the server."""
        while not self.pushed:
            await self._read()
        return self.pushed.popleft()

    async def at_end(self) -> bool:
        """Wait for the server to close; False if something came instead."""
        return await self._receive() is None

    async def _read(self) -> None:
        command = await self._receive()
        if command is None:
            raise EOFError("the server closed")
        if command.is_response:
            self._answers[command.opaque] = command
        else:
            self.pushed.append(command)

    async def _receive(self) -> Command | None:
        while isinstance(event := self._connection.next_event(), Signal):
            if event is CLOSED:
                return None
            try:
                self._connection.receive_data(await self.stream.receive_some())
            except trio.BrokenResourceError:  # closed with our bytes unread, which TCP calls a reset
                return None
        return event

    # --- what clients say

    async def send(self, topic: str, body: bytes = b"hello", *, queue: int = 0, **fields: object) -> Command:
        """Send a message with the long header."""
        return await self.answer(await self.post_message(topic, body, queue=queue, **fields))

    async def post_message(self, topic: str, body: bytes, *, queue: int = 0, **fields: object) -> int:
        """Send a message and do not wait."""
        header: dict[str, object] = {
            "producerGroup": "P",
            "topic": topic,
            "defaultTopic": "TBW102",
            "defaultTopicQueueNums": 4,
            "queueId": queue,
            "sysFlag": 0,
            "bornTimestamp": 1_700_000_000_000,
            "flag": 0,
            "properties": "",
            "batch": False,
        }
        return await self.post(RequestCode.SEND_MESSAGE, body, header=header | fields)

    async def post_pull(
        self, topic: str, offset: int, *, group: str = "G", queue: int = 0, hold_ms: int = 0, tags: str = "*"
    ) -> int:
        """Ask for messages, to be held for so long when there are none."""
        return await self.post(
            RequestCode.PULL_MESSAGE,
            consumerGroup=group,
            topic=topic,
            queueId=queue,
            queueOffset=offset,
            maxMsgNums=32,
            sysFlag=4 | (2 if hold_ms else 0),
            commitOffset=0,
            suspendTimeoutMillis=hold_ms,
            subscription=tags,
            subVersion=0,
            expressionType="TAG",
        )

    async def pull(self, topic: str, offset: int = 0, **options: object) -> list[RawMessage]:
        """The messages at an offset; none if the server says so."""
        answer = await self.answer(await self.post_pull(topic, offset, **options))  # type: ignore[arg-type]
        return decode_messages(answer.body) if answer.code == 0 else []

    async def heartbeat(
        self,
        client_id: str,
        *,
        consumer: str | None = None,
        topics: tuple[str, ...] = (),
        model: str = "CLUSTERING",
        producer: str | None = None,
    ) -> Command:
        """Say who this is, with a subscription to each topic."""
        subscriptions = tuple(SubscriptionData(topic=topic, sub_version=1) for topic in topics)
        body = HeartbeatData(client_id=client_id)
        if consumer is not None:
            data = ConsumerData(group_name=consumer, message_model=model, subscription_data_set=subscriptions)
            body = replace(body, consumer_data_set=(data,))
        if producer is not None:
            body = replace(body, producer_data_set=(ProducerData(group_name=producer),))
        return await self.call(RequestCode.HEART_BEAT, body.encode())

    async def create_topic(
        self, topic: str, *, queues: int = 4, perm: int = 6, attributes: str = ""
    ) -> Command:
        """What an administrator sends."""
        return await self.call(
            RequestCode.UPDATE_AND_CREATE_TOPIC,
            topic=topic,
            defaultTopic="TBW102",
            readQueueNums=queues,
            writeQueueNums=queues,
            perm=perm,
            topicFilterType="SINGLE_TAG",
            order=False,
            attributes=attributes,
        )


@asynccontextmanager
async def connect(network: Network, address: str) -> AsyncIterator[Peer]:
    """A connection that is closed when the block ends."""
    stream = await network.dial(address)
    async with stream:
        yield Peer(stream)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
