"""Consumer and producer groups as an administrator sees them."""

from __future__ import annotations

import pytest
import trio
from tests.integration.client.taking import take

from rocketmq_lite.errors import ConfigError, GroupNotFound
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.headers.group import InvokeBrokerToResetOffsetRequestHeader
from rocketmq_lite.transport.rpc import open_pool


async def test_a_group_from_creation_to_deletion(autojump_clock, client):
    assert await client.admin.create_group("billing", retry_max_times=3) == ("broker-a",)
    assert (await client.admin.group("billing"))["broker-a"].retry_max_times == 3
    [summary] = [each for each in await client.admin.groups() if each.group == "billing"]
    assert (summary.brokers, summary.members, summary.message_model) == (("broker-a",), 0, None)
    altered = await client.admin.alter_group("billing", consume_enable=False)
    assert (altered["broker-a"].consume_enable, altered["broker-a"].retry_max_times) == (False, 3)
    assert await client.admin.group("billing") == altered
    assert await client.admin.delete_group("billing") == ("broker-a",)
    for question in (client.admin.group, client.admin.group_clients, client.admin.group_lag):
        with pytest.raises(GroupNotFound, match="billing") as caught:
            await question("billing")
        assert "rmq group create" in caught.value.hint
    with pytest.raises(GroupNotFound):
        await client.admin.alter_group("billing", retry_max_times=1)
    # Asking did not create it.
    assert "billing" not in [each.group for each in await client.admin.groups()]


async def test_deleting_a_group_takes_its_topics(autojump_clock, client):
    await client.admin.create_topic("orders", queues=1)
    async with client.consumer("g", "orders"):
        await trio.sleep(1)
        assert "%RETRY%g" in await client.admin.topics()
    await client.admin.delete_group("g")
    assert "%RETRY%g" not in await client.admin.topics()


async def test_who_is_in_a_group_and_what_they_read(autojump_clock, cluster):
    async with cluster.connect(instance="a") as first, cluster.connect(instance="b") as second:
        await first.admin.create_topic("orders", queues=4)
        async with (
            first.consumer("g", "orders", tags="paid") as one,
            second.consumer("g", "orders", tags="paid") as other,
        ):
            await trio.sleep(1)
            clients = await first.admin.group_clients("g")
            assert (clients.consume_type, clients.message_model) == ("CONSUME_PASSIVELY", "CLUSTERING")
            assert set(clients.subscriptions) == {"orders", "%RETRY%g"}
            assert clients.subscriptions["orders"].sub_string == "paid"
            assert [each.client_id for each in clients.members] == sorted([first.client_id, second.client_id])
            assert {each.language for each in clients.members} == {"PYTHON"}
            reads = {
                each.client_id: [queue for queue in each.queues or () if queue.topic == "orders"]
                for each in clients.members
            }
            assert reads == {
                first.client_id: [queue for queue in one.queues if queue.topic == "orders"],
                second.client_id: [queue for queue in other.queues if queue.topic == "orders"],
            }
            quick = await first.admin.group_clients("g", queues=False)
            assert [each.queues for each in quick.members] == [None, None]
            [summary] = [each for each in await first.admin.groups() if each.group == "g"]
            assert (summary.members, summary.message_model) == (2, "CLUSTERING")
        assert (await first.admin.group_clients("g")).members == ()


async def test_the_lag_of_a_group_queue_by_queue(autojump_clock, cluster):
    async with cluster.connect(instance="a") as client:
        await client.admin.create_topic("orders", queues=2)
        producer = client.producer("p")
        first, second = [MessageQueue("orders", "broker-a", number) for number in range(2)]
        async with client.consumer("g", "orders", start="earliest") as messages:
            for _ in range(6):
                await producer.send("orders", b"x")
            taken = await take(messages, 6)
            await trio.sleep(6)  # the group's position is committed every 5 seconds
            lag = await client.admin.group_lag("g", topic="orders")
            assert (lag.members, lag.total) == (1, 0)
            assert [each.queue for each in lag.queues] == [first, second]
            assert {each.client_id for each in lag.queues} == {client.client_id}
            last = max(each.stored_at for each in taken if each.queue == first)
            assert lag.queues[0].last_stored_ms == int(last.timestamp() * 1000)
        for _ in range(4):
            await producer.send("orders", b"x")
        lag = await client.admin.group_lag("g", topic="orders")
        assert (lag.members, lag.total) == (0, 4)
        assert [(each.lag, each.client_id) for each in lag.queues] == [(2, None), (2, None)]
        everything = await client.admin.group_lag("g")
        assert {each.queue.topic for each in everything.queues} >= {"orders"}


