"""Dead letters: counted, read, sent once more, removed."""

from __future__ import annotations

import pytest
import trio
from tests.integration.client.taking import nothing_more, take

import rocketmq_lite as rmq


async def give_up(client, bodies, *, topic="orders", group="g", **options):
    """Send messages that a group gives up at once."""
    async with client.consumer(group, topic) as messages:
        producer = client.producer("p")
        for body in bodies:
            await producer.send(topic, body, **options)
        for _ in bodies:
            async with await anext(messages):
                raise rmq.DeadLetter("bad")
        await trio.sleep(1)  # until the broker has it


async def kept(client, group="g"):
    return [each async for each in client.admin.dead_letters(group)]


async def resend(client, group="g", **options):
    steps = [step async for step in client.admin.resend_dead_letters(group, **options)]
    return sum(step.sent for step in steps), sum(step.skipped for step in steps)


def numbers(*wanted):
    return [b"%d" % number for number in wanted]


async def test_what_a_dead_letter_says_of_its_past(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    assert await client.admin.dead_letter_counts() == ()
    assert (await kept(client), await resend(client)) == ([], (0, 0))
    await give_up(client, [b"x"], tag="paid", keys="k", properties={"amount": "12"})
    assert await client.admin.dead_letter_counts() == (rmq.DeadLetterCount("g", kept=1, waiting=1),)
    [letter] = await kept(client)
    assert (letter.message.body, letter.message.tag, letter.message.keys) == (b"x", "paid", ("k",))
    assert (letter.message.topic, letter.origin_topic, letter.attempts, letter.resent) == (
        "%DLQ%g",
        "orders",
        1,
        False,
    )
    assert letter.origin_message_id is not None
    origin = await client.admin.message(letter.origin_message_id)
    assert (origin.topic, origin.message_id) == ("orders", letter.message.message_id)


async def test_sent_again_they_are_as_they_were(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    await give_up(client, [b"x"], tag="paid", keys=["k", "l"], properties={"amount": "12"}, order_key="o")
    async with client.consumer("g", "orders") as messages, client.consumer("other", "orders") as others:
        assert await resend(client) == (1, 0)
        for consumer in (messages, others):
            [message] = await take(consumer, 1)
            assert (message.topic, message.body, message.tag, message.keys) == (
                "orders",
                b"x",
                "paid",
                ("k", "l"),
            )
            assert (message.properties, message.attempt) == ({"amount": "12"}, 1)
            assert message.message_id == (await kept(client))[0].message.message_id
        assert await client.admin.dead_letter_counts() == (rmq.DeadLetterCount("g", kept=1, waiting=0),)
        assert [each.resent for each in await kept(client)] == [True]
        assert await resend(client) == (0, 0)
        assert await resend(client, again=True) == (1, 0)
        assert [message.body for message in await take(messages, 1)] == [b"x"]


async def test_sent_again_to_the_group_alone(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    await give_up(client, [b"x"])
    async with client.consumer("g", "orders") as messages, client.consumer("other", "orders") as others:
        assert await resend(client, to="retry") == (1, 0)
        [message] = await take(messages, 1)
        assert (message.topic, message.queue.topic, message.attempt) == ("orders", "%RETRY%g", 1)
        await nothing_more(others)


async def test_sending_again_goes_on_where_it_stopped(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    await give_up(client, numbers(*range(70)))
    async for step in client.admin.resend_dead_letters("g"):
        assert step == rmq.Resent(sent=32, skipped=0)
        break
    assert await client.admin.dead_letter_count("g") == rmq.DeadLetterCount("g", kept=70, waiting=38)
    assert await resend(client) == (38, 0)
    async with client.consumer("reader", "orders", start="earliest") as messages:
        await take(messages, 70)  # sent first
        assert sorted(each.body for each in await take(messages, 70)) == sorted(numbers(*range(70)))
        await nothing_more(messages)


async def test_what_cannot_be_sent_stops_it_and_what_was_sent_counts(autojump_clock, client):
    for topic in ("orders", "returns"):
        await client.admin.create_topic(topic, queues=1)
        await give_up(client, numbers(1, 2), topic=topic)
    await client.admin.delete_topic("returns")
    with pytest.raises(rmq.TopicNotFound, match="returns"):
        await resend(client)
    assert (await client.admin.dead_letter_count("g")).waiting == 2
    await client.admin.create_topic("returns", queues=1)
    assert await resend(client) == (2, 0)


async def test_what_its_broker_refuses_has_not_been_sent(autojump_clock, cluster, client):
    await client.admin.create_topic("orders", queues=2)
    await give_up(client, numbers(1, 2))
    async with cluster.connect() as other:
        await other.admin.create_topic("orders", queues=1)
    with pytest.raises(rmq.BrokerError, match="queue"):
        await resend(client)
    assert (await client.admin.dead_letter_count("g")).waiting == 1


async def test_one_that_does_not_say_where_it_came_from_is_skipped(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    await client.admin.create_topic("%DLQ%g", queues=1)
    await client.producer("p").send("%DLQ%g", b"from nowhere")
    await give_up(client, [b"x"])
    assert await resend(client) == (1, 1)
    assert [each.origin_topic for each in await kept(client)] in ([None, "orders"], ["orders", None])


async def test_purged_they_are_gone_and_the_next_one_is_kept(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    await give_up(client, numbers(1, 2, 3))
    await resend(client)
    assert await client.admin.purge_dead_letters("g") == 3
    assert await client.admin.dead_letter_counts() == ()
    assert await client.admin.purge_dead_letters("g") == 0
    await give_up(client, [b"x"])
    assert await client.admin.dead_letter_counts() == (rmq.DeadLetterCount("g", kept=1, waiting=1),)


async def test_dead_letters_of_several_brokers(autojump_clock, bare_cluster):
    for name in ("broker-a", "broker-b"):
        await bare_cluster.start_broker(name)
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=1)
        await give_up(client, numbers(*range(4)))
        assert await client.admin.dead_letter_counts() == (rmq.DeadLetterCount("g", kept=4, waiting=4),)
        assert {each.message.queue.broker_name for each in await kept(client)} == {"broker-a", "broker-b"}
        assert await resend(client) == (4, 0)
        assert await client.admin.purge_dead_letters("g") == 4
