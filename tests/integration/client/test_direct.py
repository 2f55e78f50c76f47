"""A message that an administrator hands to one consumer: where it comes out, and what is said about it."""

from __future__ import annotations

import logging

import pytest
import trio
from tests.integration.client.taking import leave_by, nothing_more, take

import rocketmq_lite as rmq
from rocketmq_lite.client.direct import DIRECT_SECONDS

GROUP = "billing"
QUEUE = rmq.MessageQueue("orders", "broker-a", 0)


@pytest.fixture
async def orders(client):
    """A topic with one queue and the messages 0 to 2, of which the group has consumed all."""
    await client.admin.create_topic("orders", queues=1)
    for number in range(3):
        await client.producer("p").send("orders", b"%d" % number, tag="t")
    async with client.consumer(GROUP, "orders", start="earliest") as messages:
        await take(messages, 3)
    return client


@pytest.fixture
async def direct(orders):
    """Hands message 1 over, and what came of it once `await` returns."""

    async def hand_over(group: str = GROUP, **options):
        message = await orders.admin.message_at(QUEUE, 1)
        return await orders.admin.consume_directly(group, message, **options)

    return hand_over


async def handed(messages):
    """The next message."""
    with trio.fail_after(60):
        return await anext(messages)


class Answer:
    """What the administrator is told, from a task of its own."""

    def __init__(self, nursery: trio.Nursery, hand_over) -> None:
        self._told = trio.Event()
        nursery.start_soon(self._ask, hand_over)

    async def _ask(self, hand_over) -> None:
        try:
            self.value = await hand_over()
        except rmq.RocketMQError as error:
            self.value = error
        self._told.set()

    async def get(self):
        await self._told.wait()
        return self.value


async def test_the_way_the_work_ends_is_told_and_moves_nothing(
    autojump_clock, orders, direct, nursery, caplog
):
    caplog.set_level(logging.INFO, "rocketmq_lite.client")
    async with orders.consumer(GROUP, "orders") as messages:
        endings = [
            (None, "CR_SUCCESS", None),
            (ValueError("no"), "CR_THROW_EXCEPTION", "ValueError: no"),
            (rmq.RetryLater(1), "CR_LATER", "RetryLater: "),
            (rmq.DeadLetter("bad"), "CR_LATER", "DeadLetter: bad"),
        ]
        for error, result, remark in endings:
            answer = Answer(nursery, direct)
            message = await handed(messages)
            assert (message.direct, message.body, message.tag, message.attempt) == (True, b"1", "t", 1)
            assert (message.queue, message.offset) == (QUEUE, 1)
            async with message:
                await trio.sleep(2)
                if error is not None:
                    raise error
            told = await answer.get()
            assert (told.result, told.client_id, told.ordered) == (result, orders.client_id, False)
            assert told.succeeded == (error is None)
            assert (told.remark or "").startswith(remark or "")
            assert 1_990 <= told.spent_ms <= 2_010
        await nothing_more(messages)
        after = messages.statistics()
        assert [queue.committable for queue in after.queues] == [3, 0]
        assert (after.delivered, after.failed) == (0, 0)
    assert (await orders.admin.dead_letter_count(GROUP)).kept == 0
    failures = [record for record in caplog.records if "handed over directly" in record.message]
    assert [record.levelno for record in failures] == [logging.ERROR, logging.INFO, logging.INFO]


async def test_it_comes_before_what_waits_and_other_messages_are_not_marked(
    autojump_clock, orders, direct, nursery
):
    async with orders.consumer("other", "orders", start="earliest", ordered=True) as messages:
        order, answers = [], []
        for number in range(4):
            async with await handed(messages) as message:
                order.append((message.body, message.direct))
                if number == 0:
                    answers.append(Answer(nursery, lambda: direct("other")))
                    await trio.sleep(1)
        assert order == [(b"0", False), (b"1", True), (b"1", False), (b"2", False)]
        assert (await answers[0].get()).ordered


async def test_nobody_who_iterates_is_told_in_time_and_the_message_does_not_come_later(
    autojump_clock, orders, direct
):
    async with orders.consumer(GROUP, "orders") as messages:
        began = trio.current_time()
        with pytest.raises(rmq.BrokerError, match="nobody has asked for a message within 9 s") as told:
            await direct()
        assert told.value.code == 207
        assert trio.current_time() - began == pytest.approx(DIRECT_SECONDS, abs=0.1)
        await nothing_more(messages)


async def test_work_that_takes_too_long_is_told_and_may_end_later(autojump_clock, orders, direct, nursery):
    async with orders.consumer(GROUP, "orders") as messages:
        for error in (None, ValueError("late")):
            answer = Answer(nursery, direct)
            message = await handed(messages)
            if error is None:
                async with message:
                    await trio.sleep(20)
            else:
                await trio.sleep(20)
                await leave_by(message, error)
            told = await answer.get()
            assert "handed out, and the work on it has not ended" in str(told)
        await nothing_more(messages)


async def test_a_cancelled_work_may_be_begun_again(autojump_clock, orders, direct, nursery):
    async with orders.consumer(GROUP, "orders") as messages:
        answer = Answer(nursery, direct)
        message = await handed(messages)
        with trio.move_on_after(1):
            async with message:
                await trio.sleep_forever()
        async with message:
            pass
        assert (await answer.get()).result == "CR_SUCCESS"


async def test_a_consumer_that_ends_says_so(autojump_clock, orders, direct, nursery):
    async with orders.consumer(GROUP, "orders"):
        waiting = Answer(nursery, direct)
        await trio.sleep(1)
    assert "the consumer of group billing ended meanwhile" in str(await waiting.get())


async def test_who_is_meant(autojump_clock, cluster, orders, direct, nursery):
    with pytest.raises(rmq.ConfigError, match="nobody of group billing is online at broker-a"):
        await direct()
    async with (
        cluster.connect() as second,
        orders.consumer(GROUP, "orders"),
        second.consumer(GROUP, "orders") as there,
    ):
        await trio.sleep(1)
        with pytest.raises(rmq.ConfigError, match="has 2 members") as told:
            await direct()
        assert {orders.client_id, second.client_id} <= set(told.value.hint.replace(",", "").split())
        with pytest.raises(rmq.BrokerError, match="not online"):
            await direct(client_id="nobody")
        answer = Answer(nursery, lambda: direct(client_id=second.client_id))
        async with await handed(there) as message:
            assert message.direct
        assert (await answer.get()).client_id == second.client_id


async def test_a_puller_takes_none(autojump_clock, orders, direct):
    async with orders.puller(GROUP, "orders"):
        with pytest.raises(rmq.BrokerError, match="billing pulls"):
            await direct()


async def test_a_retried_message_has_the_topic_it_was_sent_to(autojump_clock, orders, nursery):
    async with orders.consumer("other", "orders", start="earliest") as messages:
        await leave_by(await handed(messages), rmq.RetryLater(1))
        await take(messages, 3)
        stored = await orders.admin.message_at(rmq.MessageQueue("%RETRY%other", "broker-a", 0), 0)
        answer = Answer(nursery, lambda: orders.admin.consume_directly("other", stored))
        async with await handed(messages) as message:
            assert (message.direct, message.topic, message.attempt, message.body) == (True, "orders", 2, b"0")
        assert (await answer.get()).succeeded
