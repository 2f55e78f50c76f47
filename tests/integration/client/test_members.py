"""Sharing queues among members, and being known to brokers."""

from __future__ import annotations

import pytest
import trio
from tests.integration.client.taking import take
from tests.integration.peer import connect

from rocketmq_lite.broker.engine.clients import EXPIRY_SECONDS
from rocketmq_lite.broker.services.expiry import SCAN_SECONDS
from rocketmq_lite.errors import ClientClosed, ConfigError
from rocketmq_lite.protocol.bodies import HeartbeatData
from rocketmq_lite.protocol.codes import RequestCode

HEARTBEAT = RequestCode.HEART_BEAT


async def test_two_members_share_the_queues_and_take_over(autojump_clock, cluster):
    async with (
        cluster.connect(instance="a") as first,
        cluster.connect(instance="b") as second,
    ):
        await first.admin.create_topic("orders", queues=4)
        producer = first.producer("p")
        async with first.consumer("g", "orders") as one:
            assert len(one.queues) == 4
            async with second.consumer("g", "orders") as other:
                await trio.sleep(1)
                assert [queue.queue_id for queue in one.queues] == [0, 1]
                assert [queue.queue_id for queue in other.queues] == [2, 3]
                for _ in range(8):
                    await producer.send("orders", b"x")
                assert {message.queue.queue_id for message in await take(one, 4)} == {0, 1}
                assert {message.queue.queue_id for message in await take(other, 4)} == {2, 3}
            await trio.sleep(1)
            assert len(one.queues) == 4
            for _ in range(4):
                await producer.send("orders", b"x")
            assert len(await take(one, 4)) == 4


async def test_the_queues_of_a_member_that_fell_silent_pass_over_after_its_expiry(
    autojump_clock, bare_cluster
):
    broker = await bare_cluster.start_broker()
    async with (
        bare_cluster.connect(instance="z") as client,
        connect(bare_cluster.network, broker.address) as peer,
    ):
        await client.admin.create_topic("orders", queues=4)
        async with client.consumer("g", "orders") as messages:
            # A member that is first in every order, and then says nothing more over an open connection.
            await peer.heartbeat("0.0.0.0@silent", consumer="g", topics=("orders", "%RETRY%g"))
            await trio.sleep(1)
            assert [queue.queue_id for queue in messages.queues] == [2, 3]
            await trio.sleep(EXPIRY_SECONDS - 2)
            assert [queue.queue_id for queue in messages.queues] == [2, 3]
            await trio.sleep(SCAN_SECONDS + 3)
            assert [queue.queue_id for queue in messages.queues] == [0, 1, 2, 3]


async def test_the_queues_of_a_member_whose_connection_closed_pass_over_at_once(autojump_clock, bare_cluster):
    broker = await bare_cluster.start_broker()
    async with bare_cluster.connect(instance="z") as client:
        await client.admin.create_topic("orders", queues=4)
        async with client.consumer("g", "orders") as messages:
            async with connect(bare_cluster.network, broker.address) as peer:
                await peer.heartbeat("0.0.0.0@killed", consumer="g", topics=("orders", "%RETRY%g"))
                await trio.sleep(1)
                assert [queue.queue_id for queue in messages.queues] == [2, 3]
            await trio.sleep(1)
            assert [queue.queue_id for queue in messages.queues] == [0, 1, 2, 3]


async def test_members_that_no_notice_told_of_are_found_within_twenty_seconds(autojump_clock, scripted):
    scripted.queues = 4
    async with scripted.connect() as client, client.consumer("g", "orders") as messages:
        assert len(messages.queues) == 4
        scripted.members = ("0", client.client_id)
        await trio.sleep(21)
        assert [queue.queue_id for queue in messages.queues] == [2, 3]


async def test_more_members_than_queues(autojump_clock, cluster):
    async with cluster.connect(instance="a") as first, cluster.connect(instance="b") as second:
        await first.admin.create_topic("orders", queues=1)
        async with first.consumer("g", "orders") as one, second.consumer("g", "orders") as other:
            await trio.sleep(1)
            assert sorted([len(one.queues), len(other.queues)]) == [0, 1]


async def test_work_that_was_in_hands_when_the_queue_was_lost_comes_again_elsewhere(autojump_clock, cluster):
    async with cluster.connect(instance="a") as first, cluster.connect(instance="b") as second:
        await first.admin.create_topic("orders", queues=2)
        producer = first.producer("p")
        for _ in range(2):
            await producer.send("orders", b"x")
        async with first.consumer("g", "orders", start="earliest") as one:
            held = [await anext(one), await anext(one)]
            async with second.consumer("g", "orders") as other:
                await trio.sleep(1)
                [message] = await take(other, 1)
                [same] = [each for each in held if each.queue == message.queue]
                async with same:  # too late: it belongs to the other member now
                    pass
                assert message.queue not in one.queues


async def test_a_queue_that_is_taken_over_before_the_first_commit_loses_nothing(autojump_clock, cluster):
    async with cluster.connect(instance="a") as first, cluster.connect(instance="b") as second:
        await first.admin.create_topic("orders", queues=2)
        producer = first.producer("p")
        async with first.consumer("g", "orders") as one:
            for _ in range(2):
                await producer.send("orders", b"x")
            async with second.consumer("g", "orders") as other:
                assert len(await take(one, 1)) + len(await take(other, 1)) == 2


