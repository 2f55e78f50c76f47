"""Strict order: one message of a queue at a time, by one member at a time, whatever happens to members and brokers."""

from __future__ import annotations

import pytest
import trio
from tests.integration.client.taking import leave_by, nothing_more, take
from tests.integration.peer import connect

import rocketmq_lite as rmq
from rocketmq_lite.client.unentered import LOOK_SECONDS
from rocketmq_lite.protocol.bodies import LockBatch, LockedQueues
from rocketmq_lite.protocol.codes import RequestCode

UNLOCK = RequestCode.UNLOCK_BATCH_MQ


@pytest.fixture
async def orders(client):
    """A topic with one queue and the messages 0 to 4."""
    await client.admin.create_topic("orders", queues=1)
    producer = client.producer("order-service")
    for number in range(5):
        await producer.send("orders", b"%d" % number)
    return client


async def test_one_message_of_a_queue_at_a_time(autojump_clock, orders):
    finished = []

    async def work(messages):
        async for message in messages:
            async with message:
                await trio.sleep(5 - int(message.body))
                finished.append(int(message.body))

    async with (
        orders.consumer("billing", "orders", start="earliest", ordered=True) as messages,
        trio.open_nursery() as nursery,
    ):
        for _ in range(3):
            nursery.start_soon(work, messages)
        await trio.sleep(14.5)
        assert finished == [0, 1, 2, 3]
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert finished == [0, 1, 2, 3, 4]


