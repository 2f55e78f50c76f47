"""Sending dead letters once more, in steps, each of which is remembered on the broker before it is reported."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, Literal, Self

import trio

from rocketmq_lite.client.administration.shelves import ShelfReader
from rocketmq_lite.client.asking import refusal
from rocketmq_lite.client.engine.dead_letters import origin_of, resent_properties
from rocketmq_lite.client.engine.names import ORDER_KEY, UNIQ_KEY
from rocketmq_lite.client.engine.routes import queue_for_key
from rocketmq_lite.client.remote_sends import send_request
from rocketmq_lite.errors import RocketMQError
from rocketmq_lite.protocol.bodies import SubscriptionGroupConfig
from rocketmq_lite.protocol.framing import OutgoingMessage, SendAnswer, encode_properties, to_command
from rocketmq_lite.protocol.reserved import retry_topic
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from rocketmq_lite.client.administration.shelves import Shelf
    from rocketmq_lite.client.remote_admin import AdminRemote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.protocol.framing import RawMessage

__all__ = ["RESENDING", "ResendTo", "Resending", "Resent"]

RESENDING: Final = "rmq-dlq"
"""The group whose position in a ``%DLQ%`` topic says what was sent again; it also names who sends."""
ResendTo = Literal["origin", "retry"]
"""Where dead letters go: to the topic that they were sent to, or to the group alone, through its ``%RETRY%`` topic."""

_COMMIT_SECONDS: Final = 2.0
"""For the position, also when sending is being cancelled."""


@dataclass(frozen=True, slots=True)
class Resent:
    """A step of sending again.

    Attributes:
        sent: How many messages were sent in it.
        skipped: How many were not, because they do not say where they came from.
    """

    sent: int
    skipped: int


class Resending:
    """Sends a batch with each step of the iteration.

    Args:
        group: Who gave them up.
        to: Where they go.
        begin: Finds the shelves, each with the offset to begin at.
        remote: The calls.
        routing: Tells where topics are.
    """

    def __init__(
        self,
        group: str,
        to: ResendTo,
        begin: Callable[[], Awaitable[Sequence[tuple[Shelf, int]]]],
        *,
        remote: AdminRemote,
        routing: Routing,
    ) -> None:
        self._group = group
        self._to = to
        self._begin = begin
        self._remote = remote
        self._routing = routing
        self._reader: ShelfReader | None = None
        self._turns = itertools.count()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Resent:
        if self._reader is None:
            self._reader = await self._open()
        batch = await self._reader.next_batch()
        if batch is None:
            raise StopAsyncIteration
        return await self._resend(*batch)

    async def _open(self) -> ShelfReader:
        shelves = await self._begin()
        for address in sorted({shelf.address for shelf, _ in shelves}):
            if RESENDING not in await self._remote.groups(address):  # it could have no position there
                await self._remote.put_group(address, SubscriptionGroupConfig(group_name=RESENDING))
        return ShelfReader(self._remote, shelves)

    async def _resend(self, shelf: Shelf, batch: Sequence[RawMessage]) -> Resent:
        """Send a batch, and remember how far that came, whatever stopped it."""
        sent = skipped = 0
        reached = batch[0].queue_offset
        try:
            for raw in batch:
                origin = origin_of(raw.properties)
                if origin is None:
                    skipped += 1
                else:
                    await self._send(raw, retry_topic(self._group) if self._to == "retry" else origin)
                    sent += 1
                reached = raw.queue_offset + 1
        finally:
            with trio.move_on_after(_COMMIT_SECONDS, shield=True):
                await self._remote.update_offset(shelf.address, RESENDING, shelf.queue, reached, wait=True)
        return Resent(sent, skipped)

    async def _send(self, raw: RawMessage, topic: str) -> None:
        properties = resent_properties(raw.properties, to_retry=self._to == "retry")
        order_key = properties.get(ORDER_KEY)
        queues = (await self._routing.ensure(topic)).writable
        if not queues:
            raise RocketMQError(
                f"no queue of topic {topic} can be written", hint=f"`rmq topic route {topic}` shows why"
            )
        queue = (
            queues[next(self._turns) % len(queues)] if order_key is None else queue_for_key(queues, order_key)
        )
        address = self._routing.table.master(queue.broker_name)
        if address is None:
            raise RocketMQError(f"no master of broker {queue.broker_name} is known")
        message_id = raw.properties.get(UNIQ_KEY) or raw.offset_message_id
        message = OutgoingMessage(topic, raw.body, encode_properties(properties), message_id, order_key)
        answer = await self._remote.send(address, send_request(RESENDING, message, queue, raw.born_timestamp))
        if not isinstance(answer, SendAnswer):
            raise refusal(address, to_command(answer))
