"""Sending: one message, many, or one without an answer.

A send without an order key goes round robin over the writable queues of all masters; after a failure it is
tried on another broker, three attempts in all. With an order key it goes to that key's queue and nowhere
else, once: another queue would break the order, and a second attempt could overtake a later message.
"""

from __future__ import annotations

import math
import secrets
from functools import partial
from typing import TYPE_CHECKING, Final, final

import trio

from rocketmq_lite.client.batches import Batches, check_items
from rocketmq_lite.client.engine import names
from rocketmq_lite.client.engine.lanes import plan_lanes
from rocketmq_lite.client.engine.retry import QueueChoices
from rocketmq_lite.client.engine.routes import queue_for_key
from rocketmq_lite.client.many import ManySender
from rocketmq_lite.client.outgoing import outgoing_message, property_text
from rocketmq_lite.client.sending import Sending
from rocketmq_lite.client.tally import Tally
from rocketmq_lite.errors import NotAllSent, RequestTimeout, RocketMQError
from rocketmq_lite.model import SendStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from rocketmq_lite.client.identity import Identity
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.client.sending import Choose
    from rocketmq_lite.client.tally import ProducerStatistics
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.model import Message, MessageQueue, SendReceipt
    from rocketmq_lite.protocol.framing import OutgoingMessage, SendAnswer

__all__ = ["Producer"]

_SPREAD: Final = 1 << 16
_OK: Final = SendStatus.OK


@final
class Producer:
    """Sends messages on behalf of a producer group; made by :meth:`Client.producer`.

    One producer serves any number of tasks at a time.
    """

    def __init__(
        self, group: str, *, remote: Remote, routing: Routing, identity: Identity, clock: Clock
    ) -> None:
        self.group = group
        self._identity = identity
        self._sending = Sending(group, remote=remote, routing=routing, clock=clock)
        self._choices = QueueChoices(secrets.randbelow(_SPREAD))
        self._tally = Tally()

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
        message = outgoing_message(
            topic,
            body,
            tag=tag,
            keys=keys,
            properties=properties,
            order_key=order_key,
            identity=self._identity,
        )
        choose = self._choose(topic, order_key)
        try:
            if timeout is None:
                answer = await self._sending.store(message, choose)
            else:
                answer = await self._store_within(timeout, message, choose)
        except RocketMQError:
            self._tally.failed += 1
            raise
        receipt = answer.receipt(message)
        if answer.status is _OK:
            self._tally.sent += 1
        else:
            self._tally.stored((receipt,), (receipt,), accept_weaker=accept_weaker)
        return receipt

    async def send_many(
        self,
        topic: str,
        bodies: Iterable[bytes | Message],
        *,
        tag: str | None = None,
        keys: str | Iterable[str] = (),
        properties: Mapping[str, str] | None = None,
        order_key: str | None = None,
        accept_weaker: bool = False,
        timeout: float | None = None,
    ) -> tuple[SendReceipt, ...]:
        """Send many messages in batches and wait until all are stored.

        Several batches are under way at a time, on different queues; within a queue the messages lie in the
        order given. A failed batch is tried on another broker, as :meth:`send` does, and may lie behind later
        ones there. An iterator is read no further than what is being sent, and its messages are not kept.

        Args:
            topic: Where to; a topic that does not exist is created if the brokers permit it.
            bodies: Bodies, or :class:`Message` for those with a tag, keys and properties of their own. While an
                iterator blocks, all other tasks wait too.
            tag: The tag of every body.
            keys: The keys of every body.
            properties: The properties of every body.
            order_key: All go to this key's queue, in order, one batch after the other and each tried once.
            accept_weaker: As for :meth:`send`.
            timeout: Seconds for all of it. Without it each attempt of a batch has the client's
                ``request_timeout``.

        Returns:
            One receipt for each message, in order.

        Raises:
            ConfigError: An argument is not valid; nothing was sent.
            NotDurable: All are stored, but some more weakly than asked; it has all receipts.
            NotAllSent: Some have no receipt. It has the receipts of the others, and what to send again; its
                ``__cause__`` is what :meth:`send` would have raised, or an error of the iterable.
            TopicNotFound: The topic does not exist and cannot be created; nothing was sent.
            NoNameServer: The route is not known yet and no name server answers; nothing was sent.
            RequestTimeout: The route did not come in time; nothing was sent.

        Cancelling leaves the client usable; how many messages are stored then is not known.

        Example:
            >>> receipts = await producer.send_many("orders", (line for line in open("orders.txt", "rb")))
        """
        names.check_topic_to_send(topic)
        check_items(bodies)
        text = property_text(tag=tag, keys=keys, properties=properties, order_key=order_key)
        deadline = trio.current_time() + (math.inf if timeout is None else timeout)
        lanes = await self._lanes(topic, order_key, deadline)
        batches = Batches(
            topic, bodies, text=text, order_key=order_key, identity=self._identity, lanes=len(lanes)
        )
        sender = ManySender(self._sending, batches, lanes)
        try:
            receipts = await sender.run(deadline)
        except NotAllSent as error:
            self._tally.sent += sender.stored
            self._tally.failed += len(error.receipts) - sender.stored
            raise
        self._tally.stored(receipts, sender.weaker, accept_weaker=accept_weaker)
        return receipts

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
        message = outgoing_message(
            topic,
            body,
            tag=tag,
            keys=keys,
            properties=properties,
            order_key=order_key,
            identity=self._identity,
        )
        await self._sending.post(message, self._choose(topic, order_key))
        self._tally.oneway += 1

    def statistics(self) -> ProducerStatistics:
        """What this producer has done so far."""
        return self._tally.statistics(self._sending.retries)

    async def _store_within(self, seconds: float, message: OutgoingMessage, choose: Choose) -> SendAnswer:
        with trio.move_on_after(seconds):
            return await self._sending.store(message, choose)
        raise RequestTimeout(
            f"the message for topic {message.topic} was not answered within {seconds:g} s",
            hint="it may be stored all the same",
        )

    def _choose(self, topic: str, order_key: str | None) -> Choose:
        if order_key is None:
            return self._choices[topic].assign_next
        return partial(_by_key, order_key)

    async def _lanes(self, topic: str, order_key: str | None, deadline: float) -> list[Choose]:
        """How batches are spread: over all queues, or to that of the key, one after the other."""
        if order_key is not None:
            return [self._choose(topic, order_key)]
        with trio.move_on_at(deadline):
            route = await self._sending.writable(topic)
            turn = self._choices[topic].take_turn()
            return [lane.assign_next for lane in plan_lanes(len(route.writable), turn)]
        raise RequestTimeout(f"the route of topic {topic} did not come in time", hint="nothing was sent")


def _by_key(order_key: str, queues: Sequence[MessageQueue], _avoid: Collection[str]) -> MessageQueue | None:
    return queue_for_key(queues, order_key) if queues else None