async def test_a_message_that_is_never_entered_is_told_of(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest", ordered=True) as messages:
        for number in range(2):
            message = await anext(messages)
            with pytest.warns(rmq.UnacknowledgedWarning, match=f"offset {number} of orders") as caught:
                await trio.sleep(5 * LOOK_SECONDS)
            assert len(caught) == 1
            async with message:
                pass


async def test_one_that_is_entered_late_or_fails_is_not_told_of(autojump_clock, orders, recwarn):
    async with orders.consumer("billing", "orders", start="earliest", ordered=True) as messages:
        message = await anext(messages)
        await trio.sleep(LOOK_SECONDS - 1)
        async with message:
            await trio.sleep(5 * LOOK_SECONDS)
        await leave_by(await anext(messages), rmq.RetryLater(5 * LOOK_SECONDS))
        await trio.sleep(4 * LOOK_SECONDS)
        await take(messages, 3)
        last = await anext(messages)  # nothing waits for it
        await trio.sleep(5 * LOOK_SECONDS)
        async with last:
            pass
    assert not recwarn.list


async def test_different_queues_are_worked_on_at_the_same_time(autojump_clock, client):
    await client.admin.create_topic("orders", queues=4)
    producer = client.producer("p")
    for _ in range(8):
        await producer.send("orders", b"x")
    in_work: set[int] = set()
    most = 0

    async def work(messages):
        nonlocal most
        async for message in messages:
            async with message:
                assert message.queue.queue_id not in in_work
                in_work.add(message.queue.queue_id)
                most = max(most, len(in_work))
                await trio.sleep(1)
                in_work.remove(message.queue.queue_id)

    async with (
        client.consumer("g", "orders", start="earliest", ordered=True) as messages,
        trio.open_nursery() as nursery,
    ):
        for _ in range(8):
            nursery.start_soon(work, messages)
        await trio.sleep(2.5)
        assert most == 4
        assert messages.statistics().acknowledged == 8
        nursery.cancel_scope.cancel()


async def test_a_queue_passes_on_once_the_message_in_work_is_done(autojump_clock, cluster):
    async with cluster.connect(instance="a") as first, cluster.connect(instance="b") as second:
        await first.admin.create_topic("orders", queues=2)
        producer = first.producer("p")
        for number in range(8):
            await producer.send("orders", b"%d" % number)
        async with first.consumer("g", "orders", start="earliest", ordered=True) as one:
            held = [await anext(one), await anext(one)]
            for message in held:
                await message.__aenter__()
            async with second.consumer("g", "orders", ordered=True) as other:
                with trio.move_on_after(5):
                    raise AssertionError(await anext(other))
                for message in held:
                    await message.__aexit__(None, None, None)
                passed = {message.queue: message.offset for message in await take(other, 3)}
                [queue] = passed
                assert queue not in one.queues
                assert passed == {queue: 3}  # from the message behind the one that was in work
                [mine] = {message.queue for message in await take(one, 3)}
                assert mine != queue


async def test_a_message_in_work_holds_its_queue_no_longer_than_grace(autojump_clock, cluster):
    async with cluster.connect(instance="a") as first, cluster.connect(instance="b") as second:
        await first.admin.create_topic("orders", queues=2)
        producer = first.producer("p")
        for number in range(2):
            await producer.send("orders", b"%d" % number)
        async with first.consumer("g", "orders", start="earliest", ordered=True, grace=7) as one:
            for _ in range(2):
                await (await anext(one)).__aenter__()
            async with second.consumer("g", "orders", ordered=True) as other:
                began = trio.current_time()
                await take(other, 1)
                assert 7 <= trio.current_time() - began < 11


async def test_the_queues_of_a_member_that_died_pass_on_when_its_locks_end(autojump_clock, bare_cluster):
    broker = await bare_cluster.start_broker()
    async with bare_cluster.connect(instance="z") as client:
        await client.admin.create_topic("orders", queues=2)
        producer = client.producer("p")
        for _ in range(2):
            await producer.send("orders", b"x")
        queues = [rmq.MessageQueue("orders", "broker-a", number) for number in range(2)]
        async with connect(bare_cluster.network, broker.address) as peer:
            await peer.call(RequestCode.LOCK_BATCH_MQ, LockBatch("g", "dead", (queues[0],)).encode())
        async with client.consumer("g", "orders", start="earliest", ordered=True) as messages:
            began = trio.current_time()
            [message] = await take(messages, 1)
            assert (message.queue, messages.queues) == (queues[1], (queues[1],))
            [message] = await take(messages, 1, within=70)
            assert message.queue == queues[0]
            assert 59 < trio.current_time() - began < 64


async def test_locks_are_renewed_for_as_long_as_a_message_is_in_work(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest", ordered=True) as messages:
        async with await anext(messages):
            await trio.sleep(600)
            assert await locked_by_another(orders) == ()
        assert [message.body for message in await take(messages, 4)] == [b"1", b"2", b"3", b"4"]
    assert len(await locked_by_another(orders)) == 1  # it was given back


async def locked_by_another(client):
    """What another client of the group is given."""
    queue = rmq.MessageQueue("orders", "broker-a", 0)
    address = client._routing.master("broker-a")
    return await client._remote.lock(address, "billing", "another", (queue,), timeout=1)


async def test_an_acknowledgement_after_the_lock_ended_does_not_count(autojump_clock, bare_cluster, caplog):
    broker = await bare_cluster.start_broker()
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=1)
        for number in range(3):
            await client.producer("p").send("orders", b"%d" % number)
        async with client.consumer("g", "orders", start="earliest", ordered=True) as messages:
            [first] = await take(messages, 1)
            async with await anext(messages) as second:
                await bare_cluster.network.cut(broker.address)
                await trio.sleep(2)
                assert messages.queues == ()  # and it is not asked for again: a message is in work
            again = await take(messages, 2)
            assert [first.body, second.body] == [b"0", b"1"]
            assert [message.body for message in again] == [b"1", b"2"]
    assert "went with the connection" in caplog.text


async def test_a_broker_that_cannot_be_reached_ends_the_work_on_its_queues(autojump_clock, scripted):

    silent = False

    async def lock(request):
        if silent:
            await trio.sleep_forever()
        return request.answer(0, body=LockedQueues(LockBatch.decode(request.body).mq_set).encode())

    scripted.scripts[RequestCode.LOCK_BATCH_MQ] = lock
    async with scripted.connect() as client, client.consumer("g", "orders", ordered=True) as messages:
        await trio.sleep(50)
        assert len(messages.queues) == 1
        silent = True
        await trio.sleep(9)
        assert len(messages.queues) == 1  # renewed at 40 s, and good until 70 s
        await trio.sleep(12)
        assert [*messages.queues] == []
        silent = False
        await trio.sleep(5)
        assert len(messages.queues) == 1


async def test_a_queue_is_let_go_before_its_broker_has_answered(autojump_clock, scripted):
    async def silent(_request):
        await trio.sleep_forever()

    scripted.scripts[RequestCode.LOCK_BATCH_MQ] = silent
    async with scripted.connect() as client:
        began = trio.current_time()
        with trio.move_on_after(0.5):
            async with client.consumer("g", "orders", ordered=True):
                raise AssertionError("nobody knows yet whose the queue is")
        assert trio.current_time() - began < 1.5  # unlocking waits for the answer, which has a second
        unlocks = [LockBatch.decode(each.body) for each in scripted.requests if each.code == UNLOCK]
        assert [queue.topic for each in unlocks for queue in each.mq_set] == ["orders"]


class Refused(Exception):
    pass


async def fail(messages: rmq.Consumer, error: Exception) -> rmq.ReceivedMessage:
    """Take a message and have the work on it fail."""
    message = await anext(messages)
    async with message:
        raise error
    return message


async def test_a_failing_head_is_tried_in_place_and_holds_its_queue(autojump_clock, orders):
    seen = []
    async with orders.consumer("billing", "orders", start="earliest", ordered=True) as messages:
        began = trio.current_time()
        async for message in messages:
            async with message:
                seen.append((message.body, message.attempt, round(trio.current_time() - began)))
                if message.body == b"1" and message.attempt < 4:
                    raise Refused
            if len(seen) == 8:
                break
    assert seen == [
        (b"0", 1, 0),
        (b"1", 1, 0),
        (b"1", 2, 1),
        (b"1", 3, 3),
        (b"1", 4, 7),
        (b"2", 1, 7),
        (b"3", 1, 7),
        (b"4", 1, 7),
    ]


async def test_the_user_says_when_it_is_tried_again(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest", ordered=True) as messages:
        began = trio.current_time()
        await fail(messages, rmq.RetryLater(12.5))
        again = await anext(messages)
        assert (again.body, trio.current_time() - began) == (b"0", 12.5)


async def dead(client, group="billing"):
    async with client.consumer("undertaker", f"%DLQ%{group}", start="earliest") as messages:
        return [message.body for message in await take(messages, 1)]


async def test_a_head_that_fails_too_often_is_parked_if_that_was_asked_for(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest", ordered=True, park_after=3) as messages:
        attempts = [(await fail(messages, Refused())).attempt for _ in range(3)]
        rest = await take(messages, 4)
    assert attempts == [1, 2, 3]
    assert [message.body for message in rest] == [b"1", b"2", b"3", b"4"]
    assert await dead(orders) == [b"0"]


async def test_a_dead_letter_is_parked_at_once(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest", ordered=True) as messages:
        await fail(messages, rmq.DeadLetter("no such customer"))
        assert (await take(messages, 1))[0].body == b"1"
    assert await dead(orders) == [b"0"]


async def test_otherwise_the_queue_stands_after_the_last_attempt(autojump_clock, orders, caplog):
    async with orders.consumer(
        "billing", "orders", start="earliest", ordered=True, max_attempts=2
    ) as messages:
        await fail(messages, Refused("one"))
        await fail(messages, Refused("two"))
        await nothing_more(messages, within=1000)
    assert "stands at offset 0, which failed 2 times" in caplog.text
    async with orders.consumer("billing", "orders", ordered=True) as messages:
        assert [message.body for message in await take(messages, 5)] == [b"0", b"1", b"2", b"3", b"4"]


async def test_the_lag_says_what_holds_a_queue_up(autojump_clock, orders):
    async with orders.consumer(
        "billing", "orders", start="earliest", ordered=True, max_attempts=3
    ) as messages:
        await take(messages, 1)
        [queue] = (await orders.admin.group_lag("billing", topic="orders")).queues
        assert (queue.blocked_known, queue.blocked) == (True, None)
        await fail(messages, Refused("no such customer"))
        [queue] = (await orders.admin.group_lag("billing", topic="orders")).queues
        first = queue.blocked
        for _ in range(2):
            await fail(messages, Refused("still none"))
        [queue] = (await orders.admin.group_lag("billing", topic="orders")).queues
        assert messages.statistics().queues[0].failed_head is not None
    assert first is not None
    assert queue.blocked is not None
    assert (first.offset, first.attempts, first.error, first.stands) == (
        1,
        1,
        "Refused: no such customer",
        False,
    )
    assert (queue.blocked.attempts, queue.blocked.error, queue.blocked.stands) == (
        3,
        "Refused: still none",
        True,
    )
    assert first.since == queue.blocked.since > 0
    [queue] = (await orders.admin.group_lag("billing", topic="orders")).queues
    assert (queue.client_id, queue.blocked_known, queue.blocked) == (None, False, None)


async def test_a_head_that_cannot_be_parked_stays_in_front(autojump_clock, orders):
    await orders.admin.create_topic("%DLQ%billing", queues=1, perm="r")
    async with orders.consumer("billing", "orders", start="earliest", ordered=True, park_after=1) as messages:
        first = await fail(messages, Refused())
        again = await anext(messages)
        assert (first.body, again.body, again.attempt) == (b"0", b"0", 2)


async def test_a_cancelled_message_can_be_entered_again_and_holds_its_queue(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest", ordered=True) as messages:
        message = await anext(messages)
        with trio.move_on_after(1):
            async with message:
                await trio.sleep_forever()
        with pytest.warns(rmq.UnacknowledgedWarning, match="offset 0 of orders"):
            await nothing_more(messages)
        async with message:
            pass
        assert (await take(messages, 1))[0].body == b"1"


async def test_the_end_waits_for_the_message_in_work(autojump_clock, orders):
    done = trio.Event()

    async def work(message):
        async with message:
            await done.wait()

    async with trio.open_nursery() as nursery:
        async with orders.consumer("billing", "orders", start="earliest", ordered=True) as messages:
            nursery.start_soon(work, await anext(messages))
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(_later, 3, done.set)
            began = trio.current_time()
        assert trio.current_time() - began == pytest.approx(3, abs=0.5)
    async with orders.consumer("billing", "orders", ordered=True) as messages:
        assert (await take(messages, 1))[0].body == b"1"


async def _later(seconds, act):
    await trio.sleep(seconds)
    act()


async def test_a_cancelled_consumer_does_not_wait_and_keeps_the_lock_of_a_message_in_work(
    autojump_clock, cluster, orders
):
    async def work(message):
        async with message:
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            async with (
                cluster.connect(instance="cancelled") as client,
                client.consumer("billing", "orders", start="earliest", ordered=True) as messages,
            ):
                nursery.start_soon(work, await anext(messages))
                await trio.testing.wait_all_tasks_blocked()
                began = trio.current_time()
                scope.cancel()
                await trio.sleep_forever()
        assert trio.current_time() - began < 5
        assert await locked_by_another(orders) == ()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"park_after": 2}, "ordered=True"),
        ({"ordered": True, "model": "broadcasting"}, "not for broadcasting"),
        ({"ordered": True, "park_after": 0}, "at least 1"),
        ({"ordered": True, "park_after": 3, "max_attempts": 2}, "the queue stands"),
    ],
)
async def test_arguments_that_cannot_be(autojump_clock, orders, arguments, message):
    with pytest.raises(rmq.ConfigError, match=message):
        orders.consumer("billing", "orders", **arguments)
