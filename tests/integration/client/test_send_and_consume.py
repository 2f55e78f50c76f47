"""The main road: send, consume, acknowledge, resume."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest
import trio
from tests.integration.client.taking import nothing_more, take

from rocketmq_lite.client.engine.routes import queue_for_key
from rocketmq_lite.errors import ConfigError, LocalProtocolError, TopicNotFound
from rocketmq_lite.model import MessageQueue, SendStatus, Tags


async def test_a_message_arrives_with_all_that_was_sent(autojump_clock, client):
    await client.admin.create_topic("orders", queues=4)
    producer = client.producer("order-service")
    receipt = await producer.send(
        "orders", b"hello", tag="paid", keys=["42", "43"], properties={"amount": "12"}, order_key="42"
    )
    assert receipt.status is SendStatus.OK
    async with client.consumer("billing", "orders", start="earliest") as messages:
        [message] = await take(messages, 1)
    assert (message.body, message.topic, message.tag, message.keys) == (
        b"hello",
        "orders",
        "paid",
        ("42", "43"),
    )
    assert message.properties == {"amount": "12"}
    assert message.system_properties["__SHARDINGKEY"] == "42"
    assert message.message_id == receipt.message_id
    assert message.offset_message_id == receipt.offset_message_id
    assert (message.queue, message.offset, message.attempt) == (receipt.queue, receipt.offset, 1)
    assert message.stored_at >= message.born_at
    assert repr(message).startswith(f"<ReceivedMessage {receipt.message_id} from orders broker-a/")


async def test_every_message_once_and_in_order_within_its_queue(autojump_clock, client):
    await client.admin.create_topic("orders", queues=4)
    producer = client.producer("order-service")
    for number in range(500):
        await producer.send("orders", b"%d" % number)
    async with client.consumer("billing", "orders", start="earliest") as messages:
        taken = await take(messages, 500)
        await nothing_more(messages)
        assert messages.statistics().acknowledged == 500
    by_queue = defaultdict(list)
    for message in taken:
        by_queue[message.queue].append((message.offset, int(message.body)))
    assert [len(list(found)) for found in by_queue.values()] == [125] * 4
    assert all(found == sorted(found) for found in by_queue.values())
    assert {int(message.body) for message in taken} == set(range(500))


async def test_the_group_resumes_where_it_was_left(autojump_clock, cluster):
    async with cluster.connect() as client:
        await client.admin.create_topic("orders", queues=2)
        producer = client.producer("order-service")
        for number in range(20):
            await producer.send("orders", b"%d" % number)
        async with client.consumer("billing", "orders", start="earliest") as messages:
            first = await take(messages, 7)
        async with client.consumer("billing", "orders", start="earliest") as messages:
            second = await take(messages, 5)
    async with (
        cluster.connect() as other,
        other.consumer("billing", "orders", start="latest") as messages,
    ):
        third = await take(messages, 8)
        await nothing_more(messages)
    numbers = [int(message.body) for message in first + second + third]
    assert sorted(numbers) == list(range(20))


async def test_tags_choose_messages(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    producer = client.producer("order-service")
    for tag in ("paid", "refunded", "cancelled", None, "paid"):
        await producer.send("orders", b"x", tag=tag)
    async with client.consumer("billing", "orders", tags="paid || refunded", start="earliest") as messages:
        assert [message.tag for message in await take(messages, 3)] == ["paid", "refunded", "paid"]
        await nothing_more(messages)
        queue, _retries = messages.statistics().queues
        assert queue.committable == 5  # what is not for us does not hold the position back


async def test_tags_with_equal_hashes_are_told_apart(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    producer = client.producer("order-service")
    for tag in ("Aa", "BB", "Aa"):
        await producer.send("orders", tag.encode(), tag=tag)
    async with client.consumer("billing", "orders", tags="Aa", start="earliest") as messages:
        assert [message.tag for message in await take(messages, 2)] == ["Aa", "Aa"]
        assert messages.statistics().filtered == 1


async def test_an_order_key_always_has_the_same_queue(autojump_clock, client):
    await client.admin.create_topic("orders", queues=4)
    producer = client.producer("order-service")
    queues = [MessageQueue("orders", "broker-a", number) for number in range(4)]
    for key in ("42", "43", "customer Ö"):
        receipts = [await producer.send("orders", b"x", order_key=key) for _ in range(3)]
        assert {receipt.queue for receipt in receipts} == {queue_for_key(queues, key)}
        assert [receipt.offset for receipt in receipts] == sorted(receipt.offset for receipt in receipts)


async def test_queues_take_turns_also_when_the_producer_is_asked_for_each_time(autojump_clock, client):
    await client.admin.create_topic("orders", queues=4)
    queues = [(await client.producer("p").send("orders", b"x")).queue.queue_id for _ in range(8)]
    assert sorted(queues) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert client.producer("p") is client.producer("p")
    assert client.producer("p").statistics().sent == 8


async def test_queues_of_all_masters_in_turn(autojump_clock, bare_cluster):
    for name in ("broker-a", "broker-b"):
        await bare_cluster.start_broker(name)
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=2)
        producer = client.producer("order-service")
        receipts = [await producer.send("orders", b"x") for _ in range(12)]
        assert Counter(receipt.queue.broker_name for receipt in receipts) == {"broker-a": 6, "broker-b": 6}
        assert set(Counter(receipt.queue for receipt in receipts).values()) == {3}
        async with client.consumer("billing", "orders", start="earliest") as messages:
            assert len(messages.queues) == 4
            assert {message.message_id for message in await take(messages, 12)} == {
                receipt.message_id for receipt in receipts
            }


async def test_a_large_body_travels_compressed(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    producer = client.producer("order-service")
    bodies = [b"x" * 4095, b"x" * 4096, b"y" * 4_000_000]
    for body in bodies:
        await producer.send("orders", body)
    async with client.consumer("billing", "orders", start="earliest") as messages:
        taken = await take(messages, 3)
    assert [message.body for message in taken] == bodies
    stored = [message._raw for message in taken]
    assert [raw.sys_flag & 0x301 for raw in stored] == [0, 0x301, 0x301]
    assert stored[2].size < 100_000


async def test_a_topic_is_created_by_its_first_message(autojump_clock, client):
    producer = client.producer("order-service")
    with pytest.raises(TopicNotFound):
        await client.admin.route("fresh")
    first = await producer.send("fresh", b"1")
    route = await client.admin.route("fresh")
    assert [(queues.write_queue_nums, queues.perm) for queues in route.queue_datas] == [(4, 6)]
    async with client.consumer("billing", "fresh", start="earliest") as messages:
        await producer.send("fresh", b"2")
        taken = await take(messages, 2)
    assert first.message_id in {message.message_id for message in taken}


async def test_oneway(autojump_clock, client):
    await client.admin.create_topic("orders", queues=2)
    producer = client.producer("order-service")
    async with client.consumer("billing", "orders") as messages:
        await producer.send_oneway("orders", b"x", tag="t", keys="k", properties={"a": "b"}, order_key="o")
        [message] = await take(messages, 1)
    assert (message.body, message.tag, message.keys, message.properties) == (b"x", "t", ("k",), {"a": "b"})
    assert producer.statistics().oneway == 1


async def test_several_topics_with_tags_of_their_own(autojump_clock, client):
    for topic in ("orders", "quotes"):
        await client.admin.create_topic(topic, queues=1)
    producer = client.producer("shop")
    for topic in ("orders", "quotes"):
        for tag in ("a", "b"):
            await producer.send(topic, b"x", tag=tag)
    topics = {"orders": Tags("a"), "quotes": Tags("b")}
    async with client.consumer("billing", topics, start="earliest") as messages:
        taken = await take(messages, 2)
        await nothing_more(messages)
    assert {(message.topic, message.tag) for message in taken} == {("orders", "a"), ("quotes", "b")}


async def test_where_a_new_group_begins(autojump_clock, cluster, client):
    await client.admin.create_topic("orders", queues=1)
    producer = client.producer("order-service")
    await producer.send("orders", b"old")
    await trio.sleep(60)
    noon = datetime.fromtimestamp(cluster.clock.wall_ms() / 1000, tz=UTC)
    await producer.send("orders", b"new")

    async def first(group, start):
        async with client.consumer(group, "orders", start=start) as messages:
            await producer.send("orders", b"newest")
            [message] = await take(messages, 1)
            return message.body

    assert await first("g1", "latest") == b"newest"
    assert await first("g2", "earliest") == b"old"
    assert await first("g3", noon) == b"new"


async def test_a_group_that_read_nothing_keeps_its_place(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    producer = client.producer("order-service")
    async with client.consumer("billing", "orders", start="latest"):
        pass
    await producer.send("orders", b"meanwhile")
    async with client.consumer("billing", "orders", start="latest") as messages:
        [message] = await take(messages, 1)
    assert message.body == b"meanwhile"


async def test_an_hour_without_messages(autojump_clock, client):
    await client.admin.create_topic("orders", queues=4)
    producer = client.producer("order-service")
    async with client.consumer("billing", "orders") as messages:
        await trio.sleep(3600)
        await producer.send("orders", b"late")
        [message] = await take(messages, 1)
        assert message.body == b"late"
        assert [queue.error for queue in messages.statistics().queues] == [None] * 5


async def test_a_message_can_be_entered_once(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    await client.producer("order-service").send("orders", b"x")
    async with client.consumer("billing", "orders", start="earliest") as messages:
        message = await anext(messages)
        async with message:
            with pytest.raises(LocalProtocolError, match="being processed"):
                await message.__aenter__()
        with pytest.raises(LocalProtocolError, match="acknowledged already"):
            await message.__aenter__()


@pytest.mark.parametrize(
    ("arguments", "options", "complaint"),
    [
        (("g", "orders"), {"tags": "a && b"}, "not a list of tags"),
        (("g", "orders"), {"start": "middle"}, "start"),
        (("g", "orders"), {"prefetch": 0}, "prefetch"),
        (("g", {}), {}, "no topic"),
        (("g", {"orders": "a"}), {}, "is given with"),
        (("g", {"orders": Tags("a")}), {"tags": "b"}, "one topic"),
        (("a b", "orders"), {}, "group"),
        (("g", "a b"), {}, "topic"),
    ],
)
async def test_bad_arguments_of_a_consumer_are_named_at_once(
    autojump_clock, client, arguments, options, complaint
):
    with pytest.raises(ConfigError, match=complaint):
        client.consumer(*arguments, **options)


async def test_a_consumer_of_a_topic_that_is_not_there(autojump_clock, client):
    with pytest.raises(TopicNotFound, match="nowhere") as caught:
        async with client.consumer("billing", "nowhere"):
            pass
    assert "nowhere" in caught.value.hint
