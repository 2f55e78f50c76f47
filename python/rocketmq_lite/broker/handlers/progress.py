"""How far consumer groups have come, in offsets and in time, and who reads what.

A message's store time has to be read from the log; only the times that an answer needs are.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from rocketmq_lite.errors import BrokerError
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import (
    BrokerConsumeStats,
    ConsumeOffset,
    ConsumeStats,
    ConsumeTimeSpan,
    ConsumeTimeSpans,
    GroupList,
    TopicList,
)
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.headers.group import (
    GetBrokerConsumeStatsRequestHeader,
    GetConsumeStatsRequestHeader,
    QueryConsumeTimeSpanRequestHeader,
    QueryTopicsByConsumerRequestHeader,
)
from rocketmq_lite.protocol.headers.topic import TopicRequestHeader

if TYPE_CHECKING:
    from rocketmq_lite.broker.catalog import Catalog
    from rocketmq_lite.broker.engine.clients import ClientTable
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler

NO_TIME: Final = -1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ProgressHandlers:
    """Requests about the positions of groups."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        owner: EngineOwner,
        clients: ClientTable,
        clock: Clock,
        broker_name: str,
        address: str,
    ) -> None:
        self._catalog = catalog
        self._owner = owner
        self._clients = clients
        self._clock = clock
        self._broker_name = broker_name
        self._address = address

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {
            RequestCode.GET_CONSUME_STATS: self.statistics,
            RequestCode.GET_BROKER_CONSUME_STATS: self.all_statistics,
            RequestCode.QUERY_CONSUME_TIME_SPAN: self.time_spans,
            RequestCode.QUERY_TOPIC_CONSUME_BY_WHO: self.readers,
            RequestCode.QUERY_TOPICS_BY_CONSUMER: self.topics,
        }

    async def statistics(self, _caller: Caller, request: Command) -> Command:
        """How far a group has come in each queue it reads, or in those of one topic."""
        header = GetConsumeStatsRequestHeader.from_fields(request.fields)
        stored = await self._positions(header.consumer_group)
        wanted = set(header.topic_list.split(";")) if header.topic_list else set()
        if header.topic:
            wanted.add(header.topic)
        table: dict[MessageQueue, ConsumeOffset] = {}
        for topic in sorted(wanted or stored):
            if self._is_read(header.consumer_group, topic):
                table.update(await self._progress(topic, stored.get(topic, {})))
        for (topic, queue_id), skipped in (await self._owner.skips(header.consumer_group)).items():
            queue = MessageQueue(topic, self._broker_name, queue_id)
            if queue in table:
                table[queue] = replace(table[queue], skipped=skipped)
        return request.answer(body=ConsumeStats(table).encode())

    async def all_statistics(self, _caller: Caller, request: Command) -> Command:
        """How far all groups have come in the topics that they read."""
        ordered_only = GetBrokerConsumeStatsRequestHeader.from_fields(request.fields).is_order
        positions: dict[str, dict[str, dict[int, int]]] = {}
        for each in await self._owner.offsets():
            positions.setdefault(each.group, {}).setdefault(each.topic, {})[each.queue_id] = each.offset
        found: list[dict[str, tuple[ConsumeStats, ...]]] = []
        waiting = 0
        for group in sorted(positions.keys() & self._catalog.groups.all().keys()):
            tables = [
                await self._progress(topic, stored)
                for topic, stored in sorted(positions[group].items())
                if self._is_read(group, topic) and self._is_shown(topic, ordered_only)
            ]
            found.append({group: tuple(ConsumeStats(table) for table in tables if table)})
            waiting += sum(at.broker_offset - at.consumer_offset for table in tables for at in table.values())
        stats = BrokerConsumeStats(
            self._address, tuple(each for each in found if any(each.values())), waiting
        )
        return request.answer(body=stats.encode())

    async def time_spans(self, _caller: Caller, request: Command) -> Command:
        """Of each queue of a topic: from when to when its messages are, and up to when a group has consumed."""
        header = QueryConsumeTimeSpanRequestHeader.from_fields(request.fields)
        queues = self._queues(header.topic)
        if queues is None:
            raise BrokerError(ResponseCode.TOPIC_NOT_EXIST, f"topic[{header.topic}] not exist")
        positions = (await self._positions(header.group)).get(header.topic, {})
        spans = [
            await self._time_span(header.topic, queue, bounds, positions.get(queue, -1))
            for queue, bounds in (await self._owner.bounds(header.topic, queues)).items()
        ]
        return request.answer(body=ConsumeTimeSpans(tuple(spans)).encode())

    async def readers(self, _caller: Caller, request: Command) -> Command:
        """The groups that read a topic: those online, and those that have a position in it."""
        topic = TopicRequestHeader.from_fields(request.fields).topic
        online = self._clients.groups_subscribed_to(topic)
        stored = {each.group for each in await self._owner.offsets() if each.topic == topic}
        return request.answer(body=GroupList(tuple(sorted(online | stored))).encode())

    async def topics(self, _caller: Caller, request: Command) -> Command:
        """The topics in which a group has a position."""
        group = QueryTopicsByConsumerRequestHeader.from_fields(request.fields).group
        names = tuple(sorted(await self._positions(group)))
        return request.answer(body=TopicList(names, self._address).encode())

    # --- parts

    async def _positions(self, group: str) -> dict[str, dict[int, int]]:
        """What a group has committed, by topic and queue."""
        positions: dict[str, dict[int, int]] = {}
        for each in await self._owner.offsets():
            if each.group == group:
                positions.setdefault(each.topic, {})[each.queue_id] = each.offset
        return positions

    def _queues(self, topic: str) -> range | None:
        config = self._catalog.topics.get(topic)
        return None if config is None else range(config.read_queue_nums)

    def _is_read(self, group: str, topic: str) -> bool:
        """Left-over offsets of a topic that an online group does not subscribe to any more are not its lag."""
        view = self._clients.consumer_group(group)
        return view is None or not view.subscriptions or topic in view.subscriptions

    def _is_shown(self, topic: str, ordered_only: bool) -> bool:  # noqa: FBT001 - named where it is called
        config = self._catalog.topics.get(topic)
        return config is not None and (config.order or not ordered_only)

    async def _progress(self, topic: str, committed: dict[int, int]) -> dict[MessageQueue, ConsumeOffset]:
        bounds = await self._owner.bounds(topic, self._queues(topic) or ())
        return {
            MessageQueue(topic, self._broker_name, queue): ConsumeOffset(
                broker_offset=following,
                consumer_offset=committed.get(queue, 0),
                pull_offset=committed.get(queue, 0),
                last_timestamp=max(await self._time(topic, queue, committed.get(queue, 0) - 1), 0),
            )
            for queue, (_smallest, following) in bounds.items()
        }

    async def _time_span(
        self, topic: str, queue: int, bounds: tuple[int, int], position: int
    ) -> ConsumeTimeSpan:
        smallest, following = bounds
        first = await self._time(topic, queue, smallest)
        last = await self._time(topic, queue, following - 1)
        consumed = await self._time(topic, queue, position - 1) if position > 0 else first
        waiting = await self._time(topic, queue, position)
        return ConsumeTimeSpan(
            message_queue=MessageQueue(topic, self._broker_name, queue),
            min_time_stamp=first,
            max_time_stamp=last,
            consume_time_stamp=consumed,
            # Without a position Apache counts from -1 too, in effect from 1970.
            delay_time=self._clock.wall_ms() - waiting,
            min_time_stamp_str=_readable(first),
            max_time_stamp_str=_readable(last),
            consume_time_stamp_str=_readable(consumed),
        )

    async def _time(self, topic: str, queue: int, offset: int) -> int:
        return NO_TIME if offset < 0 else await self._owner.store_time(topic, queue, offset)


def _readable(milliseconds: int) -> str:
    """A time as Apache prints it, ``2026-11-23#12:34:06:203``, in the broker's own zone."""
    local = (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone()
    return f"{local:%Y-%m-%d#%H:%M:%S}:{local.microsecond // 1000:03}"
