"""What leaving a message's block means, and what happens to messages that nobody enters."""

from __future__ import annotations

import logging

import pytest
import trio
from tests.integration.client.taking import leave_by, nothing_more, take

import rocketmq_lite as rmq
from rocketmq_lite.client.remote import Remote


@pytest.fixture
async def orders(client):
    """A topic with one queue and the messages 0 to 4."""
    await client.admin.create_topic("orders", queues=1)
    producer = client.producer("order-service")
    for number in range(5):
        await producer.send("orders", b"%d" % number)
    return client


async def test_an_exception_is_logged_and_the_message_comes_again(autojump_clock, orders, caplog):
    seen = []
    async with orders.consumer("billing", "orders", start="earliest") as messages:
        began = trio.current_time()
        async for message in messages:
            async with message:
                seen.append((message.body, message.attempt, round(trio.current_time() - began)))
                if message.body == b"1" and message.attempt < 4:
                    raise ValueError("not yet")
            if len(seen) == 8:
                break
        statistics = messages.statistics()
    assert seen == [
        (b"0", 1, 0),
        (b"1", 1, 0),
        (b"2", 1, 0),
        (b"3", 1, 0),
        (b"4", 1, 0),
        (b"1", 2, 10),
        (b"1", 3, 40),
        (b"1", 4, 100),
    ]
    assert (statistics.delivered, statistics.acknowledged, statistics.failed) == (8, 5, 3)
    assert [record.levelno for record in caplog.records if "failed" in record.message] == [logging.ERROR] * 3
    assert "not yet" in caplog.text


async def fail_one_of_five(messages):
    """The block of message 1 raises; what its queue looks like once it could be sent back."""
    for _ in range(5):
        async with await anext(messages) as message:
            if message.body == b"1":
                raise ValueError
    await trio.sleep(0.5)
    queue, _retries = messages.statistics().queues
    return queue


async def test_a_message_that_was_sent_back_is_behind_the_group(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest") as messages:
        queue = await fail_one_of_five(messages)
        assert (queue.committable, queue.unfinished) == (5, 0)
    async with orders.consumer("billing", "orders") as messages:
        [again] = await take(messages, 1)
        assert (again.body, again.attempt, again.topic) == (b"1", 2, "orders")


async def test_the_user_says_when_it_comes_again(autojump_clock, orders):
    waits: list[int] = []
    async with orders.consumer("billing", "orders", start="earliest") as messages:
        await take(messages, 4)
        for seconds in (1, 4, 50, 1e9):
            message = await anext(messages)
            began = trio.current_time()
            await leave_by(message, rmq.RetryLater(seconds))
            again = await anext(messages)
            waits.append(round(trio.current_time() - began))
            assert again.body == message.body
            await leave_by(again, rmq.RetryLater(1))
    assert waits == [1, 5, 60, 7200]


@pytest.mark.parametrize("attempts", [1, 3])
async def test_the_last_attempt_is_followed_by_the_dead_letters(autojump_clock, orders, attempts):
    seen = []
    async with orders.consumer("billing", "orders", start="earliest", max_attempts=attempts) as messages:
        await take(messages, 4)
        with trio.move_on_after(10_000):
            async for message in messages:
                async with message:
                    seen.append(message.attempt)
                    raise ValueError
    assert seen == list(range(1, attempts + 1))
    async with orders.consumer("undertaker", "%DLQ%billing", start="earliest") as messages:
        [dead] = await take(messages, 1)
    assert dead.body == b"4"


async def test_the_user_gives_a_message_up(autojump_clock, orders, caplog):
    async with orders.consumer("billing", "orders", start="earliest") as messages:
        await leave_by(await anext(messages), rmq.DeadLetter("no such customer"))
        await take(messages, 4)
        await nothing_more(messages)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]  # as it was meant
    async with orders.consumer("undertaker", "%DLQ%billing", start="earliest") as messages:
        assert [message.body for message in await take(messages, 1)] == [b"0"]


async def test_the_position_never_passes_a_message_that_could_not_be_sent_back(autojump_clock, orders):
    await orders.admin.create_topic("%RETRY%billing", queues=1, perm="r")
    async with orders.consumer("billing", "orders", start="earliest") as messages:
        queue = await fail_one_of_five(messages)
        assert (queue.committable, queue.unfinished) == (1, 1)
    async with orders.consumer("billing", "orders") as messages:
        again = [message.body for message in await take(messages, 4)]
        await nothing_more(messages)
    assert again == [b"1", b"2", b"3", b"4"]


