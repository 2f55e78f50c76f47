"""Producers and consumers as the broker knows them: heartbeats, notices, good-byes, silence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from rocketmq_lite.broker.engine.clients import EXPIRY_SECONDS
from rocketmq_lite.broker.handlers.relay import CLIENT_SECONDS
from rocketmq_lite.broker.services.expiry import SCAN_SECONDS
from rocketmq_lite.config import BrokerSettings
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import (
    CheckClientConfig,
    GroupSubscription,
    LockBatch,
    LockedQueues,
    ProducerTable,
    SubscriptionData,
)
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.framing import decode_messages, json_loads

if TYPE_CHECKING:
    from tests.integration.peer import Peer
    from tests.integration.world import World
    from trio.testing import MockClock


async def client_ids(peer: Peer, group: str = "G") -> object:
    answer = await peer.call(RequestCode.GET_CONSUMER_LIST_BY_GROUP, consumerGroup=group)
    if answer.code != 0:
        return answer.code
    body = json_loads(answer.body)
    assert isinstance(body, dict)
    return body["consumerIdList"]


async def expect_notice(peer: Peer, group: str = "G") -> None:
    with trio.fail_after(10):
        notice = await peer.push()
    assert notice.code == RequestCode.NOTIFY_CONSUMER_IDS_CHANGED
    assert notice.is_oneway
    assert notice.fields["consumerGroup"] == group


async def test_members_are_told_of_each_other_from_the_first_to_the_last(
    world: World, time: MockClock | None
) -> None:
    async with world.broker() as address, world.peer(address) as first, world.peer(address) as admin:
        answer = await first.heartbeat("c1", consumer="G", topics=("orders",))
        assert answer.code == 0
        assert answer.fields["IS_SUPPORT_HEART_BEAT_V2"] == "true"
        assert answer.fields["IS_SUB_CHANGE"] == "true"
        await expect_notice(first)
        async with world.peer(address) as second:
            await second.heartbeat("c2", consumer="G", topics=("orders",))
            await expect_notice(first)
            await expect_notice(second)
            assert await client_ids(admin) == ["c1", "c2"]
        await expect_notice(first)  # the second one closed its connection
        assert await client_ids(admin) == ["c1"]
        answer = await first.call(RequestCode.UNREGISTER_CLIENT, clientID="c1", consumerGroup="G")
        assert answer.code == 0
        assert await client_ids(admin) == 1


async def test_a_heartbeat_creates_the_group_and_its_retry_topic(
    world: World, time: MockClock | None
) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        await peer.heartbeat("c1", consumer="G", topics=("orders",))
        assert (await peer.call(RequestCode.GET_TOPIC_CONFIG, topic="%RETRY%G")).code == 0
        assert (await peer.call(RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, group="G")).code == 0


async def test_a_group_that_may_not_be_is_left_out_silently(world: World, time: MockClock | None) -> None:
    async with world.broker(auto_create_group=False) as address, world.peer(address) as peer:
        assert (await peer.heartbeat("c1", consumer="G", producer="P")).code == 0
        assert await client_ids(peer) == 1
        assert (await peer.call(RequestCode.GET_PRODUCER_CONNECTION_LIST, producerGroup="P")).code == 0


async def test_subscriptions_of_a_heartbeat_serve_pulls_that_bring_none(
    world: World, time: MockClock | None
) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        await peer.create_topic("orders", queues=1)
        await peer.send("orders", b"x")
        pull = {
            "consumerGroup": "G", "topic": "orders", "queueId": 0, "queueOffset": 0, "maxMsgNums": 32, "sysFlag": 0,
            "commitOffset": 0, "suspendTimeoutMillis": 0, "subVersion": 1,
        }  # fmt: skip
        assert (await peer.call(RequestCode.PULL_MESSAGE, header=pull)).code == 24
        await peer.heartbeat("c1", consumer="G", topics=("orders",))
        assert (await peer.call(RequestCode.PULL_MESSAGE, header=pull)).code == 0


async def test_connection_lists(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        assert (await peer.call(RequestCode.GET_CONSUMER_CONNECTION_LIST, consumerGroup="G")).code == 206
        assert (await peer.call(RequestCode.GET_PRODUCER_CONNECTION_LIST, producerGroup="P")).code == 1
        await peer.heartbeat("c1", consumer="G", topics=("orders",), producer="P")
        answer = await peer.call(RequestCode.GET_CONSUMER_CONNECTION_LIST, consumerGroup="G")
        body = json_loads(answer.body)
        assert isinstance(body, dict)
        (connection,) = body["connectionSet"]
        assert connection["clientId"] == "c1"
        assert connection["clientAddr"].startswith("127.0.0.1:")
        assert body["subscriptionTable"]["orders"]["subString"] == "*"
        answer = await peer.call(RequestCode.GET_PRODUCER_CONNECTION_LIST, producerGroup="P")
        assert b'"c1"' in answer.body
        answer = await peer.call(RequestCode.GET_ALL_PRODUCER_INFO)
        (producer,) = ProducerTable.decode(answer.body).data["P"]
        assert producer.client_id == "c1"
        assert producer.remote_ip == f"/{connection['clientAddr']}"
        assert producer.last_update_timestamp > 0


async def test_the_subscription_of_a_group_to_one_topic(world: World, time: MockClock | None) -> None:
    ask = RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER
    async with world.broker() as address, world.peer(address) as peer:
        answer = await peer.call(ask, group="G", topic="orders")
        assert answer.body == b'{"group":"G","topic":"orders"}'
        await peer.heartbeat("c1", consumer="G", topics=("orders",))
        found = GroupSubscription.decode((await peer.call(ask, group="G", topic="orders")).body)
        assert found.subscription_data == SubscriptionData("orders", sub_version=1)
        answer = await peer.call(ask, group="G", topic="other")
        assert answer.body == b'{"group":"G","topic":"other"}'


async def test_a_subscription_is_checked_before_a_consumer_starts(
    world: World, time: MockClock | None
) -> None:
    check = RequestCode.CHECK_CLIENT_CONFIG
    async with world.broker() as address, world.peer(address) as peer:
        tags = CheckClientConfig("c", "G", subscription_data=SubscriptionData("orders", "a || b"))
        assert (await peer.call(check, tags.encode())).code == 0
        assert (await peer.call(check)).code == 0
        sql = SubscriptionData("orders", "a > 1", expression_type="SQL92")
        assert (await peer.call(check, replace(tags, subscription_data=sql).encode())).code == 0
        mistake = replace(sql, sub_string="a >")
        refused = await peer.call(check, replace(tags, subscription_data=mistake).encode())
        assert refused.code == 23
        assert "line 1, column 4: expected a property or a constant" in (refused.remark or "")
        unknown = replace(sql, expression_type="XPATH")
        refused = await peer.call(check, replace(tags, subscription_data=unknown).encode())
        assert refused.code == 23
        assert "XPATH" in (refused.remark or "")


async def test_a_consumer_is_asked_how_it_runs(world: World, time: MockClock | None) -> None:
    ask = RequestCode.GET_CONSUMER_RUNNING_INFO
    async with world.broker() as address, world.peer(address) as consumer, world.peer(address) as admin:
        await consumer.heartbeat("c1", consumer="G", topics=("orders",))
        await expect_notice(consumer)
        asked = await admin.post(ask, consumerGroup="G", clientId="c1", jstackEnable=False)
        with trio.fail_after(10):
            question = await consumer.push()
        assert (question.code, question.is_oneway, question.codec) == (ask, False, "JSON")
        assert question.fields["clientId"] == "c1"
        await consumer.reply(question.answer(body=b'{"properties":{"x":"1"}}'))
        answer = await admin.answer(asked)
        assert (answer.code, answer.body) == (0, b'{"properties":{"x":"1"}}')
        asked = await admin.post(ask, consumerGroup="G", clientId="c1")
        await consumer.reply((await consumer.push()).answer(1, remark="no such group here"))
        answer = await admin.answer(asked)
        assert (answer.code, answer.remark) == (1, "no such group here")
        for group, client in (("G", "c2"), ("other", "c1")):
            assert (await admin.call(ask, consumerGroup=group, clientId=client)).code == 1


async def test_a_consumer_that_does_not_say_how_it_runs(pump_world: World, autojump_clock: MockClock) -> None:
    ask = RequestCode.GET_CONSUMER_RUNNING_INFO
    async with pump_world.broker() as address, pump_world.peer(address) as consumer:
        await consumer.heartbeat("c1", consumer="G", topics=("orders",))
        async with pump_world.peer(address) as admin:
            began = trio.current_time()
            answer = await admin.call(ask, consumerGroup="G", clientId="c1")
            assert answer.code == 207
            assert trio.current_time() - began == CLIENT_SECONDS


async def test_a_consumer_is_handed_a_message(world: World, time: MockClock | None) -> None:
    ask = RequestCode.CONSUME_MESSAGE_DIRECTLY
    async with world.broker() as address, world.peer(address) as consumer, world.peer(address) as admin:
        await admin.create_topic("orders", queues=1)
        await admin.send("orders", b"first")
        sent = await admin.send("orders", b"second")
        await consumer.heartbeat("c1", consumer="G", topics=("orders",))
        await expect_notice(consumer)
        fields = {"consumerGroup": "G", "clientId": "c1", "msgId": sent.fields["msgId"], "topic": "orders"}
        asked = await admin.post(ask, header=fields)
        with trio.fail_after(10):
            question = await consumer.push()
        assert (question.code, question.is_oneway) == (ask, False)
        assert question.fields == {**fields, "brokerName": "broker-a"}
        assert [message.body for message in decode_messages(question.body)] == [b"second"]
        await consumer.reply(question.answer(body=b'{"consumeResult":"CR_SUCCESS"}'))
        answer = await admin.answer(asked)
        assert (answer.code, answer.body) == (0, b'{"consumeResult":"CR_SUCCESS"}')
        for change, remark in (
            ({"clientId": "c2"}, "not online"),
            ({"clientId": None}, "not online"),
            ({"msgId": "7F00000100002A9F0000000000ABCDEF"}, "can not find message by the offset, 11259375"),
            ({"msgId": "x"}, "x is no offset message id"),
            ({"msgId": None}, "None is no offset message id"),
        ):
            changed = {key: value for key, value in {**fields, **change}.items() if value is not None}
            refused = await admin.call(ask, header=changed)
            assert (refused.code, remark in (refused.remark or "")) == (1, True), refused


async def test_queues_are_locked_for_one_client_of_a_group(world: World, time: MockClock | None) -> None:
    queues = tuple(MessageQueue("orders", "broker-a", number) for number in range(3))
    lock, unlock = RequestCode.LOCK_BATCH_MQ, RequestCode.UNLOCK_BATCH_MQ
    async with world.broker() as address, world.peer(address) as peer:
        answer = await peer.call(lock, LockBatch("G", "c1", queues[:2]).encode())
        assert LockedQueues.decode(answer.body).lock_ok_mq_set == queues[:2]
        answer = await peer.call(lock, LockBatch("G", "c2", queues).encode())
        assert LockedQueues.decode(answer.body).lock_ok_mq_set == queues[2:]
        assert (await peer.call(unlock, LockBatch("G", "c1", queues).encode())).code == 0
        answer = await peer.call(lock, LockBatch("G", "c2", queues).encode())
        assert LockedQueues.decode(answer.body).lock_ok_mq_set == queues
        assert (await peer.call(lock)).code == 1


async def test_a_lock_that_is_not_renewed_ends(pump_world: World, autojump_clock: MockClock) -> None:
    body = [LockBatch("G", f"c{n}", (MessageQueue("orders", "broker-a", 0),)).encode() for n in range(2)]
    async with pump_world.broker() as address, pump_world.peer(address) as peer:
        await peer.call(RequestCode.LOCK_BATCH_MQ, body[0])
        answer = await peer.call(RequestCode.LOCK_BATCH_MQ, body[1])
        assert answer.body == b'{"lockOKMQSet":[]}'
        await trio.sleep(BrokerSettings().lock_seconds + SCAN_SECONDS)
        answer = await peer.call(RequestCode.LOCK_BATCH_MQ, body[1])
        assert len(LockedQueues.decode(answer.body).lock_ok_mq_set) == 1


async def test_a_group_that_holds_locks_sends_dead_letters(world: World, time: MockClock | None) -> None:
    """What consumers in order have given up: only they send to their retry topic, and not to get it again."""
    queue = MessageQueue("orders", "broker-a", 0)
    lock, unlock = RequestCode.LOCK_BATCH_MQ, RequestCode.UNLOCK_BATCH_MQ
    async with world.broker() as address, world.peer(address) as peer:
        await peer.heartbeat("c", consumer="G")
        for code in (lock, unlock):
            await peer.call(code, LockBatch("G", "c", (queue,)).encode())
            assert (await peer.send("%RETRY%G", reconsumeTimes=1, maxReconsumeTimes=1)).code == 0
        assert len(await peer.pull("%DLQ%G")) == len(await peer.pull("%RETRY%G")) == 1


async def test_a_group_whose_locks_have_ended_sends_retries(
    pump_world: World, autojump_clock: MockClock
) -> None:
    body = LockBatch("G", "c", (MessageQueue("orders", "broker-a", 0),)).encode()
    async with pump_world.broker(lock_seconds=5.0) as address, pump_world.peer(address) as peer:
        await peer.heartbeat("c", consumer="G")
        await peer.call(RequestCode.LOCK_BATCH_MQ, body)
        await trio.sleep(5 + SCAN_SECONDS)
        assert (await peer.send("%RETRY%G", reconsumeTimes=1, maxReconsumeTimes=1)).code == 0
        assert len(await peer.pull("%RETRY%G")) == 1


async def test_a_heartbeat_without_a_body_is_answered_1(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        assert (await peer.call(RequestCode.HEART_BEAT)).code == 1


async def test_a_silent_client_is_closed_after_two_minutes(
    pump_world: World, autojump_clock: MockClock
) -> None:
    async with pump_world.broker() as address, pump_world.peer(address) as silent:
        async with pump_world.peer(address) as talker:
            await silent.heartbeat("c1", consumer="G", topics=("orders",))
            await talker.heartbeat("c2", consumer="G", topics=("orders",))
            began = trio.current_time()
            for _ in range(6):
                await trio.sleep(30)
                await talker.heartbeat("c2", consumer="G", topics=("orders",))
            assert await client_ids(talker) == ["c2"]
        for _ in range(2):
            await expect_notice(silent)
        assert await silent.at_end()
        assert EXPIRY_SECONDS < trio.current_time() - began <= 180 + SCAN_SECONDS


async def test_an_hour_of_long_polling_takes_no_time(pump_world: World, autojump_clock: MockClock) -> None:
    async with pump_world.broker() as address, pump_world.peer(address) as consumer:
        await consumer.create_topic("orders", queues=1)
        began = trio.current_time()
        pulls = 0
        while trio.current_time() - began < 3600:
            await consumer.heartbeat("c1", consumer="G", topics=("orders",))
            answer = await consumer.answer(await consumer.post_pull("orders", 0, hold_ms=15_000))
            assert answer.code == 19
            pulls += 1
        assert 3600 / 20.1 <= pulls <= 3600 / 15 + 1
        assert await client_ids(consumer) == ["c1"]
