"""Sending: which queue, how often it is tried, and what the answer means.

A send without an order key goes round robin over the writable queues of all masters; after a failure it is
tried on another broker, three attempts in all. With an order key it goes to that key's queue and nowhere
else, once: another queue would break the order, and a second attempt could overtake a later message.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

import trio

from rocketmq_lite.client.engine.retry import SEND_ATTEMPTS, QueueChoice, Verdict, judge_send
from rocketmq_lite.client.engine.routes import queue_for_key
from rocketmq_lite.client.outgoing import OutgoingMessage
from rocketmq_lite.client.routing import UNREACHABLE
from rocketmq_lite.errors import BrokerError, NotDurable, RequestTimeout, RocketMQError
from rocketmq_lite.model import Perm, SendReceipt, SendStatus
from rocketmq_lite.protocol.codes import ResponseCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rocketmq_lite.client.engine.routes import TopicRoute
    from rocketmq_lite.client.identity import Identity
    from rocketmq_lite.client.remote import Remote, SendAnswer
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.model import MessageQueue

__all__ = ["Producer", "ProducerStatistics"]

_SPREAD: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class ProducerStatistics:
    """What a producer has done so far.

    Attributes:
        sent: Messages whose receipt was returned.
        weaker: Messages stored more weakly than asked, returned or raised as ``NotDurable``.
        failed: Sends that ended with another error.
        retries: Attempts beyond the first.
        oneway: Messages sent without waiting for an answer.
    """

    sent: int
    weaker: int
    failed: int
    retries: int
    oneway: int


@final
class Producer:
    """Sends messages on behalf of a producer group; made by :meth:`Client.producer`.

    One producer serves any number of tasks at a time.
    """

    def __init__(
        self, group: str, *, remote: Remote, routing: Routing, identity: Identity, clock: Clock
    ) -> None:
        self.group = group
        self._remote = remote
        self._routing = routing
        self._identity = identity
        self._clock = clock
        self._choice = QueueChoice(secrets.randbelow(_SPREAD))
        self._sent = self._weaker = self._failed = self._retries = self._oneway = 0

    async def send(
        self,
        topic: str,
        body: bytes,
        *,
        tag: str | None = None,
        keys: str | Iterable[str] = (),
        properties: Mapping[str, str] | None = None,
        order_key: str | None = None,
        accept_weaker: bool = False,
        timeout: float | None = None,
    ) -> SendReceipt:
        """Send one message and wait until a broker has stored it.

        Args:
            topic: Where to; a topic that does not exist is created if the brokers permit it.
            body: At least one byte, at most 4 MiB. From 4096 bytes on it travels compressed.
            tag: One word that consumers can filter by.
            keys: One key, or several, by which the message can be found later.
            properties: Your own pairs of text.
            order_key: Messages with the same key go to the same queue, in the order they are sent.
            accept_weaker: Return the receipt also when the message is stored, but not as firmly as the
                broker's settings promise; look at ``receipt.status``.
            timeout: Seconds for all attempts together. Without it each attempt has the client's
                ``request_timeout``.

        Returns:
            Where the message is stored, and how firmly.

        Raises:
            ConfigError: An argument is not valid; nothing was sent.
            NotDurable: The message is stored, but more weakly than asked (codes 10, 11, 12).
            TopicNotFound: The topic does not exist and cannot be created.
            BrokerError: The broker refused the message.
            ConnectError: No broker could be reached.
            ConnectionLost: The answer was lost; the message may be stored.
            RequestTimeout: The answer did not come in time; the message may be stored.
            NoNameServer: The route is not known yet and no name server answers.

        Cancelling leaves the client usable; the message may or may not be stored, once or (if a first
        attempt failed) twice.

        Example:
            >>> receipt = await producer.send("orders", b"...", tag="paid", keys="42")
            >>> receipt.queue, receipt.offset
        """
        message = OutgoingMessage.build(
            topic,
            body,
            tag=tag,
            keys=keys,
            properties=properties,
            order_key=order_key,
            identity=self._identity,
        )
        try:
            if timeout is None:
                receipt = await self._send(message)
            else:
                receipt = await self._send_within(message, timeout)
        except RocketMQError:
            self._failed += 1
            raise
        if receipt.status is SendStatus.OK:
            self._sent += 1
            return receipt
        self._weaker += 1
        if accept_weaker:
            return receipt
        raise NotDurable(
            f"message {receipt.message_id} is stored, but only as {receipt.status.name}",
            receipt=receipt,
            hint="do not send it again, it is there; accept_weaker=True returns the receipt instead",
            code=receipt.status.value,
        )

    async def send_oneway(
        self,
        topic: str,
        body: bytes,
        *,
        tag: str | None = None,
        keys: str | Iterable[str] = (),
        properties: Mapping[str, str] | None = None,
        order_key: str | None = None,
    ) -> None:
        """Send one message without asking whether it was stored; returns when it is on its way.

        The arguments are those of :meth:`send`. There is one attempt, and a broker that refuses the
        message says nothing.

        Raises:
            ConfigError: An argument is not valid; nothing was sent.
            TopicNotFound: The topic does not exist and cannot be created.
            ConnectError: The broker could not be reached.
            ConnectionLost: The connection broke; the message may be stored.
            RequestTimeout: The broker did not take the bytes in time.
            NoNameServer: The route is not known yet and no name server answers.

        Cancelling leaves the client usable; the message may or may not be stored.
        """
        message = OutgoingMessage.build(
            topic,
            body,
            tag=tag,
            keys=keys,
            properties=properties,
            order_key=order_key,
            identity=self._identity,
        )
        queue, address = await self._assign(message, avoid=None)
        try:
            await self._remote.send_oneway(address, self.group, message, queue, born_at=self._clock.wall_ms())
        except UNREACHABLE:
            self._routing.mark_stale(topic)
            raise
        self._oneway += 1

    def statistics(self) -> ProducerStatistics:
        """What this producer has done so far."""
        return ProducerStatistics(self._sent, self._weaker, self._failed, self._retries, self._oneway)

    async def _send_within(self, message: OutgoingMessage, seconds: float) -> SendReceipt:
        with trio.move_on_after(seconds):
            return await self._send(message)
        raise RequestTimeout(
            f"the message for topic {message.topic} was not answered within {seconds:g} s",
            hint="it may be stored all the same",
        )

    async def _send(self, message: OutgoingMessage) -> SendReceipt:
        attempts = SEND_ATTEMPTS if message.order_key is None else 1
        errors: list[RocketMQError] = []
        avoid: str | None = None
        for attempt in range(attempts):
            self._retries += attempt > 0
            queue, address = await self._assign(message, avoid)
            try:
                return await self._attempt(message, queue, address)
            except UNREACHABLE as error:
                errors.append(error)
            except BrokerError as error:
                errors.append(error)
                if judge_send(error.code or 0) is Verdict.FAIL:
                    break
            avoid = queue.broker_name
            self._routing.mark_stale(message.topic)
        final_error = errors.pop()
        for earlier in errors:
            final_error.add_note(f"an earlier attempt failed: {earlier}")
        raise final_error

    async def _attempt(self, message: OutgoingMessage, queue: MessageQueue, address: str) -> SendReceipt:
        answer = await self._remote.send(address, self.group, message, queue, born_at=self._clock.wall_ms())
        route = self._routing.table.get(message.topic)
        if route is not None and route.from_template:
            self._routing.mark_stale(message.topic)  # the broker has just created the topic
        return _receipt(message, queue, answer)

    async def _assign(self, message: OutgoingMessage, avoid: str | None) -> tuple[MessageQueue, str]:
        """Choose the queue of the next attempt and find its master."""
        route = await self._routing.ensure(message.topic, create=True)
        if not route.writable:
            route = await self._routing.refresh(message.topic) or route
        queue = self._choose(message, route.writable, avoid)
        address = None if queue is None else self._routing.table.master(queue.broker_name)
        if queue is None or address is None:
            raise _nothing_to_write(route)
        return queue, address

    def _choose(
        self, message: OutgoingMessage, queues: Sequence[MessageQueue], avoid: str | None
    ) -> MessageQueue | None:
        if message.order_key is None:
            return self._choice.assign_next(message.topic, queues, avoid)
        return queue_for_key(queues, message.order_key) if queues else None


def _receipt(message: OutgoingMessage, queue: MessageQueue, answer: SendAnswer) -> SendReceipt:
    return SendReceipt(
        message_id=message.message_id,
        queue=type(queue)(queue.topic, queue.broker_name, answer.queue_id),
        offset=answer.queue_offset,
        status=SendStatus(answer.code),
        offset_message_id=answer.offset_message_id,
    )


def _nothing_to_write(route: TopicRoute) -> BrokerError:
    if any(entry.perm & Perm.WRITE for entry in route.data.queue_datas):
        return BrokerError(
            ResponseCode.SERVICE_NOT_AVAILABLE,
            f"no master of topic {route.topic} is registered",
            hint="only slaves are left: messages can be read, not sent, until a master is back",
        )
    return BrokerError(
        ResponseCode.NO_PERMISSION,
        f"topic {route.topic} cannot be written",
        hint="give it the permission 'rw'",
    )
