"""Pull consumers: queues chosen or shared, read when messages are asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
import trio

import rocketmq_lite as rmq
from rocketmq_lite.client.heartbeats import GOODBYE_TIMEOUT
from rocketmq_lite.model import MessageQueue

FIRST, SECOND = (MessageQueue("orders", "broker-a", number) for number in range(2))


async def poll(puller, count, *, within=60):
    """The bodies of so many messages."""
    bodies: list[bytes] = []
    with trio.fail_after(within):
        while len(bodies) < count:
            bodies += [message.body for message in await puller.poll(count - len(bodies))]
    return bodies


@pytest.fixture
async def orders(client):
    """A topic of one queue with ten messages, one a second."""
    await client.admin.create_topic("orders", queues=1)
    for number in range(10):
        await client.producer("p").send("orders", b"%d" % number, tag="even" if number % 2 == 0 else "odd")
        await trio.sleep(1)


def numbers(*wanted):
    return [b"%d" % number for number in wanted]


async def test_chosen_queues_are_read_from_where_the_group_is(autojump_clock, client, orders):
    async with client.puller("g", start="earliest") as puller:
        assert puller.queues == ()
        assert await puller.poll(timeout=1) == []
        assert await puller.queues_of("orders") == (FIRST,)
        await puller.assign([FIRST])
        assert (puller.queues, puller.position(FIRST)) == ((FIRST,), 0)
        assert await poll(puller, 3) == numbers(0, 1, 2)
        assert puller.position(FIRST) == 3
    async with client.puller("g") as puller:
        assert await puller.committed(FIRST) == 3
        await puller.assign([FIRST])
        assert await poll(puller, 7) == numbers(*range(3, 10))
        assert puller.statistics().polled == 7
        [statistics] = puller.statistics().queues
        assert (statistics.position, statistics.waiting, statistics.error) == (10, 0, None)
        assert not [each for each in await client.admin.groups() if each.group == "g" and each.members]


async def test_who_polls_waits_for_the_first_message(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    async with client.puller("g", "orders") as puller, trio.open_nursery() as nursery:

        async def later():
            await trio.sleep(3)
            await client.producer("p").send("orders", b"x")

        nursery.start_soon(later)
        began = trio.current_time()
        assert [message.body for message in await puller.poll()] == [b"x"]
        assert 3 <= trio.current_time() - began < 4
        began = trio.current_time()
        assert await puller.poll(timeout=0) == []
        assert trio.current_time() == began


async def test_seek_goes_anywhere(autojump_clock, client, orders):
    async with client.puller("g", "orders", start="earliest") as puller:
        [third] = [message for message in await puller.poll(4, timeout=9) if message.body == b"3"]
        await puller.seek(FIRST, 8)
        assert await poll(puller, 2) == numbers(8, 9)
        await puller.seek(FIRST, "earliest")
        assert await poll(puller, 1) == numbers(0)
        await puller.seek(FIRST, third.stored_at - timedelta(milliseconds=1))
        assert await poll(puller, 1) == numbers(3)
        await puller.seek(FIRST, "latest")
        assert await puller.poll(timeout=1) == []
        with pytest.raises(rmq.ConfigError, match="offset 11 is not in queue"):
            await puller.seek(FIRST, 11)
        with pytest.raises(rmq.ConfigError, match="does not read orders broker-a/1"):
            await puller.seek(SECOND, 0)
        assert puller.position(FIRST) == 10


async def test_a_paused_queue_gives_nothing(autojump_clock, client, orders):
    async with client.puller("g", "orders", start="earliest", prefetch=4) as puller:
        assert await poll(puller, 1) == numbers(0)
        puller.pause(FIRST)
        assert await puller.poll(timeout=30) == []
        [statistics] = puller.statistics().queues
        assert (statistics.paused, statistics.position) == (True, 1)
        with pytest.raises(rmq.ConfigError, match="does not read"):
            puller.resume(FIRST, SECOND)
        assert await puller.poll(timeout=1) == []
        puller.resume(FIRST)
        assert await poll(puller, 9) == numbers(*range(1, 10))


async def test_the_next_poll_says_that_the_earlier_messages_are_done(autojump_clock, client, orders):
    async with client.puller("g", "orders", start="earliest") as puller:
        assert await poll(puller, 3) == numbers(0, 1, 2)
        await trio.sleep(6)
        assert await puller.committed(FIRST) == 0
        assert await poll(puller, 2) == numbers(3, 4)
        await trio.sleep(6)
        assert await puller.committed(FIRST) == 3


async def test_a_block_that_fails_has_not_done_what_it_polled_last(autojump_clock, client, orders):
    async def fail():
        async with client.puller("g", "orders", start="earliest") as puller:
            await poll(puller, 3)
            await poll(puller, 2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with client.puller("g", "orders") as puller:
        assert await poll(puller, 1) == numbers(3)


async def test_committing_by_hand(autojump_clock, client, orders):
    async with client.puller("g", "orders", start="earliest", auto_commit=False) as puller:
        assert await poll(puller, 3) == numbers(0, 1, 2)
        await puller.poll(1)
        await trio.sleep(30)
        assert await puller.committed(FIRST) is None
        await puller.commit({FIRST: 2})
        assert await puller.committed(FIRST) == 2
        await puller.commit()
        assert await puller.committed(FIRST) == 4
        await poll(puller, 5)
    async with client.puller("g", "orders") as puller:
        assert await poll(puller, 1) == numbers(4)


async def test_only_what_is_wanted_comes(autojump_clock, client, orders):
    topics = {"orders": rmq.Tags("odd")}
    async with client.puller("g", topics, start="earliest") as puller:
        assert await poll(puller, 5) == numbers(1, 3, 5, 7, 9)
        assert puller.position(FIRST) == 10
    async with client.puller("h", "orders", where="TAGS = 'even'", start="earliest") as puller:
        assert await poll(puller, 5) == numbers(0, 2, 4, 6, 8)


async def test_members_share_queues_and_hand_them_over(autojump_clock, cluster):
    async with cluster.connect(instance="a") as one, cluster.connect(instance="b") as other:
        await one.admin.create_topic("orders", queues=2)
        async with one.puller("g", "orders", start="earliest") as first:
            assert first.queues == (FIRST, SECOND)
            for number in range(4):
                await one.producer("p").send("orders", b"%d" % number, order_key=str(number))
            before = set(await poll(first, 4))
            assert before == set(numbers(0, 1, 2, 3))
            await first.poll(timeout=0)
            async with other.puller("g", "orders") as second:
                await trio.sleep(1)
                assert (first.queues, second.queues) == ((FIRST,), (SECOND,))
                clients = await one.admin.group_clients("g")
                assert clients.consume_type == "CONSUME_ACTIVELY"
                assert [each.queues for each in clients.members] == [(FIRST,), (SECOND,)]
                assert "%RETRY%g" not in clients.subscriptions
                assert await second.poll(timeout=20) == []  # the first one's position was committed
            await trio.sleep(1)
            assert first.queues == (FIRST, SECOND)


async def test_a_position_that_was_set_moves_a_puller(autojump_clock, client, orders):
    async with client.puller("g", "orders", start="earliest") as puller:
        await poll(puller, 10)
        await client.admin.move_group("g", await client.admin.plan_reset("g", "orders", 7))
        assert await poll(puller, 3) == numbers(7, 8, 9)


async def test_assigned_queues_change_without_disturbing_the_others(autojump_clock, client):
    await client.admin.create_topic("orders", queues=2)
    for number in range(6):
        await client.producer("p").send("orders", b"%d" % number)
    async with client.puller("g", start="earliest") as puller:
        await puller.assign([FIRST])
        await poll(puller, 2)
        await puller.assign([FIRST, SECOND])
        assert (puller.position(FIRST), puller.position(SECOND)) == (2, 0)
        await puller.poll(timeout=0)
        await puller.assign([SECOND])
        assert puller.queues == (SECOND,)
        assert await puller.committed(FIRST) == 2
    async with client.puller("g", "orders") as puller:
        with pytest.raises(rmq.ConfigError, match="shares the queues"):
            await puller.assign([FIRST])


async def test_cancelling_a_poll_loses_nothing(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    received: list[bytes] = []
    async with client.puller("g", "orders", start="earliest") as puller, trio.open_nursery() as nursery:

        async def produce():
            for number in range(200):
                await client.producer("p").send("orders", b"%d" % number)
                await trio.sleep(0.003)

        nursery.start_soon(produce)
        with trio.fail_after(60):
            while len(received) < 200:
                with trio.move_on_after(0.001):
                    received += [message.body for message in await puller.poll()]
    assert received == numbers(*range(200))


async def test_a_broker_that_comes_back_is_read_on(autojump_clock, bare_cluster, tmp_path):
    broker = await bare_cluster.start_broker(data=tmp_path, port=12911)
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=1)
        async with client.puller("g", "orders") as puller:
            await client.producer("p").send("orders", b"0")
            assert await poll(puller, 1) == numbers(0)
            await broker.stop()
            assert await puller.poll(timeout=10) == []
            [statistics] = puller.statistics().queues
            assert statistics.error is not None
            await bare_cluster.start_broker(data=tmp_path, port=12911)
            await trio.sleep(5)
            await client.producer("p").send("orders", b"1")
            assert await poll(puller, 1) == numbers(1)


async def test_a_closed_puller(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    async with client.puller("g", "orders") as puller:
        with pytest.raises(rmq.ConfigError, match="limit is 0"):
            await puller.poll(0)
        with pytest.raises(rmq.ConfigError, match="member of consumer group 'g' already"):
            async with client.puller("g", "orders"):
                pass
    with pytest.raises(rmq.ClientClosed, match="puller of group 'g'"):
        await puller.poll()


async def test_leaving_does_not_wait_for_a_broker_that_is_gone(autojump_clock, cluster):
    broker = await cluster.start_broker("broker-b")
    async with cluster.connect() as client:
        await client.admin.create_topic("orders", queues=1, broker="broker-b")
        async with client.puller("g", "orders") as puller:
            await client.producer("p").send("orders", b"x")
            await poll(puller, 1)
            await broker.stop()
            began = trio.current_time()
        assert trio.current_time() - began <= 2 * GOODBYE_TIMEOUT
