"""Sending: a message or a batch to one queue; see `remote` for the rules."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rocketmq_lite.client.engine.routes import TEMPLATE_QUEUES
from rocketmq_lite.protocol.reserved import TEMPLATE_TOPIC
from rocketmq_lite.protocol.sends import send_target

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import OutgoingMessage, RawCommand, SendAnswer, SendTarget
    from rocketmq_lite.transport.rpc import Pool

__all__ = ["SendRemote"]


class SendRemote:
    """The requests of one client that store messages.

    Args:
        pool: Its connections.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def send(
        self, address: str, group: str, message: OutgoingMessage, queue: MessageQueue, *, born_at: int
    ) -> Awaitable[SendAnswer | RawCommand]:
        """310: store a message; 320: a batch of them. Of a broker that has not, its answer as it is."""
        target = _target(group, message.topic, queue.broker_name, message.is_batch)
        return self._pool.ask(address, target.request(message, queue, born_at))

    def send_oneway(
        self, address: str, group: str, message: OutgoingMessage, queue: MessageQueue, *, born_at: int
    ) -> Awaitable[None]:
        """310 or 320, not answered."""
        target = _target(group, message.topic, queue.broker_name, message.is_batch)
        return self._pool.post(address, target.request(message, queue, born_at))


@lru_cache(maxsize=4096)
def _target(group: str, topic: str, broker_name: str, batch: bool) -> SendTarget:  # noqa: FBT001 - asked for every message
    """What all sends of a group to a broker's part of a topic share; made once, as long as it is in use."""
    return send_target(group, topic, broker_name, TEMPLATE_TOPIC, TEMPLATE_QUEUES, batch=batch)
