"""A queue that goes from one member to another: what is in hands is finished, and what is not is counted."""

from __future__ import annotations

import itertools
import logging
from contextlib import asynccontextmanager

import pytest
import trio
from tests.integration.client.scripted import pull_answer
from tests.integration.client.taking import take

import rocketmq_lite as rmq
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.codes import RequestCode

PULL = RequestCode.PULL_MESSAGE
OFFSET = RequestCode.QUERY_CONSUMER_OFFSET
FIRST, SECOND = (MessageQueue("orders", "broker-a", queue_id) for queue_id in range(2))


@asynccontextmanager
async def two_clients(cluster, *, messages):
    """Clients ``a`` and ``b``, and a topic with so many messages in each of its two queues."""
    async with cluster.connect(instance="a") as first, cluster.connect(instance="b") as second:
        await first.admin.create_topic("orders", queues=2)
        producer = first.producer("p")
        for _ in range(2 * messages):
            await producer.send("orders", b"x")
        yield first, second


def lost(events):
    return [event for event in events if isinstance(event, rmq.QueueLost) and event.queue.topic == "orders"]


async def test_a_busy_group_shares_out_anew_without_a_duplicate(autojump_clock, cluster):
    handled = []

    async def work(messages):
        async for message in messages:
            async with message:
                await trio.sleep(0.15)  # less than the time between the looks of who takes over
                handled.append((message.queue, message.offset))

    events: list[rmq.ConsumerEvent] = []
    async with (
        two_clients(cluster, messages=50) as (first, second),
        first.consumer("g", "orders", start="earliest", on_event=events.append) as one,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(work, one)
        await trio.sleep(3)
        async with second.consumer("g", "orders") as other, trio.open_nursery() as others:
            others.start_soon(work, other)
            await trio.sleep(20)
            assert one.statistics().duplicates == other.statistics().duplicates == 0
            others.cancel_scope.cancel()
        nursery.cancel_scope.cancel()
    assert len(handled) == len(set(handled)) == 100
    assert lost(events) == [rmq.QueueLost(SECOND, duplicates=0)]


async def test_what_takes_longer_than_the_grace_is_counted_and_comes_again(autojump_clock, cluster):
    events: list[rmq.ConsumerEvent] = []
    async with (
        two_clients(cluster, messages=4) as (first, second),
        first.consumer("g", "orders", start="earliest", grace=5, on_event=events.append) as one,
    ):
        held: dict[MessageQueue, list[rmq.ReceivedMessage]] = {FIRST: [], SECOND: []}
        for message in [await anext(one) for _ in range(8)]:
            held[message.queue].append(message)
        async with held[SECOND][2]:
            pass  # done, behind two that are not
        async with second.consumer("g", "orders") as other:
            await trio.sleep(4.9)
            assert lost(events) == []
            async with held[SECOND][0]:
                pass  # in time
            await trio.sleep(0.3)
            assert lost(events) == [rmq.QueueLost(SECOND, duplicates=3)]
            assert one.statistics().duplicates == 3
            assert [message.offset for message in await take(other, 4)] == [0, 1, 2, 3]


async def test_what_is_finished_in_time_is_committed_for_the_next_owner(autojump_clock, cluster):
    async with (
        two_clients(cluster, messages=2) as (first, second),
        first.consumer("g", "orders", start="earliest") as one,
    ):
        held = [await anext(one) for _ in range(4)]
        mine = sorted((message for message in held if message.queue == SECOND), key=lambda m: m.offset)
        async with second.consumer("g", "orders"):
            await trio.sleep(1)
        # The other one came and went without taking anything.
        for message in mine:
            async with message:
                pass
        await trio.sleep(1)
        assert one.statistics().duplicates == 0
        [again] = [each for each in one.statistics().queues if each.queue == SECOND]
        assert (again.committed, again.next_offset) == (2, 2)


async def test_a_failed_message_is_given_back_before_its_queue_is_let_go(autojump_clock, cluster):
    events: list[rmq.ConsumerEvent] = []
    async with (
        two_clients(cluster, messages=1) as (first, second),
        first.consumer("g", "orders", start="earliest", on_event=events.append) as one,
    ):
        for message in [await anext(one) for _ in range(2)]:
            async with message:
                raise rmq.RetryLater(1)
        async with second.consumer("g", "orders") as other:
            await trio.sleep(1)
            assert lost(events) == [rmq.QueueLost(SECOND, duplicates=0)]
            assert [queue.committed for queue in other.statistics().queues if queue.queue == SECOND] == [1]


@pytest.mark.parametrize(("moves", "begins_at"), [((5, 6, 7, 7), 7), ((5, 5), 5)])
async def test_the_new_owner_waits_until_the_position_stands_still(
    autojump_clock, scripted, moves, begins_at
):
    answers = iter(moves)
    scripted.scripts[OFFSET] = lambda request: request.answer(0, fields={"offset": str(next(answers))})
    scripted.members = ("0", "1")
    events: list[rmq.ConsumerEvent] = []
    async with scripted.connect() as client:
        scripted.members = ("0", client.client_id)
        scripted.queues = 2
        began = trio.current_time()
        async with client.consumer("g", "orders", on_event=events.append):
            assert trio.current_time() == began  # the group has a position: nothing sent now can be missed
            await trio.sleep(5)
    assert events == [rmq.QueueGained(SECOND, begins_at)]
    assert next(answers, None) is None


async def test_the_new_owner_waits_no_longer_than_the_grace(autojump_clock, scripted):
    moving = itertools.count()
    scripted.scripts[OFFSET] = lambda request: request.answer(0, fields={"offset": str(next(moving))})
    events: list[rmq.ConsumerEvent] = []
    async with scripted.connect() as client:
        scripted.members = ("0", client.client_id)
        scripted.queues = 2
        async with client.consumer("g", "orders", grace=3, on_event=events.append):
            await trio.sleep(2.9)
            assert events == []
            await trio.sleep(0.2)
            assert len(events) == 1


async def test_who_is_alone_does_not_wait(autojump_clock, scripted):
    async with scripted.connect() as client, client.consumer("g", "orders"):
        assert scripted.count(OFFSET) == 1


async def test_events_tell_what_is_read_from_where_and_where_a_broker_moved_us(
    autojump_clock, scripted, caplog
):
    hold = scripted.scripts[PULL]

    def moved(request):
        scripted.scripts[PULL] = hold
        return pull_answer(request, 21, next_offset=40, max_offset=50)

    scripted.scripts[PULL] = moved
    events: list[rmq.ConsumerEvent] = []
    async with scripted.connect() as client, client.consumer("g", "orders", on_event=events.append):
        await trio.sleep(1)
    assert events == [rmq.QueueGained(FIRST, 0), rmq.OffsetMoved(FIRST, 0, 40)]
    assert [event.skipped for event in events if isinstance(event, rmq.OffsetMoved)] == [40]
    assert "continues at offset 40" in caplog.text


async def test_an_event_that_the_application_cannot_take_does_not_end_the_consumer(
    autojump_clock, cluster, caplog
):
    def fail(_event):
        raise ZeroDivisionError

    async with (
        two_clients(cluster, messages=1) as (first, _second),
        first.consumer("g", "orders", start="earliest", on_event=fail) as one,
    ):
        assert len(await take(one, 2)) == 2
    assert "on_event of group g failed" in caplog.text
    assert {record.levelno for record in caplog.records if record.exc_info} == {logging.ERROR}


async def test_a_grace_below_zero_is_refused(client):
    with pytest.raises(rmq.ConfigError, match="grace is -1"):
        client.consumer("g", "orders", grace=-1)