async def test_queues_that_a_topic_gains_are_read(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    async with client.consumer("g", "orders") as messages:
        assert len(messages.queues) == 1
        await client.admin.create_topic("orders", queues=3)
        await trio.sleep(60)
        assert len(messages.queues) == 3


async def test_one_client_is_in_a_group_once(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    async with client.consumer("g", "orders"):
        with pytest.raises(ConfigError, match="member of consumer group 'g' already"):
            async with client.consumer("g", "orders"):
                pass
    async with client.consumer("g", "orders"):
        pass


async def test_heartbeats_tell_all_groups_at_once_and_every_thirty_seconds(autojump_clock, scripted):
    async with scripted.connect() as client:
        await trio.sleep(100)
        assert scripted.count(HEARTBEAT) == 0  # nothing to tell
        await client.producer("p").send("orders", b"x")
        await trio.sleep(1)
        client.producer("q")
        await trio.sleep(1)
        assert scripted.count(HEARTBEAT) == 2
        async with client.consumer("g", "orders", tags="a || b"):
            assert scripted.count(HEARTBEAT) == 3
            last = HeartbeatData.decode([r for r in scripted.requests if r.code == HEARTBEAT][-1].body)
            await trio.sleep(301)
            assert scripted.count(HEARTBEAT) == 13
    assert last.client_id == client.client_id
    assert [data.group_name for data in last.producer_data_set] == ["p", "q"]
    [consumer] = last.consumer_data_set
    subscription, retries = consumer.subscription_data_set
    assert (consumer.group_name, consumer.consume_type, consumer.message_model) == (
        "g",
        "CONSUME_PASSIVELY",
        "CLUSTERING",
    )
    assert (subscription.topic, subscription.sub_string, subscription.tags_set) == (
        "orders",
        "a || b",
        ("a", "b"),
    )
    # Java's members tell this too, and a broker takes the newest word of a group for the whole group's.
    assert (retries.topic, retries.sub_string, retries.tags_set) == ("%RETRY%g", "*", ())
    goodbyes = [r.fields for r in scripted.requests if r.code == RequestCode.UNREGISTER_CLIENT]
    assert goodbyes[0]["consumerGroup"] == "g"
    assert {fields["producerGroup"] for fields in goodbyes[1:]} == {"p", "q"}


async def test_a_broker_whose_connection_broke_is_told_again_at_once(autojump_clock, scripted):
    async with scripted.connect() as client:
        await client.producer("p").send("orders", b"x")
        await trio.sleep(1)
        await scripted.network.cut(scripted.address)
        await trio.sleep(1)
        assert scripted.count(HEARTBEAT) == 2


async def test_a_broker_that_takes_no_heartbeat_is_not_flooded(autojump_clock, scripted):
    scripted.scripts[HEARTBEAT] = lambda request: request.answer(1, remark="no")
    async with scripted.connect() as client:
        await client.producer("p").send("orders", b"x")
        await trio.sleep(30)
    assert 5 <= scripted.count(HEARTBEAT) <= 12


async def test_a_silent_broker_does_not_hold_up_the_end(autojump_clock, scripted):
    async def never(_request):
        await trio.sleep_forever()

    async with scripted.connect() as client:
        await client.producer("p").send("orders", b"x")
        await trio.sleep(1)
        scripted.scripts[RequestCode.UNREGISTER_CLIENT] = never
        began = trio.current_time()
    assert trio.current_time() - began <= 2


@pytest.mark.parametrize("seconds", [0.5, 1.5])
async def test_a_consumer_that_is_cancelled_while_brokers_hear_of_it_is_taken_back(
    autojump_clock, scripted, seconds
):
    """A broker that answers heartbeats late once kept the group's member, and nobody read its queues."""
    members: list[str] = []

    async def register(request):
        groups = [each.group_name for each in HeartbeatData.decode(request.body).consumer_data_set]
        await trio.sleep(1)
        members[:] = groups
        return request.answer(0)

    async def unregister(request):
        if "consumerGroup" in request.fields:
            members.remove(request.fields["consumerGroup"])
        return request.answer(0)

    scripted.scripts |= {HEARTBEAT: register, RequestCode.UNREGISTER_CLIENT: unregister}
    async with scripted.connect() as client:
        with trio.move_on_after(seconds):
            async with client.consumer("g", "orders"):
                await trio.sleep_forever()
        await trio.sleep(2)
        assert scripted.count(HEARTBEAT) > 0
        assert members == []


async def test_a_closed_client_says_so(autojump_clock, client, cluster):
    async with cluster.connect() as closed:
        producer = closed.producer("p")
        waiting = closed.consumer("g", "orders")
    with pytest.raises(ClientClosed):
        closed.producer("p")
    with pytest.raises(ClientClosed):
        closed.consumer("g", "orders")
    with pytest.raises(ClientClosed):
        await producer.send("orders", b"x")
    with pytest.raises(ClientClosed):
        await closed.admin.topics()
    with pytest.raises(ClientClosed):
        await waiting.__aenter__()