async def test_who_is_in_a_producer_group(autojump_clock, cluster):
    async with cluster.connect(instance="a") as client:
        assert await client.admin.producers("shop") == ()
        await client.producer("shop").send("orders", b"x")
        await trio.sleep(1)
        [member] = await client.admin.producers("shop")
        assert (member.client_id, member.language, member.version) == (client.client_id, "PYTHON", 479)


async def test_groups_of_several_brokers(autojump_clock, bare_cluster):
    for name in ("broker-a", "broker-b"):
        await bare_cluster.start_broker(name)
    async with bare_cluster.connect(instance="a") as client:
        assert await client.admin.create_group("only-b", broker="broker-b") == ("broker-b",)
        assert list(await client.admin.group("only-b")) == ["broker-b"]
        with pytest.raises(ConfigError, match="broker-a") as caught:
            await client.admin.alter_group("only-b", retry_max_times=1, broker="broker-a")
        assert "broker-b" in caught.value.hint
        await client.admin.create_group("both")
        altered = await client.admin.alter_group("both", retry_max_times=1, broker="broker-a")
        assert list(altered) == ["broker-a"]
        assert [each.retry_max_times for each in (await client.admin.group("both")).values()] == [1, 16]
        await client.admin.create_topic("orders", queues=1)
        async with client.consumer("both", "orders"):
            await trio.sleep(1)
            clients = await client.admin.group_clients("both")
            assert [each.client_id for each in clients.members] == [client.client_id]
            queues = [queue for queue in clients.members[0].queues or () if queue.topic == "orders"]
            assert queues == [MessageQueue("orders", name, 0) for name in ("broker-a", "broker-b")]


async def test_groups_of_several_clusters(autojump_clock, bare_cluster):
    for name, cluster in (("broker-a", "one"), ("broker-b", "two"), ("broker-c", "two")):
        await bare_cluster.start_broker(name, cluster=cluster)
    async with bare_cluster.connect() as client:
        for cluster in ("one", "two"):
            await client.admin.create_group("g", cluster=cluster)
            await client.admin.create_topic("%RETRY%g", queues=1, cluster=cluster)
        assert await client.admin.delete_group("g", cluster="two") == ("broker-b", "broker-c")
        assert list(await client.admin.group("g")) == ["broker-a"]
        kept = await client.admin.route("%RETRY%g")
        assert [broker.broker_name for broker in kept.broker_datas] == ["broker-a"]
        await client.admin.create_group("g", cluster="two")
        assert await client.admin.delete_group("g") == ("broker-a", "broker-b", "broker-c")
        with pytest.raises(GroupNotFound):
            await client.admin.group("g")


@pytest.mark.parametrize(("group", "options"), [("a b", {}), ("", {}), ("g", {"retry_max_times": -1})])
async def test_bad_arguments(autojump_clock, client, group, options):
    with pytest.raises(ConfigError):
        await client.admin.create_group(group, **options)


async def test_a_consumer_goes_on_where_its_groups_position_was_set(autojump_clock, cluster):
    async with cluster.connect(instance="a") as client:
        await client.admin.create_topic("orders", queues=1)
        for number in range(3):
            await client.producer("p").send("orders", b"%d" % number)
        async with client.consumer("g", "orders", start="earliest") as messages:
            assert [message.body for message in await take(messages, 3)] == [b"0", b"1", b"2"]
            async with open_pool(cluster.network, cluster.clock) as pool:
                [broker] = await client.admin.brokers()
                header = InvokeBrokerToResetOffsetRequestHeader("orders", "g", queue_id=0, offset=1)
                request = Command(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, fields=header.to_fields())
                assert (await pool.call(broker.address, request)).code == 0
            assert [message.body for message in await take(messages, 2)] == [b"1", b"2"]
