"""The message engine as the rest of the broker sees it.

``EngineOwner`` is the whole face: configuration goes in by typed methods, cold events come out of ``run``. What the
engine stores and which thread drives it is known below it only; the rules of asking it are in ``exchange``. There are two
owners: ``plane.ReactorOwner`` (the engine lives in a thread of Rust and talks TCP) and ``pump.PumpOwner`` (the engine is
called inline).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite._native import Control
from rocketmq_lite.broker.engine.offsets import CommittedOffset
from rocketmq_lite.broker.exchange import EngineExchange
from rocketmq_lite.protocol.bodies import SkippedOffsets
from rocketmq_lite.protocol.codes import ResponseCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rocketmq_lite.broker.engine.clients import GroupSubscriptions
    from rocketmq_lite.errors import BrokerError
    from rocketmq_lite.protocol.bodies import SubscriptionGroupConfig, TopicConfig
    from rocketmq_lite.protocol.command import Command


class EngineOwner(EngineExchange):
    """The one door to the message engine."""

    # --- tables

    def put_topic(self, topic: TopicConfig) -> None:
        """Add or replace a topic."""
        self.submit(
            Control.put_topic(
                topic.topic_name,
                read_queues=topic.read_queue_nums,
                write_queues=topic.write_queue_nums,
                permission=topic.perm,
                sys_flag=topic.topic_sys_flag,
                order=topic.order,
                multi_tag=topic.topic_filter_type == "MULTI_TAG",
            )
        )

    def remove_topic(self, name: str) -> None:
        """Forget a topic and its messages."""
        self.submit(Control.remove_topic(name))

    def put_group(self, group: SubscriptionGroupConfig) -> None:
        """Add or replace a consumer group."""
        self.submit(
            Control.put_group(
                group.group_name,
                consume_enable=group.consume_enable,
                broadcast_enable=group.consume_broadcast_enable,
                retry_max_times=group.retry_max_times,
                retry_queues=group.retry_queue_nums,
                sys_flag=group.group_sys_flag,
            )
        )

    def remove_group(self, name: str, *, clean_offsets: bool) -> None:
        """Forget a consumer group, and its offsets if that is wished."""
        self.submit(Control.remove_group(name, clean_offsets=clean_offsets))

    def put_subscriptions(self, table: GroupSubscriptions) -> None:
        """Replace what a group subscribes to; without subscriptions, the group has no members."""
        if table.subscriptions is None:
            self.submit(Control.remove_subscriptions(table.group))
            return
        entries = [
            (each.topic, each.expression_type, each.sub_string, each.sub_version)
            for each in table.subscriptions
        ]
        self.submit(Control.put_subscriptions(table.group, broadcasting=table.broadcasting, entries=entries))

    def set_orderly(self, group: str, *, orderly: bool) -> None:
        """Say whether a group holds queue locks."""
        self.submit(Control.set_orderly(group, orderly=orderly))

    # --- requests that wait

    def respond(self, token: int, answer: Command) -> None:
        """Answer a parked request."""
        self.submit(
            Control.respond(
                token, code=answer.code, remark=answer.remark, fields=dict(answer.fields), body=answer.body
            )
        )

    def retry_topic(self, name: str) -> None:
        """Run the sends that wait for a topic."""
        self.submit(Control.retry("topic", name))

    def retry_group(self, name: str) -> None:
        """Run the requests that wait for a group."""
        self.submit(Control.retry("group", name))

    def refuse_topic(self, name: str, refusal: BrokerError) -> None:
        """Answer the sends that wait for a topic with a refusal."""
        self.submit(Control.refuse("topic", name, code=_code(refusal), remark=refusal.remark))

    def refuse_group(self, name: str, refusal: BrokerError) -> None:
        """Answer the requests that wait for a group with a refusal."""
        self.submit(Control.refuse("group", name, code=_code(refusal), remark=refusal.remark))

    # --- offsets and figures

    def load_offsets(self, offsets: Iterable[CommittedOffset]) -> None:
        """Set consumer offsets; others stay as they are."""
        self.submit(
            Control.load_offsets([(each.topic, each.group, each.queue_id, each.offset) for each in offsets])
        )

    async def offsets(self) -> tuple[CommittedOffset, ...]:
        """All consumer offsets."""
        value = await self.ask(Control.offsets())
        assert isinstance(value, list)  # noqa: S101 - the extension's promise
        return tuple(CommittedOffset(*each) for each in value)

    def remove_offsets(self, *, topic: str | None = None, group: str | None = None) -> None:
        """Forget the offsets of a topic, of a group, or of a group in a topic."""
        self.submit(Control.remove_offsets(topic=topic, group=group))

    async def bounds(self, topic: str, queues: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Smallest and next offset of each queue."""
        value = await self.ask(Control.bounds(topic, list(queues)))
        assert isinstance(value, list)  # noqa: S101 - the extension's promise
        return {queue: (smallest, following) for queue, smallest, following in value}

    def reset_offsets(self, topic: str, group: str, offsets: Mapping[int, int]) -> None:
        """Set a group's offsets, by queue; its consumers hear of it with their next pull."""
        self.submit(Control.reset_offsets(topic, group, list(offsets.items())))

    async def search_time(self, topic: str, queue: int, timestamp: int) -> int:
        """The first message stored at or after a time in milliseconds, or the end of the queue."""
        value = await self.ask(Control.search_time(topic, queue, timestamp))
        assert isinstance(value, int)  # noqa: S101 - the extension's promise
        return value

    async def store_time(self, topic: str, queue: int, offset: int) -> int:
        """When a message was stored, in milliseconds; -1 where there is none."""
        value = await self.ask(Control.store_time(topic, queue, offset))
        assert isinstance(value, int)  # noqa: S101 - the extension's promise
        return value

    async def earliest_time(self) -> int:
        """When the oldest message of the log was stored, in milliseconds; -1 when there is none."""
        value = await self.ask(Control.earliest_time())
        assert isinstance(value, int)  # noqa: S101 - the extension's promise
        return value

    async def record(self, physical_offset: int) -> bytes | None:
        """The stored message at a position of the log, if there is one."""
        value = await self.ask(Control.record(physical_offset))
        assert value is None or isinstance(value, bytes)  # noqa: S101 - the extension's promise
        return value

    async def skips(self, group: str) -> dict[tuple[str, int], SkippedOffsets]:
        """What a group could not read any more, by topic and queue; the last of it in each."""
        value = await self.ask(Control.skips(group))
        assert isinstance(value, list)  # noqa: S101 - the extension's promise
        return {(topic, queue): SkippedOffsets(*where) for topic, queue, *where in value}

    async def deliver_scheduled(self, level: int, offset: int) -> tuple[int, int]:
        """Move what is due in a delay level's queue, from an offset on.

        Returns:
            Where to go on, and the wall time in milliseconds before which nothing more is due.

        Raises:
            StoreError: Nothing was moved.
        """
        value = await self.ask(Control.deliver_scheduled(level - 1, offset))
        assert isinstance(value, tuple)  # noqa: S101 - the extension's promise
        return value

    async def statistics(self) -> Mapping[str, int]:
        """The engine's counters."""
        value = await self.ask(Control.statistics())
        assert isinstance(value, dict)  # noqa: S101 - the extension's promise
        return value

    async def put_times(self) -> Sequence[tuple[int, int]]:
        """How many sends took how long: the first millisecond of each class, in order, and its sends."""
        value = await self.ask(Control.put_times())
        assert isinstance(value, list)  # noqa: S101 - the extension's promise
        return value

    # --- room

    def purge(self, before: int) -> None:
        """Let the log begin at the first file that ends behind this position."""
        self.submit(Control.purge(before))

    def set_accept_writes(self, *, accept: bool) -> None:
        """Take messages, or refuse them with 14."""
        self.submit(Control.set_accept_writes(accept))

    def set_full_log_dirs(self, full: Iterable[Path]) -> None:
        """Make new files of the log in other directories than these, if there are others."""
        self.submit(Control.set_full_log_dirs([str(path) for path in full]))

    # --- the end

    async def stop(self) -> None:
        """Answer what is held, finish what waits for the disk, and close the store.

        Raises:
            StoreError: The store could not be closed; the next start recovers it.
        """
        await self.ask(Control.stop())


def _code(refusal: BrokerError) -> int:
    return refusal.code or ResponseCode.SYSTEM_ERROR