async def test_a_cancellation_neither_acknowledges_nor_retries(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest") as messages:
        message = await anext(messages)
        with trio.move_on_after(1) as scope:
            async with message:
                await trio.sleep_forever()
        assert scope.cancelled_caught
        await take(messages, 4)
        await nothing_more(messages)
        statistics = messages.statistics()
        assert (statistics.acknowledged, statistics.failed) == (4, 0)
        assert statistics.queues[0].committable == 0
        async with message:  # it can be entered again
            pass
        assert messages.statistics().queues[0].committable == 5


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
async def test_neither_does_what_is_no_exception(autojump_clock, orders, error):
    async with orders.consumer("billing", "orders", start="earliest") as messages:
        message = await anext(messages)
        with pytest.raises(error):
            await leave_by(message, error())
        assert messages.statistics().failed == 0
        assert messages.statistics().queues[0].committable == 0


async def test_a_group_with_a_cancellation_in_it_goes_on(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest") as messages:
        message = await anext(messages)
        with trio.CancelScope() as scope:
            async with message, trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                scope.cancel()
                await trio.lowlevel.checkpoint()
        assert messages.statistics().failed == 0


async def test_leaving_the_loop_inside_the_block_acknowledges(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest") as messages:
        async for message in messages:
            async with message:
                break
        assert messages.statistics().queues[0].committable == 1


async def test_messages_never_entered_hold_the_queue_and_warn(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest", prefetch=2) as messages:
        held = [await anext(messages), await anext(messages)]
        with pytest.warns(rmq.UnacknowledgedWarning, match="2 messages") as caught, trio.move_on_after(100):
            await anext(messages)
        assert caught[0].filename == __file__
        for message in held:
            async with message:
                pass
        assert [message.body for message in await take(messages, 3)] == [b"2", b"3", b"4"]
    async with orders.consumer("billing", "orders") as messages:
        await nothing_more(messages)


async def test_unentered_messages_come_again_to_the_next_member(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest") as messages:
        for _ in range(3):
            await anext(messages)
    async with orders.consumer("billing", "orders") as messages:
        assert len(await take(messages, 5)) == 5


async def test_many_messages_at_a_time(autojump_clock, orders):
    finished = []

    async def work(message):
        async with message:
            await trio.sleep(5 - int(message.body))
            finished.append(int(message.body))

    async with (
        orders.consumer("billing", "orders", start="earliest") as messages,
        trio.open_nursery() as nursery,
    ):
        for _ in range(5):
            nursery.start_soon(work, await anext(messages))
        await trio.sleep(3.5)
        assert finished == [4, 3, 2]
        assert messages.statistics().queues[0].committable == 0
    assert finished == [4, 3, 2, 1, 0]


async def test_several_tasks_share_one_consumer(autojump_clock, orders):
    taken = []

    async def work(messages):
        async for message in messages:
            async with message:
                taken.append(message.body)
                await trio.sleep(1)

    async with (
        orders.consumer("billing", "orders", start="earliest") as messages,
        trio.open_nursery() as nursery,
    ):
        for _ in range(3):
            nursery.start_soon(work, messages)
        await trio.sleep(1.5)
        assert len(taken) == 5
        await orders.producer("order-service").send("orders", b"later")
        await trio.sleep(1.5)
        assert taken[-1] == b"later"
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("way", ["left", "cancelled"])
async def test_leaving_waits_for_what_is_on_its_way_back(autojump_clock, orders, monkeypatch, way):
    """The broker has the failed message again, and its answer comes late: the group goes on behind it all the same."""
    send_back = Remote.send_back

    async def late(self, *arguments, **options):
        await send_back(self, *arguments, **options)
        await trio.sleep(1)

    monkeypatch.setattr(Remote, "send_back", late)
    with trio.CancelScope() as scope:
        async with orders.consumer("billing", "orders", start="earliest") as messages:
            await leave_by(await anext(messages), rmq.RetryLater(1))
            if way == "cancelled":
                scope.cancel()
    async with orders.consumer("billing", "orders") as messages:
        taken = await take(messages, 5)
        assert [(message.body, message.attempt) for message in taken if message.body == b"0"] == [(b"0", 2)]
        await nothing_more(messages)


async def test_back_pressure(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    producer = client.producer("order-service")
    for _ in range(100):
        await producer.send("orders", b"x")
    async with client.consumer("billing", "orders", start="earliest", prefetch=10) as messages:
        for _ in range(100):
            await trio.sleep(1)
            assert messages.statistics().queues[0].unfinished <= 10
            async with await anext(messages):
                pass


async def test_iterating_after_the_end(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest") as messages:
        message = await anext(messages)
    with pytest.raises(rmq.ClientClosed):
        await anext(messages)
    async with message:  # too late to count, and no error
        pass


async def test_a_waiting_iteration_ends_with_the_consumer(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)

    async def wait(messages):
        with pytest.raises(rmq.ClientClosed):
            await anext(messages)

    async with trio.open_nursery() as nursery, client.consumer("billing", "orders") as messages:
        nursery.start_soon(wait, messages)
        await trio.testing.wait_all_tasks_blocked()


async def test_a_cancellation_from_around_the_client_commits_and_says_goodbye(
    autojump_clock, cluster, orders, caplog
):
    with trio.CancelScope() as scope:
        async with (
            cluster.connect() as client,
            client.consumer("billing", "orders", start="earliest") as messages,
        ):
            assert len(await take(messages, 3)) == 3
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert not caplog.records
    assert (await orders.admin.group_clients("billing")).members == ()
    async with orders.consumer("billing", "orders") as messages:
        assert [message.body for message in await take(messages, 2)] == [b"3", b"4"]


@pytest.mark.parametrize("ordered", [False, True])
async def test_what_fails_after_its_consumer_has_ended_comes_again(autojump_clock, orders, ordered):
    async with orders.consumer("billing", "orders", start="earliest", ordered=ordered) as messages:
        message = await anext(messages)
    await leave_by(message, ValueError("too late"))
    async with orders.consumer("billing", "orders", start="earliest", ordered=ordered) as messages:
        assert [(each.body, each.attempt) for each in await take(messages, 5)] == [
            (b"%d" % number, 1) for number in range(5)
        ]
        await nothing_more(messages)
    assert await orders.admin.dead_letter_counts() == ()
