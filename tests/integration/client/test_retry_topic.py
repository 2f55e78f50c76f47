"""Messages that came back to a group: every member subscribes `%RETRY%<group>`, as Java's push consumers do."""

from __future__ import annotations

import trio
from tests.integration.client.taking import nothing_more, take
from tests.integration.peer import connect


async def come_back(cluster, broker, topic, body, *, times=1, group="g"):
    """Store what a broker stores when a member could not work on a message."""
    properties = f"RETRY_TOPIC\x01{topic}\x02UNIQ_KEY\x01ID-{body.decode()}\x02TAGS\x01late\x02"
    async with connect(cluster.network, broker.address) as peer:
        answer = await peer.send(f"%RETRY%{group}", body, reconsumeTimes=times, properties=properties)
    assert answer.code == 0


async def test_a_message_that_came_back_shows_where_it_was_sent(autojump_clock, bare_cluster):
    broker = await bare_cluster.start_broker()
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=1)
        async with client.consumer("g", "orders", tags="early") as messages:
            await come_back(bare_cluster, broker, "orders", b"again", times=2)
            [message] = await take(messages, 1)
            assert (message.topic, message.body, message.attempt) == ("orders", b"again", 3)
            assert (message.message_id, message.tag) == ("ID-again", "late")
            assert (message.queue.topic, message.offset) == ("%RETRY%g", 0)
            assert [queue.topic for queue in messages.queues] == ["orders"]
            assert len(messages.statistics().queues) == 2
        async with client.consumer("g", "orders", start="earliest") as messages:
            await nothing_more(messages)  # it was acknowledged


async def test_what_came_back_before_a_member_looked_is_read_whatever_the_start(autojump_clock, bare_cluster):
    broker = await bare_cluster.start_broker()
    async with connect(bare_cluster.network, broker.address) as peer:
        await peer.heartbeat("other", consumer="g", topics=("orders", "%RETRY%g"))
    await come_back(bare_cluster, broker, "orders", b"again")
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=1)
        async with client.consumer("g", "orders", start="latest") as messages:
            assert [message.body for message in await take(messages, 1)] == [b"again"]


async def test_members_share_the_retry_queues_of_all_brokers(autojump_clock, bare_cluster):
    brokers = [await bare_cluster.start_broker(f"broker-{letter}") for letter in "ab"]
    async with bare_cluster.connect(instance="a") as first, bare_cluster.connect(instance="b") as second:
        await first.admin.create_topic("orders", queues=2)
        async with first.consumer("g", "orders") as one, second.consumer("g", "orders") as other:
            await trio.sleep(1)
            for broker, body in zip(brokers, (b"x", b"y"), strict=True):
                await come_back(bare_cluster, broker, "orders", body)
            assert [message.body for message in await take(one, 1)] == [b"x"]
            assert [message.body for message in await take(other, 1)] == [b"y"]


async def test_the_retry_topic_of_a_broker_that_comes_later_is_found(autojump_clock, bare_cluster):
    await bare_cluster.start_broker("broker-a")
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=1)
        async with client.consumer("g", "orders") as messages:
            late = await bare_cluster.start_broker("broker-b")
            await client.admin.create_topic("orders", queues=1)
            await trio.sleep(90)  # a round finds the broker, a heartbeat makes the topic, a round finds that
            await come_back(bare_cluster, late, "orders", b"again")
            assert [message.body for message in await take(messages, 1)] == [b"again"]


async def test_a_broker_that_creates_no_retry_topic_is_asked_for_it_each_round(autojump_clock, scripted):
    asked = []
    scripted.retry_topics = True
    known = scripted.scripts[105]

    def route(request):
        if request.fields["topic"] == "%RETRY%g":
            asked.append(trio.current_time())
            if len(asked) <= 2:
                return request.answer(17, remark="No topic route info")
        return known(request)

    scripted.scripts[105] = route
    async with scripted.connect() as client, client.consumer("g", "orders") as messages:
        assert len(messages.statistics().queues) == 1
        await trio.sleep(70)
        assert len(messages.statistics().queues) == 2
        assert [round(at - asked[0]) for at in asked] == [0, 30, 60]
