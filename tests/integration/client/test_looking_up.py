"""Brokers and single messages as an administrator finds them."""

from __future__ import annotations

import pytest
import trio

from rocketmq_lite.errors import BrokerError, ConfigError, MessageNotFound, TopicNotFound
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import ClusterInfo
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.transport.dispatch import not_supported


async def test_a_message_by_its_offset_id(autojump_clock, client):
    receipt = await client.producer("p").send("orders", b"body", tag="paid", keys=["k1", "k2"])
    message = await client.admin.message(receipt.offset_message_id)
    assert (message.body, message.tag, message.keys) == (b"body", "paid", ("k1", "k2"))
    assert (message.message_id, message.offset_message_id) == (receipt.message_id, receipt.offset_message_id)
    assert (message.queue, message.offset) == (receipt.queue, receipt.offset)
    assert message.store_host.startswith("127.0.0.1:")
    assert message.reconsume_times == 0
    [known] = await client.admin.brokers()
    assert message.store_host == known.address


async def test_a_message_by_its_place(autojump_clock, client):
    receipt = await client.producer("p").send("orders", b"body")
    message = await client.admin.message_at(receipt.queue, receipt.offset)
    assert message.body == b"body"
    with pytest.raises(MessageNotFound, match="no message at offset 7") as caught:
        await client.admin.message_at(receipt.queue, 7)
    assert "rmq topic show orders" in caught.value.hint
    with pytest.raises(ConfigError, match="broker-z"):
        await client.admin.message_at(MessageQueue("orders", "broker-z", 0), 0)
    with pytest.raises(TopicNotFound):
        await client.admin.message_at(MessageQueue("other", "broker-a", 0), 0)


async def test_no_message_at_that_place_in_the_log(autojump_clock, client):
    receipt = await client.producer("p").send("orders", b"body")
    nowhere = receipt.offset_message_id[:-4] + "FFFF"
    with pytest.raises(MessageNotFound, match=nowhere):
        await client.admin.message(nowhere)


async def test_messages_by_key(autojump_clock, client):
    producer = client.producer("p")
    for body, keys in ((b"one", ["a", "b"]), (b"two", ["b"]), (b"three", ["ab"]), (b"four", ["b", "b"])):
        await producer.send("orders", body, keys=keys)
    found = await client.admin.messages_by_key("orders", "b")
    assert sorted(message.body for message in found) == [b"four", b"one", b"two"]
    assert [message.stored_at for message in found] == sorted(message.stored_at for message in found)
    assert [message.body for message in await client.admin.messages_by_key("orders", "b", limit=1)] == [
        b"four"
    ]
    assert await client.admin.messages_by_key("orders", "c") == []
    with pytest.raises(TopicNotFound):
        await client.admin.messages_by_key("other", "b")


async def test_a_message_by_its_producers_id(autojump_clock, client):
    receipt = await client.producer("p").send("orders", b"body")
    await client.producer("p").send("orders", b"other")
    message = await client.admin.message(receipt.message_id, topic="orders")
    assert (message.body, message.queue, message.offset) == (b"body", receipt.queue, receipt.offset)
    with pytest.raises(MessageNotFound, match="in topic orders"):
        await client.admin.message("0" * 32, topic="orders")
    with pytest.raises(ConfigError, match=receipt.message_id) as caught:
        await client.admin.message(receipt.message_id)
    assert "topic" in caught.value.hint
    with pytest.raises(TopicNotFound):
        await client.admin.message(receipt.message_id, topic="other")


async def test_a_broker_without_an_index_of_keys(autojump_clock, scripted):
    scripted.scripts[RequestCode.GET_BROKER_CLUSTER_INFO] = lambda request: request.answer(
        body=ClusterInfo().encode()
    )
    scripted.scripts[RequestCode.QUERY_MESSAGE] = not_supported
    async with scripted.connect() as client:
        with pytest.raises(BrokerError) as refused:
            await client.admin.message("0" * 32, topic="orders")
    assert refused.value.code == 3
    assert "offset message id" in refused.value.hint


async def test_brokers_say_how_they_are_doing(autojump_clock, bare_cluster):
    servers = [await bare_cluster.start_broker(name) for name in ("broker-a", "broker-b")]
    async with bare_cluster.connect() as client:
        first, second = await client.admin.brokers()
        assert [each.name for each in (first, second)] == ["broker-a", "broker-b"]
        assert (first.cluster, first.broker_id, first.address) == ("DefaultCluster", 0, servers[0].address)
        assert first.runtime["brokerVersionDesc"] == "V5_3_3"
        assert first.error is None
        assert (await client.admin.broker_settings(second.address))["brokerName"] == "broker-b"
        assert [each.name for each in await client.admin.brokers("broker-b")] == ["broker-b"]
        with pytest.raises(ConfigError, match="broker-z") as caught:
            await client.admin.brokers("broker-z")
        assert "broker-a, broker-b" in caught.value.hint


async def test_topic_settings_are_altered_and_the_rest_stays(autojump_clock, bare_cluster):
    for name in ("broker-a", "broker-b"):
        await bare_cluster.start_broker(name)
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=2)
        altered = await client.admin.alter_topic("orders", write_queues=5, broker="broker-b")
        assert list(altered) == ["broker-b"]
        found = await client.admin.topic_settings("orders")
        assert [(each.read_queue_nums, each.write_queue_nums, each.perm) for each in found.values()] == [
            (2, 2, 6),
            (2, 5, 6),
        ]
        await client.admin.alter_topic("orders", perm="r", read_queues=3)
        found = await client.admin.topic_settings("orders")
        assert [(each.read_queue_nums, each.write_queue_nums, each.perm) for each in found.values()] == [
            (3, 2, 4),
            (3, 5, 4),
        ]
        await trio.sleep(1)
        route = await client.admin.route("orders")
        assert {each.perm for each in route.queue_datas} == {4}
        with pytest.raises(ConfigError, match="broker-z"):
            await client.admin.alter_topic("orders", perm="r", broker="broker-z")
        with pytest.raises(TopicNotFound):
            await client.admin.alter_topic("other", perm="r")
        with pytest.raises(ConfigError, match="0 queues"):
            await client.admin.alter_topic("orders", read_queues=0)
