"""With auto_ack asking for the next message acknowledges the last, and nothing else does."""

from __future__ import annotations

import pytest
from tests.integration.client.taking import take


@pytest.fixture
async def orders(client):
    """A topic with one queue and the messages 0 to 4."""
    await client.admin.create_topic("orders", queues=1)
    await client.producer("order-service").send_many("orders", (b"%d" % number for number in range(5)))
    return client


async def test_the_last_message_of_a_loop_that_is_left_comes_again(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest", auto_ack=True) as messages:
        seen = []
        async for message in messages:
            seen.append(message.body)
            if len(seen) == 3:
                break
        statistics = messages.statistics()
        assert (seen, statistics.acknowledged) == ([b"0", b"1", b"2"], 2)
        assert statistics.queues[0].committable == 2
    async with orders.consumer("billing", "orders", auto_ack=True) as messages:
        assert (await anext(aiter(messages))).body == b"2"


async def test_an_error_in_the_loop_ends_it_and_acknowledges_nothing(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest", auto_ack=True) as messages:

        async def loop() -> None:
            async for message in messages:
                if message.body == b"1":
                    raise ValueError("bad")

        with pytest.raises(ValueError, match="bad"):
            await loop()
        statistics = messages.statistics()
    assert (statistics.acknowledged, statistics.failed, statistics.queues[0].committable) == (1, 0, 1)


async def test_a_block_decides_for_itself(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest", auto_ack=True) as messages:
        seen = []
        async for message in messages:
            async with message:
                seen.append((message.body, message.attempt))
                if seen == [(b"0", 1)]:
                    raise ValueError
            if len(seen) == 6:
                break
        statistics = messages.statistics()
    assert seen[-1] == (b"0", 2)
    assert (statistics.acknowledged, statistics.failed) == (5, 1)


async def test_each_loop_acknowledges_its_own_and_anext_none(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest", auto_ack=True) as messages:
        one, other = aiter(messages), aiter(messages)
        first, _second = await anext(one), await anext(other)
        third = await anext(one)
        assert [first.body, third.body] == [b"0", b"2"]
        assert messages.statistics().queues[0].committable == 1
        await anext(messages)
        await anext(messages)
        assert messages.statistics().acknowledged == 1


async def test_in_order_a_queue_goes_on_when_the_next_is_asked_for(autojump_clock, orders):
    async with orders.consumer(
        "billing", "orders", start="earliest", auto_ack=True, ordered=True
    ) as messages:
        seen = []
        async for message in messages:
            seen.append(message.body)
            if len(seen) == 5:
                break
        assert seen == [b"0", b"1", b"2", b"3", b"4"]


async def test_without_it_nothing_is_acknowledged_by_asking(autojump_clock, orders):
    async with orders.consumer("billing", "orders", start="earliest") as messages:
        await anext(messages)
        await take(messages, 4)
        assert messages.statistics().queues[0].committable == 0
