"""One typed function for each request that a client makes.

Each builds the request, calls, and turns the answer into values; `asking` says what becomes of errors.
Nothing here chooses an address, retries or remembers anything. What only administrators ask is in
`remote_admin`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.asking import ask, reading, refusal
from rocketmq_lite.client.engine.routes import TEMPLATE_QUEUES
from rocketmq_lite.errors import TopicNotFound
from rocketmq_lite.protocol.bodies import CheckClientConfig, ConsumerList, TopicRouteData
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.framing import decode_messages
from rocketmq_lite.protocol.headers.heartbeat import (
    GetConsumerListByGroupRequestHeader,
    UnregisterClientRequestHeader,
)
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
from rocketmq_lite.protocol.headers.route import GetRouteInfoRequestHeader
from rocketmq_lite.protocol.headers.send import (
    ConsumerSendMsgBackRequestHeader,
    SendMessageRequestHeaderV2,
    SendMessageResponseHeader,
)
from rocketmq_lite.protocol.reserved import TEMPLATE_TOPIC

if TYPE_CHECKING:
    from rocketmq_lite.client.outgoing import OutgoingMessage
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import HeartbeatData, SubscriptionData
    from rocketmq_lite.protocol.framing import RawMessage
    from rocketmq_lite.protocol.headers.shape import Header
    from rocketmq_lite.transport.rpc import Pool

__all__ = ["PULL_HOLD_MS", "PullAnswer", "PullStatus", "Remote", "SendAnswer"]

PULL_HOLD_MS: Final = 15_000
"""How long a broker may hold a pull of an empty queue (Java's ``BROKER_SUSPEND_MAX_TIME_MILLIS``)."""
_PULL_TIMEOUT: Final = 30.0
"""Seconds for a pull (Java): a held one may be answered up to 5 seconds late."""
_PULL_BYTES: Final = 262_144
"""Bytes of messages asked for at a time (Java)."""

_STORED = frozenset(
    {0, ResponseCode.FLUSH_DISK_TIMEOUT, ResponseCode.SLAVE_NOT_AVAILABLE, ResponseCode.FLUSH_SLAVE_TIMEOUT}
)


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


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """The answer to a send that stored what it carried; ``code`` is 0, 10, 11 or 12.

    Attributes:
        queue_offset: Of a batch, its first message's.
        offset_message_id: Of a batch, all ids with commas between them.
    """

    code: int
    queue_id: int
    queue_offset: int
    offset_message_id: str


class Remote:
    """The requests of one client.

    Args:
        pool: Its connections.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    # --- name servers -----------------------------------------------------------------------------------

    async def route(self, address: str, topic: str) -> TopicRouteData:
        """105: where a topic's queues are."""
        header = GetRouteInfoRequestHeader(topic=topic, accept_standard_json_only=True)
        try:
            answer = await ask(self._pool, address, RequestCode.GET_ROUTEINFO_BY_TOPIC, header)
        except TopicNotFound as error:
            error.hint = f"create it with `rmq topic create {topic}`, or check the name"
            raise
        with reading(address):
            return TopicRouteData.decode(answer.body)

    # --- sending ----------------------------------------------------------------------------------------

    async def send(
        self, address: str, group: str, message: OutgoingMessage, queue: MessageQueue, *, born_at: int
    ) -> SendAnswer:
        """310: store a message; 320: a batch of them."""
        answer = await self._pool.call(address, _send_request(group, message, queue, born_at))
        if answer.code not in _STORED:
            raise refusal(address, answer)
        with reading(address):
            header = SendMessageResponseHeader.from_fields(answer.fields)
        return SendAnswer(answer.code, header.queue_id, header.queue_offset, header.msg_id)

    async def send_oneway(
        self, address: str, group: str, message: OutgoingMessage, queue: MessageQueue, *, born_at: int
    ) -> None:
        """310 or 320, not answered."""
        await self._pool.send_oneway(address, _send_request(group, message, queue, born_at))

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
    ) -> PullAnswer:
        """11: messages from ``offset`` on; held by the broker while there are none.

        Args:
            address: Whom to ask.
            group: On whose behalf; the broker knows its subscription from heartbeats.
            queue: Which queue.
            offset: Where to read.
            count: At most so many.
            commit_offset: The group's position, stored along the way unless it is ``None`` or 0.
            sub_version: The subscription's version as told by heartbeats.
        """
        header = PullMessageRequestHeader(
            consumer_group=group,
            topic=queue.topic,
            queue_id=queue.queue_id,
            queue_offset=offset,
            max_msg_nums=count,
            sys_flag=PullSysFlag.SUSPEND | (PullSysFlag.COMMIT_OFFSET if commit_offset else 0),
            commit_offset=commit_offset or 0,
            suspend_timeout_millis=PULL_HOLD_MS,
            sub_version=sub_version,
            expression_type="TAG",
            max_msg_bytes=_PULL_BYTES,
        )
        request = Command(RequestCode.PULL_MESSAGE, fields=_named(header, queue))
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
        request = Command(RequestCode.QUERY_CONSUMER_OFFSET, fields=_named(header, queue))
        answer = await self._pool.call(address, request)
        if answer.code == ResponseCode.QUERY_NOT_FOUND:
            return None
        return self._offset(address, answer)

    async def update_offset(
        self, address: str, group: str, queue: MessageQueue, offset: int, *, wait: bool
    ) -> None:
        """15: store a group's position in a queue; one-way unless ``wait``."""
        header = UpdateConsumerOffsetRequestHeader(group, queue.topic, queue.queue_id, offset)
        request = Command(RequestCode.UPDATE_CONSUMER_OFFSET, fields=_named(header, queue))
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
        request = Command(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, fields=_named(header, queue))
        return self._offset(address, await self._pool.call(address, request))

    async def send_back(
        self,
        address: str,
        group: str,
        queue: MessageQueue,
        raw: RawMessage,
        *,
        level: int,
        max_reconsume_times: int | None,
    ) -> None:
        """36: have a message of a queue come to the group again, after a delay level, or as a dead letter."""
        header = ConsumerSendMsgBackRequestHeader(
            offset=raw.physical_offset,
            group=group,
            delay_level=level,
            origin_msg_id=raw.offset_message_id,
            origin_topic=raw.topic,
            unit_mode=False,
            max_reconsume_times=max_reconsume_times,
        )
        request = Command(RequestCode.CONSUMER_SEND_MSG_BACK, fields=_named(header, queue))
        answer = await self._pool.call(address, request)
        if answer.code != ResponseCode.SUCCESS:
            raise refusal(address, answer)

    # --- membership -------------------------------------------------------------------------------------

    async def heartbeat(self, address: str, data: HeartbeatData) -> None:
        """34: tell a broker which groups we are in."""
        await ask(self._pool, address, RequestCode.HEART_BEAT, body=data.encode())

    async def check_subscription(
        self, address: str, client_id: str, group: str, subscription: SubscriptionData
    ) -> None:
        """46: whether a broker can serve a subscription.

        Raises:
            BrokerError: It cannot.
        """
        body = CheckClientConfig(client_id, group, subscription_data=subscription).encode()
        await ask(self._pool, address, RequestCode.CHECK_CLIENT_CONFIG, body=body)

    async def unregister(
        self,
        address: str,
        client_id: str,
        *,
        producer_group: str | None = None,
        consumer_group: str | None = None,
    ) -> None:
        """35: leave one group."""
        header = UnregisterClientRequestHeader(
            client_id=client_id, producer_group=producer_group, consumer_group=consumer_group
        )
        await ask(self._pool, address, RequestCode.UNREGISTER_CLIENT, header)

    async def consumer_ids(self, address: str, group: str) -> tuple[str, ...]:
        """38: the client ids of a consumer group's members."""
        header = GetConsumerListByGroupRequestHeader(group)
        answer = await ask(self._pool, address, RequestCode.GET_CONSUMER_LIST_BY_GROUP, header)
        with reading(address):
            return ConsumerList.decode(answer.body).consumer_id_list

    # --- shared -----------------------------------------------------------------------------------------

    async def _bound(self, address: str, code: RequestCode, queue: MessageQueue) -> int:
        header = QueueRequestHeader(queue.topic, queue.queue_id)
        return self._offset(
            address, await self._pool.call(address, Command(code, fields=_named(header, queue)))
        )

    def _offset(self, address: str, answer: Command) -> int:
        if answer.code != ResponseCode.SUCCESS:
            raise refusal(address, answer)
        with reading(address):
            return OffsetResponseHeader.from_fields(answer.fields).offset


def _send_request(group: str, message: OutgoingMessage, queue: MessageQueue, born_at: int) -> Command:
    header = SendMessageRequestHeaderV2(
        producer_group=group,
        topic=message.topic,
        default_topic=TEMPLATE_TOPIC,
        default_topic_queue_nums=TEMPLATE_QUEUES,
        queue_id=queue.queue_id,
        sys_flag=message.sys_flag,
        born_timestamp=born_at,
        flag=0,
        properties=message.properties,
        reconsume_times=0,
        unit_mode=False,
        batch=message.is_batch,
        broker_name=queue.broker_name,
    )
    code = RequestCode.SEND_BATCH_MESSAGE if message.is_batch else RequestCode.SEND_MESSAGE_V2
    return Command(code, fields=header.to_fields(), body=message.body)


def _named(header: Header, queue: MessageQueue) -> dict[str, str]:
    """The header's fields with the broker's name, by which a 5.x proxy finds the broker."""
    return {**header.to_fields(), "bname": queue.broker_name}
