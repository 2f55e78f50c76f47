"""One typed function for each request that a client makes.

Each builds the request, calls, and turns the answer into values; `asking` says what becomes of errors.
Nothing here chooses an address, retries or remembers anything. What only administrators ask is in
`remote_admin`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.client.asking import ask, reading, refusal
from rocketmq_lite.client.remote_queues import QueueRemote, named
from rocketmq_lite.errors import TopicNotFound
from rocketmq_lite.protocol.bodies import (
    CheckClientConfig,
    ConsumerList,
    LockBatch,
    LockedQueues,
    TopicRouteData,
)
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.headers.group import GetSubscriptionGroupConfigRequestHeader
from rocketmq_lite.protocol.headers.heartbeat import (
    GetConsumerListByGroupRequestHeader,
    UnregisterClientRequestHeader,
)
from rocketmq_lite.protocol.headers.route import GetRouteInfoRequestHeader
from rocketmq_lite.protocol.headers.send import ConsumerSendMsgBackRequestHeader

if TYPE_CHECKING:
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.bodies import HeartbeatData, SubscriptionData
    from rocketmq_lite.protocol.framing import RawMessage

__all__ = ["Remote"]


class Remote(QueueRemote):
    """The requests of one client; those about one queue are in `QueueRemote`.

    Args:
        pool: Its connections.
    """

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
        request = Command(RequestCode.CONSUMER_SEND_MSG_BACK, fields=named(header, queue))
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

    async def ensure_group(self, address: str, group: str) -> None:
        """352: have a broker know a group; one that creates groups on demand does so when it is asked for its settings.

        Raises:
            GroupNotFound: It does not create groups.
        """
        header = GetSubscriptionGroupConfigRequestHeader(group)
        await ask(self._pool, address, RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, header)

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

    async def lock(
        self, address: str, group: str, client_id: str, queues: tuple[MessageQueue, ...], *, timeout: float
    ) -> tuple[MessageQueue, ...]:
        """41: take or renew locks of queues; the queues that the client has now."""
        answer = await self._lock_batch(
            RequestCode.LOCK_BATCH_MQ, address, LockBatch(group, client_id, queues), timeout
        )
        with reading(address):
            return LockedQueues.decode(answer.body).lock_ok_mq_set

    async def unlock(
        self, address: str, group: str, client_id: str, queues: tuple[MessageQueue, ...], *, timeout: float
    ) -> None:
        """42: give locks back."""
        await self._lock_batch(
            RequestCode.UNLOCK_BATCH_MQ, address, LockBatch(group, client_id, queues), timeout
        )

    async def _lock_batch(self, code: RequestCode, address: str, batch: LockBatch, timeout: float) -> Command:
        answer = await self._pool.call(address, Command(code, body=batch.encode()), timeout=timeout)
        if answer.code != ResponseCode.SUCCESS:
            raise refusal(address, answer)
        return answer

    async def consumer_ids(self, address: str, group: str) -> tuple[str, ...]:
        """38: the client ids of a consumer group's members."""
        header = GetConsumerListByGroupRequestHeader(group)
        answer = await ask(self._pool, address, RequestCode.GET_CONSUMER_LIST_BY_GROUP, header)
        with reading(address):
            return ConsumerList.decode(answer.body).consumer_id_list
