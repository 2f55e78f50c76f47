from __future__ import annotations

import pytest
import trio

from rocketmq_lite.errors import BrokerError, ConfigError, RocketMQError, TopicNotFound
from rocketmq_lite.model import MessageQueue


async def test_a_topic_from_creation_to_deletion(autojump_clock, client):
    assert await client.admin.create_topic("orders", queues=3) == ("broker-a",)
    assert "orders" in await client.admin.topics()
    route = await client.admin.route("orders")
    assert list(route.broker_datas[0].broker_addrs) == [0]
    assert (route.queue_datas[0].write_queue_nums, route.queue_datas[0].perm) == (3, 6)
    receipt = await client.producer("p").send("orders", b"x")
    stats = await client.admin.topic_stats("orders")
    assert list(stats) == [MessageQueue("orders", "broker-a", number) for number in range(3)]
    assert stats[receipt.queue].max_offset == 1
    assert await client.admin.delete_topic("orders") == ("broker-a",)
    await trio.sleep(1)
    with pytest.raises(TopicNotFound):
        await client.admin.route("orders")
    assert "orders" not in client.statistics().topics
    with pytest.raises(TopicNotFound):
        await client.admin.delete_topic("orders")


async def test_which_brokers_a_topic_is_created_on(autojump_clock, bare_cluster):
    async with bare_cluster.connect() as client:
        with pytest.raises(RocketMQError, match="no broker is registered"):
            await client.admin.create_topic("orders")
        for name, cluster in (("broker-a", "one"), ("broker-b", "one"), ("broker-c", "two")):
            await bare_cluster.start_broker(name, cluster=cluster)
        assert await client.admin.create_topic("t1", broker="broker-b") == ("broker-b",)
        assert await client.admin.create_topic("t2", cluster="one") == ("broker-a", "broker-b")
        assert await client.admin.create_topic("t3", cluster="two") == ("broker-c",)
        with pytest.raises(ConfigError, match="several clusters: one, two"):
            await client.admin.create_topic("t4")
        with pytest.raises(ConfigError, match="cluster 'three' has no master") as caught:
            await client.admin.create_topic("t4", cluster="three")
        assert "one, two" in caught.value.hint
        with pytest.raises(ConfigError, match="broker 'broker-z'"):
            await client.admin.create_topic("t4", broker="broker-z")
        info = await client.admin.cluster()
        assert info.cluster_addr_table == {"one": ("broker-a", "broker-b"), "two": ("broker-c",)}


async def test_a_topic_of_two_clusters_is_deleted_in_one_or_in_both(autojump_clock, bare_cluster):
    for name, cluster in (("broker-a", "one"), ("broker-b", "two")):
        await bare_cluster.start_broker(name, cluster=cluster)
    async with bare_cluster.connect() as client:
        for cluster in ("one", "two"):
            await client.admin.create_topic("orders", cluster=cluster)
        assert await client.admin.delete_topic("orders", cluster="two") == ("broker-b",)
        kept = await client.admin.route("orders")
        assert [broker.broker_name for broker in kept.broker_datas] == ["broker-a"]
        assert await client.admin.delete_topic("orders") == ("broker-a", "broker-b")
        with pytest.raises(TopicNotFound):
            await client.admin.route("orders")


@pytest.mark.parametrize(
    ("topic", "options", "complaint"),
    [
        ("a b", {}, "characters"),
        ("orders", {"queues": 0}, "0 queues"),
        ("orders", {"queues": 65_536}, "65536 queues"),
        ("orders", {"perm": "x"}, "permission 'x'"),
    ],
)
async def test_bad_arguments(autojump_clock, client, topic, options, complaint):
    with pytest.raises(ConfigError, match=complaint):
        await client.admin.create_topic(topic, **options)


async def test_a_system_topic_is_refused_by_the_broker(autojump_clock, client):
    with pytest.raises(BrokerError) as caught:
        await client.admin.create_topic("SCHEDULE_TOPIC_XXXX")
    assert caught.value.code is not None
