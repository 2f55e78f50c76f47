"""Single messages: found by what a receipt, a log line or a tool says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.administration.part import AdminPart, ask_each
from rocketmq_lite.client.engine.names import UNIQ_KEY, check_topic
from rocketmq_lite.client.engine.routes import MASTER_ID
from rocketmq_lite.client.message_view import StoredMessage
from rocketmq_lite.errors import BrokerError, ConfigError, MessageNotFound
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.codes import ResponseCode
from rocketmq_lite.protocol.framing import parse_offset_id

if TYPE_CHECKING:
    from rocketmq_lite.protocol.bodies import ClusterInfo
    from rocketmq_lite.protocol.framing import RawMessage

__all__ = ["MessageAdmin"]

_ELSEWHERE: Final = "give the offset message id that sending answers, or topic, broker, queue and offset"


class MessageAdmin(AdminPart):
    """The part of `Admin` that is about messages."""

    async def message(self, message_id: str, *, topic: str | None = None) -> StoredMessage:
        """A message by its id.

        Args:
            message_id: An offset message id, which names a broker and a place in its log; or, with ``topic``, the id that
                the producer gave (``UNIQ_KEY``), which brokers with an index of keys find.
            topic: The topic to search for a producer's id.

        Raises:
            MessageNotFound: There is no such message, or no longer.
            ConfigError: The id names no registered broker, and no topic is given to search.
            BrokerError: No broker of the topic has an index (code 3), or one refused.
            RocketMQError: A server could not be reached.
        """
        info = await self.cluster()
        place = parse_offset_id(message_id)
        name = None if place is None else _broker_at(info, place[0])
        if place is not None and name is not None:
            return await self._at_place(message_id, place, name)
        if topic is None:
            raise ConfigError(
                f"{message_id} is no offset message id of a registered broker",
                hint="if it is a producer's id, say in which topic to search; " + _ELSEWHERE,
            )
        return await self._by_unique_key(topic, message_id)

    async def message_at(self, queue: MessageQueue, offset: int) -> StoredMessage:
        """The message at an offset of a queue.

        Raises:
            MessageNotFound: There is none, or no longer.
            TopicNotFound: There is no such topic.
            ConfigError: No broker of that name is registered.
            BrokerError: The broker refused.
            RocketMQError: A server could not be reached.
        """
        check_topic(queue.topic)
        address = (await self._masters(broker=queue.broker_name))[queue.broker_name]
        raw = await self._remote.read_at(address, queue, offset)
        if raw is None:
            where = f"{queue.topic} {queue.broker_name}/{queue.queue_id}"
            raise MessageNotFound(
                f"there is no message at offset {offset} of {where}",
                hint=f"`rmq topic show {queue.topic}` says which offsets there are",
            )
        return StoredMessage(raw, queue)

    async def messages_by_key(self, topic: str, key: str, *, limit: int = 32) -> list[StoredMessage]:
        """The messages of a topic that have a key, oldest first; an empty list when there are none.

        Args:
            topic: The topic.
            key: One of the keys that their producers gave.
            limit: The most from each broker, 64 at the most; the newest count.

        Raises:
            TopicNotFound: There is no such topic.
            ConfigError: The topic cannot be.
            BrokerError: A broker refused, so that some might be missing.
            RocketMQError: A server could not be reached, so that some might be missing.
        """
        masters = await self._masters_of(topic)
        answers = await ask_each(
            masters, lambda name: self._remote.query_key(masters[name], topic, key, limit=limit)
        )
        for failure in answers.failures.values():
            raise failure
        found = [
            StoredMessage(raw, MessageQueue(raw.topic, name, raw.queue_id))
            for name, messages in answers.values.items()
            for raw in messages
        ]
        # Brokers find by a hash of the key.
        return sorted((each for each in found if key in each.keys), key=lambda each: each.stored_at)

    async def _masters_of(self, topic: str) -> dict[str, str]:
        """The masters that have the topic, by broker name."""
        route = await self._routing.look_up(check_topic(topic))
        return {
            broker.broker_name: address
            for broker in route.broker_datas
            if (address := broker.broker_addrs.get(MASTER_ID)) is not None
        }

    async def _at_place(self, message_id: str, place: tuple[str, int], name: str) -> StoredMessage:
        address, offset = place
        try:
            raw = await self._remote.view_message(address, offset)
        except BrokerError as error:
            if error.code != ResponseCode.SYSTEM_ERROR:  # brokers have no code of its own for it
                raise
            raise MessageNotFound(
                f"broker {name} has no message {message_id}",
                hint="it may have been deleted for its age",
                code=error.code,
            ) from error
        return StoredMessage(raw, MessageQueue(raw.topic, name, raw.queue_id))

    async def _by_unique_key(self, topic: str, key: str) -> StoredMessage:
        masters = await self._masters_of(topic)
        answers = await ask_each(
            masters, lambda name: self._remote.query_unique_key(masters[name], topic, key)
        )
        for name, messages in answers.values.items():
            for raw in messages:
                if _unique_key(raw) == key:
                    return StoredMessage(raw, MessageQueue(raw.topic, name, raw.queue_id))
        for failure in answers.failures.values():
            if failure.code == ResponseCode.REQUEST_CODE_NOT_SUPPORTED:
                failure.hint = f"this broker has no index of message keys; {_ELSEWHERE}"
            raise failure
        raise MessageNotFound(
            f"no message with the id {key} is in topic {topic}",
            hint="it may have been deleted for its age; or the id is another topic's",
        )


def _broker_at(info: ClusterInfo, address: str) -> str | None:
    """The name of the registered broker at an address."""
    for data in info.broker_addr_table.values():
        if address in data.broker_addrs.values():
            return data.broker_name
    return None


def _unique_key(raw: RawMessage) -> str | None:
    return raw.properties.get(UNIQ_KEY)
