"""What a client asks about one queue: to store, its messages, its bounds, how far a group is; for the rules see `remote`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.asking import reading, refusal
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.headers.offset import (
    OffsetResponseHeader,
    QueryConsumerOffsetRequestHeader,
    QueueRequestHeader,
    SearchOffsetRequestHeader,
    UpdateConsumerOffsetRequestHeader,
)
from rocketmq_lite.protocol.pulls import PullRequest, pull_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from rocketmq_lite.client.engine.subscription import Subscription
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.headers.shape import Header
    from rocketmq_lite.protocol.pulls import PullAnswer
    from rocketmq_lite.transport.rpc import Pool

__all__ = ["QueueRemote", "named"]

_PULL_TIMEOUT: Final = 30.0
"""Seconds for a pull (Java): a held one may be answered up to 5 seconds late."""


class QueueRemote:
    """The requests of one client that are about one queue.

    Args:
        pool: Its connections.

    Attributes:
        send: Has a `remote_sends.send_request` answered. Not a method: that would be a call more for each message.
        send_oneway: The same, not answered.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.send = pool.ask
        self.send_oneway = pool.post

    # --- pulling ----------------------------------------------------------------------------------------

    async def pull(
        self,
        address: str,
        group: str,
        queue: MessageQueue,
        *,
        offset: int,
        count: int,
        commit_offset: int | None,
        sub_version: int,
        wanted: Subscription | None = None,
        take: Callable[[PullAnswer], None] | None = None,
    ) -> PullAnswer:
        """11: messages from ``offset`` on; held by the broker while there are none. 361: the same for those wanted here.

        Args:
            address: Whom to ask.
            group: On whose behalf.
            queue: Which queue.
            offset: Where to read.
            count: At most so many.
            commit_offset: The group's position, stored along the way unless it is ``None`` or 0.
            sub_version: The subscription's version as told by heartbeats.
            wanted: Which messages; when left out, those of the group's subscription, which the broker knows from heartbeats.
            take: Takes the answer as soon as it has come, a round of the scheduler before this returns it; must not wait.
        """
        target = pull_target(
            group,
            queue.topic,
            queue.broker_name,
            queue.queue_id,
            sub_version=sub_version,
            subscription=None if wanted is None else wanted.text,
            expression_type="TAG" if wanted is None else wanted.expression_type,
        )
        request = PullRequest(target, offset=offset, count=count, commit_offset=commit_offset, take=take)
        answer = await self._pool.ask(address, request, timeout=_PULL_TIMEOUT, on_arrival=request.arrived)
        if isinstance(answer, Command):
            raise refusal(address, answer)
        return answer

    async def query_offset(self, address: str, group: str, queue: MessageQueue) -> int | None:
        """14: a group's position in a queue; ``None`` when it has none."""
        header = QueryConsumerOffsetRequestHeader(
            group, queue.topic, queue.queue_id, set_zero_if_not_found=False
        )
        request = Command(RequestCode.QUERY_CONSUMER_OFFSET, fields=named(header, queue))
        answer = await self._pool.call(address, request)
        if answer.code == ResponseCode.QUERY_NOT_FOUND:
            return None
        return self._offset(address, answer)

    async def update_offset(
        self, address: str, group: str, queue: MessageQueue, offset: int, *, wait: bool
    ) -> None:
        """15: store a group's position in a queue; one-way unless ``wait``."""
        header = UpdateConsumerOffsetRequestHeader(group, queue.topic, queue.queue_id, offset)
        request = Command(RequestCode.UPDATE_CONSUMER_OFFSET, fields=named(header, queue))
        if not wait:
            await self._pool.send_oneway(address, request)
            return
        answer = await self._pool.call(address, request)
        if answer.code != ResponseCode.SUCCESS:
            raise refusal(address, answer)

    async def max_offset(self, address: str, queue: MessageQueue) -> int:
        """30: where the next message will be stored."""
        return await self._bound(address, RequestCode.GET_MAX_OFFSET, queue)

    async def min_offset(self, address: str, queue: MessageQueue) -> int:
        """31: the first message that is still there."""
        return await self._bound(address, RequestCode.GET_MIN_OFFSET, queue)

    async def search_offset(self, address: str, queue: MessageQueue, timestamp: int) -> int:
        """29: the first message stored at ``timestamp`` (milliseconds) or later."""
        header = SearchOffsetRequestHeader(queue.topic, queue.queue_id, timestamp, boundary_type="LOWER")
        request = Command(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, fields=named(header, queue))
        return self._offset(address, await self._pool.call(address, request))

    async def _bound(self, address: str, code: RequestCode, queue: MessageQueue) -> int:
        header = QueueRequestHeader(queue.topic, queue.queue_id)
        return self._offset(
            address, await self._pool.call(address, Command(code, fields=named(header, queue)))
        )

    def _offset(self, address: str, answer: Command) -> int:
        if answer.code != ResponseCode.SUCCESS:
            raise refusal(address, answer)
        with reading(address):
            return OffsetResponseHeader.from_fields(answer.fields).offset


def named(header: Header, queue: MessageQueue) -> dict[str, str]:
    """The header's fields with the broker's name, by which a 5.x proxy finds the broker."""
    return {**header.to_fields(), "bname": queue.broker_name}
