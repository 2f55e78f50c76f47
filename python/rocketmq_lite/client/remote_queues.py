"""What a client asks about one queue: its messages, its bounds, and how far a group is in it; see `remote` for the rules."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.asking import reading, refusal
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.framing import decode_messages
from rocketmq_lite.protocol.headers.offset import (
    OffsetResponseHeader,
    QueryConsumerOffsetRequestHeader,
    QueueRequestHeader,
    SearchOffsetRequestHeader,
    UpdateConsumerOffsetRequestHeader,
)
from rocketmq_lite.protocol.headers.pull import (
    PullMessageRequestHeader,
    PullMessageResponseHeader,
    PullSysFlag,
)
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from rocketmq_lite.client.engine.subscription import Subscription
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import RawMessage
    from rocketmq_lite.protocol.headers.shape import Header
    from rocketmq_lite.transport.rpc import Pool

__all__ = ["PULL_HOLD_MS", "PullAnswer", "PullStatus", "QueueRemote", "named"]

PULL_HOLD_MS: Final = 15_000
"""How long a broker may hold a pull of an empty queue (Java's ``BROKER_SUSPEND_MAX_TIME_MILLIS``)."""
_PULL_TIMEOUT: Final = 30.0
"""Seconds for a pull (Java): a held one may be answered up to 5 seconds late."""
_PULL_BYTES: Final = 262_144
"""Bytes of messages asked for at a time (Java)."""


class PullStatus(Enum):
    """What the answer to a pull says."""

    FOUND = "found"
    NOTHING = "nothing"
    """No message there, or none that matches."""
    OFFSET_MOVED = "offset moved"
    """The broker does not have that offset; the answer says where to go on."""


_PULL_STATUS: Final = {
    ResponseCode.SUCCESS: PullStatus.FOUND,
    ResponseCode.PULL_NOT_FOUND: PullStatus.NOTHING,
    ResponseCode.PULL_RETRY_IMMEDIATELY: PullStatus.NOTHING,
    ResponseCode.PULL_OFFSET_MOVED: PullStatus.OFFSET_MOVED,
}


@dataclass(frozen=True, slots=True)
class PullAnswer:
    """The answer to a pull.

    Attributes:
        next_offset: Where the next pull reads.
        max_offset: The end of the queue.
        suggested_broker_id: Which member of the replica group to ask next.
    """

    status: PullStatus
    next_offset: int
    max_offset: int
    suggested_broker_id: int
    messages: list[RawMessage]


class QueueRemote:
    """The requests of one client that are about one queue.

    Args:
        pool: Its connections.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

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
        """
        flags = PullSysFlag.SUSPEND | (PullSysFlag.COMMIT_OFFSET if commit_offset else 0)
        if wanted is not None:
            flags |= PullSysFlag.SUBSCRIPTION | PullSysFlag.LITE_PULL
        header = PullMessageRequestHeader(
            consumer_group=group,
            topic=queue.topic,
            queue_id=queue.queue_id,
            queue_offset=offset,
            max_msg_nums=count,
            sys_flag=flags,
            commit_offset=commit_offset or 0,
            suspend_timeout_millis=PULL_HOLD_MS,
            subscription=None if wanted is None else wanted.text,
            sub_version=sub_version,
            expression_type="TAG" if wanted is None else wanted.expression_type,
            max_msg_bytes=_PULL_BYTES,
        )
        code = RequestCode.PULL_MESSAGE if wanted is None else RequestCode.LITE_PULL_MESSAGE
        request = Command(code, fields=named(header, queue))
        answer = await self._pool.call(address, request, timeout=_PULL_TIMEOUT)
        status = _PULL_STATUS.get(ResponseCode(answer.code)) if answer.code in _PULL_STATUS else None
        if status is None:
            raise refusal(address, answer)
        with reading(address):
            found = PullMessageResponseHeader.from_fields(answer.fields)
            messages = decode_messages(answer.body) if status is PullStatus.FOUND else []
        return PullAnswer(
            status=status,
            next_offset=found.next_begin_offset,
            max_offset=found.max_offset,
            suggested_broker_id=found.suggest_which_broker_id,
            messages=messages,
        )

    # --- offsets ----------------------------------------------------------------------------------------

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
