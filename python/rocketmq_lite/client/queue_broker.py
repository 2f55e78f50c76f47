"""Whom a reader of one queue asks, and what it makes of a broker that fails.

A broker that cannot be reached or answers with an error is tried again for ever, with growing pauses: the group's position
is on the broker, and nobody else can serve this queue. The last error is kept, and logged when it changes.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.client.engine.retry import Backoff
from rocketmq_lite.client.engine.routes import MASTER_ID
from rocketmq_lite.client.routing import UNREACHABLE
from rocketmq_lite.errors import ConnectError, RocketMQError
from rocketmq_lite.protocol.codes import ResponseCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.model import MessageQueue

__all__ = ["QueueBroker"]

_log = logging.getLogger(__name__)

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 3.0
"""Seconds between attempts while a broker fails (Java: always 3)."""

# Answers that mean: this broker does not know our subscription (yet, or any more).
_UNKNOWN_HERE = frozenset({ResponseCode.SUBSCRIPTION_NOT_EXIST, ResponseCode.SUBSCRIPTION_NOT_LATEST})


class QueueBroker:
    """The broker of one queue, as far as one group is concerned.

    Args:
        queue: Which one.
        group: Whose.
        forgotten: Called with the address of a broker that may not know of us any more; whoever tells brokers nothing of
            itself leaves it out.

    Attributes:
        read_from: The member of the replica group that the last answer said to read from.
        error: Why the last attempt failed, or ``None``.
    """

    def __init__(
        self,
        queue: MessageQueue,
        group: str,
        *,
        routing: Routing,
        forgotten: Callable[[str], None] | None = None,
    ) -> None:
        self.read_from = MASTER_ID
        self.error: str | None = None
        self._queue = queue
        self._group = group
        self._routing = routing
        self._forgotten = forgotten
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        self._asked: str | None = None

    def master(self) -> str:
        """Where the group's position is kept.

        Raises:
            ConnectError: No address is known.
        """
        return self._address(MASTER_ID)

    def reader(self) -> str:
        """Where to read.

        Raises:
            ConnectError: No address is known.
        """
        return self._address(self.read_from)

    async def attempt(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do one step; after a failure find out more about the broker and pause."""
        try:
            await step()
        except RocketMQError as error:
            self._note(error)
        else:
            self.error = None
            self._backoff.reset()
            return
        await trio.sleep(self._backoff.next_pause())

    def _address(self, preferred: int) -> str:
        self._asked = self._routing.table.reader(self._queue.broker_name, preferred)
        if self._asked is None:
            raise ConnectError(f"no address of broker {self._queue.broker_name} is known")
        return self._asked

    def _note(self, error: RocketMQError) -> None:
        text = str(error)
        if text != self.error:
            _log.warning("reading %s for group %s: %s", self._queue, self._group, text)
        self.error = text
        unknown_here = self._forgotten is not None and error.code in _UNKNOWN_HERE
        if not unknown_here:
            self._routing.mark_stale(self._queue.topic)
        is_doubtful = unknown_here or isinstance(error, UNREACHABLE)
        if self._forgotten is not None and self._asked is not None and is_doubtful:
            self._forgotten(self._asked)
        self.read_from = MASTER_ID
