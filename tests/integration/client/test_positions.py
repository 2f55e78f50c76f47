"""Setting a group's positions: planned, looked at, done; and asking members how far they are."""

from __future__ import annotations

from datetime import timedelta

import pytest
import trio
from tests.integration.client.taking import nothing_more, take

from rocketmq_lite.client.administration.positions import PositionChange
from rocketmq_lite.errors import BrokerError, ConfigError, GroupNotFound, TopicNotFound
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import ConsumerStatus
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.transport.rpc import open_pool

FIRST, SECOND = (MessageQueue("orders", "broker-a", number) for number in range(2))


async def five_in_two_queues(client):
    """A topic with messages 0, 2, 4 and 1, 3, a second apart, and a group that has consumed them."""
    await client.admin.create_topic("orders", queues=2)
    producer = client.producer("p")
    for number in range(5):
        await producer.send("orders", b"%d" % number)
        await trio.sleep(1)
    async with client.consumer("g", "orders", start="earliest") as messages:
        taken = await take(messages, 5)
    return {each.body: each for each in taken}


async def test_a_plan_changes_nothing(autojump_clock, client):
    stored = await five_in_two_queues(client)
    ends = {each.queue: each.offset + 1 for each in sorted(stored.values(), key=lambda each: each.offset)}
    assert sorted(ends.values()) == [2, 3]
    plan = await client.admin.plan_reset("g", "orders", "earliest")
    assert plan == (PositionChange(FIRST, ends[FIRST], 0), PositionChange(SECOND, ends[SECOND], 0))
    assert [(each.again, each.skipped) for each in plan] == [(ends[FIRST], 0), (ends[SECOND], 0)]
    assert await client.admin.plan_reset("g", "orders", "latest") == tuple(
        PositionChange(queue, end, end) for queue, end in sorted(ends.items())
    )
    assert await client.admin.plan_reset("g", "orders", 1, queue=1) == (
        PositionChange(SECOND, ends[SECOND], 1),
    )
    assert await client.admin.plan_reset("g", "orders", 1, queue=FIRST) == (
        PositionChange(FIRST, ends[FIRST], 1),
    )
    assert (await client.admin.group_lag("g", topic="orders")).total == 0


async def test_a_plan_by_time(autojump_clock, client):
    stored = await five_in_two_queues(client)
    later = stored[b"2"].stored_at + timedelta(milliseconds=1)
    plan = {each.queue: each.after for each in await client.admin.plan_reset("g", "orders", later)}
    assert plan == {stored[b"3"].queue: stored[b"3"].offset, stored[b"4"].queue: stored[b"4"].offset}


async def test_a_group_that_is_away_goes_on_where_it_was_set(autojump_clock, client):
    await five_in_two_queues(client)
    await client.admin.move_group("g", await client.admin.plan_reset("g", "orders", 1))
    assert (await client.admin.group_lag("g", topic="orders")).total == 3
    async with client.consumer("g", "orders") as messages:
        assert sorted(each.body for each in await take(messages, 3)) == [b"2", b"3", b"4"]
        await nothing_more(messages)


async def test_a_group_that_is_online_goes_on_where_it_was_set(autojump_clock, client):
    await five_in_two_queues(client)
    async with client.consumer("g", "orders") as messages:
        await nothing_more(messages, within=5)
        await client.admin.move_group("g", await client.admin.plan_reset("g", "orders", "earliest", queue=0))
        plan = await client.admin.plan_reset("g", "orders", "latest", queue=0)
        again = await take(messages, plan[0].after)
        assert {each.queue for each in again} == {FIRST}
        await nothing_more(messages)


async def test_what_cannot_be_planned(autojump_clock, client):
    await five_in_two_queues(client)
    with pytest.raises(GroupNotFound, match="nobody"):
        await client.admin.plan_reset("nobody", "orders", "earliest")
    with pytest.raises(TopicNotFound, match="nothing"):
        await client.admin.plan_reset("g", "nothing", "earliest")
    with pytest.raises(ConfigError, match="no such queue"):
        await client.admin.plan_reset("g", "orders", "earliest", queue=2)
    with pytest.raises(ConfigError, match="offset 3 is not in queue broker-a/") as caught:
        await client.admin.plan_reset("g", "orders", 3)
    assert "0 to 2" in caught.value.hint
    with pytest.raises(BrokerError, match="Target offset 9 not in consume queue range"):
        await client.admin.move_group("g", [PositionChange(FIRST, 0, 9)])
    gone = MessageQueue("orders", "broker-z", 0)
    with pytest.raises(ConfigError, match="broker-z"):
        await client.admin.move_group("g", [PositionChange(gone, 0, 0)])


async def test_a_group_gets_the_positions_of_another(autojump_clock, client):
    await five_in_two_queues(client)
    await client.producer("p").send("orders", b"5")
    await client.admin.create_topic("other", queues=1)
    with pytest.raises(GroupNotFound, match="copy"):
        await client.admin.plan_clone("g", "copy")
    await client.admin.create_group("copy")
    plan = await client.admin.plan_clone("g", "copy")
    assert [(each.queue, each.before) for each in plan] == [(FIRST, None), (SECOND, None)]
    assert await client.admin.plan_clone("g", "copy", topic="other") == ()
    await client.admin.move_group("copy", plan)
    async with client.consumer("copy", "orders") as messages:
        [message] = await take(messages, 1)
        assert message.body == b"5"
        await nothing_more(messages)


async def test_a_broker_clones_positions_itself(autojump_clock, cluster, client):
    await five_in_two_queues(client)
    await client.admin.create_group("copy")
    await client.admin.create_topic("quotes", queues=1)
    async with open_pool(cluster.network, cluster.clock) as pool:
        [broker] = await client.admin.brokers()

        async def clone(**fields: str) -> int:
            header = {"srcGroup": "g", "destGroup": "copy", **fields}
            return (
                await pool.call(broker.address, Command(RequestCode.CLONE_GROUP_OFFSET, fields=header))
            ).code

        assert await clone(topic="other") == 0
        assert {each.before for each in await client.admin.plan_reset("copy", "orders", 0)} == {None}
        async with client.consumer("g", "quotes"):  # of those online, only what they subscribe to
            assert await clone() == 0
            assert {each.before for each in await client.admin.plan_reset("copy", "orders", 0)} == {None}
            assert await clone(offline="true") == 0
        source = await client.admin.plan_reset("g", "orders", 0)
        assert await client.admin.plan_reset("copy", "orders", 0) == source


async def test_members_say_how_far_they_are(autojump_clock, cluster):
    async with (
        cluster.connect(instance="a") as one,
        cluster.connect(instance="b") as other,
        open_pool(cluster.network, cluster.clock) as pool,
    ):
        await five_in_two_queues(one)
        [broker] = await one.admin.brokers()

        async def ask(**fields: str) -> Command:
            header = {"group": "g", "topic": "orders", **fields}
            request = Command(RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, fields=header)
            return await pool.call(broker.address, request)

        nobody = await ask()
        assert (nobody.code, nobody.remark) == (1, "No Any Consumer online in the consumer group: [g]")
        async with one.consumer("g", "orders"), other.consumer("g", "orders"):
            await trio.sleep(1)
            told = ConsumerStatus.decode((await ask()).body).consumer_table
            assert set(told) == {one.client_id, other.client_id}
            ends = {each.queue: each.after for each in await one.admin.plan_reset("g", "orders", "latest")}
            assert {queue: at for each in told.values() for queue, at in each.items()} == ends
            alone = ConsumerStatus.decode((await ask(clientAddr=other.client_id)).body).consumer_table
            assert alone == {other.client_id: told[other.client_id]}
