"""Broadcasting: every member gets every message, from a position of its own."""

from __future__ import annotations

import pytest
import trio
from tests.integration.client.taking import leave_by, nothing_more, take

import rocketmq_lite as rmq
from rocketmq_lite.client.identity import host_member
from rocketmq_lite.protocol.bodies import HeartbeatData
from rocketmq_lite.protocol.codes import RequestCode


async def send(client, count, topic="orders"):
    producer = client.producer("p")
    for number in range(count):
        await producer.send(topic, b"%d" % number)


def bodies(messages):
    return sorted(message.body for message in messages)


async def test_every_member_gets_every_message(autojump_clock, cluster):
    async with cluster.connect(instance="a") as first, cluster.connect(instance="b") as second:
        await first.admin.create_topic("orders", queues=2)
        async with (
            first.consumer("g", "orders", model="broadcasting", member="one") as one,
            second.consumer("g", "orders", model="broadcasting", member="two") as two,
        ):
            await send(first, 6)
            assert bodies(await take(one, 6)) == bodies(await take(two, 6)) == [b"%d" % n for n in range(6)]
            assert len(one.queues) == len(two.queues) == 2
            await nothing_more(one, within=1)


async def test_a_member_goes_on_where_it_was_and_others_do_not_follow_it(autojump_clock, cluster):
    async with cluster.connect() as client:
        await client.admin.create_topic("orders", queues=2)
        await send(client, 4)
        async with client.consumer(
            "g", "orders", start="earliest", model="broadcasting", member="one"
        ) as one:
            await take(one, 3)
        async with client.consumer(
            "g", "orders", start="earliest", model="broadcasting", member="two"
        ) as two:
            await take(two, 4)
        async with client.consumer("g", "orders", model="broadcasting", member="one") as one:
            await take(one, 1)
            await nothing_more(one, within=1)
        lag = await client.admin.group_lag("g_BC_one")
        assert (len(lag.queues), lag.total) == (2, 0)


async def test_a_member_is_called_like_its_machine_unless_it_says_otherwise(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    async with client.consumer("g", "orders", model="broadcasting"):
        pass
    assert f"g_BC_{host_member()}" in await client.admin.group_names()


@pytest.mark.parametrize(("start", "expected"), [("latest", []), ("earliest", [b"0", b"1"])])
async def test_where_a_new_member_begins(autojump_clock, client, start, expected):
    await client.admin.create_topic("orders", queues=1)
    await send(client, 2)
    async with client.consumer("g", "orders", start=start, model="broadcasting", member="m") as messages:
        assert bodies(await take(messages, len(expected))) == expected
        await nothing_more(messages, within=1)


async def test_a_failed_message_is_left_and_logged(autojump_clock, client, caplog):
    await client.admin.create_topic("orders", queues=1)
    await send(client, 2)
    async with client.consumer("g", "orders", start="earliest", model="broadcasting", member="m") as messages:
        await leave_by(await anext(messages), ZeroDivisionError())
        assert bodies(await take(messages, 1)) == [b"1"]
        await nothing_more(messages, within=700)
        [queue] = messages.statistics().queues
        assert (queue.committed, messages.statistics().failed) == (2, 1)
    assert "failed in group g" in caplog.text
    assert "%RETRY%g" not in {queue.topic for queue in messages.queues}


async def test_a_message_that_is_wanted_later_comes_again_here(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    await send(client, 1)
    async with client.consumer("g", "orders", start="earliest", model="broadcasting", member="m") as messages:
        await leave_by(await anext(messages), rmq.RetryLater(7))
        began = trio.current_time()
        [message] = await take(messages, 1)
        assert message.attempt == 2
        assert trio.current_time() - began == pytest.approx(7)


async def test_what_heartbeats_tell(autojump_clock, scripted):
    scripted.retry_topics = True
    async with scripted.connect() as client, client.consumer("g", "orders", model="broadcasting"):
        await trio.sleep(1)
    last = HeartbeatData.decode(next(r for r in scripted.requests if r.code == RequestCode.HEART_BEAT).body)
    [consumer] = last.consumer_data_set
    assert consumer.message_model == "BROADCASTING"
    assert [each.topic for each in consumer.subscription_data_set] == ["orders"]
    assert scripted.count(RequestCode.GET_CONSUMER_LIST_BY_GROUP) == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"model": "multicast"}, "model is 'multicast'"),
        ({"member": "m"}, "member is for broadcasting"),
        ({"offsets_directory": "/nowhere"}, "offsets_directory is for broadcasting"),
        ({"model": "broadcasting", "member": "not a name"}, "not a name"),
    ],
)
async def test_arguments_that_make_no_sense_are_refused(client, arguments, text):
    with pytest.raises(rmq.ConfigError, match=text):
        client.consumer("g", "orders", **arguments)
