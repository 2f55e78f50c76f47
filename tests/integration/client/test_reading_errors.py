"""What a consumer does when its broker refuses, moves offsets, forgets us, or goes away."""

from __future__ import annotations

import logging

import pytest
import trio
from tests.integration.client.scripted import pull_answer
from tests.integration.client.taking import nothing_more, take

from rocketmq_lite.errors import BrokerError, RocketMQError
from rocketmq_lite.protocol.codes import RequestCode

PULL = RequestCode.PULL_MESSAGE
HEARTBEAT = RequestCode.HEART_BEAT


def in_turn(*scripts):
    """One script after the other; the last for good."""
    left = list(scripts)

    def answer(request):
        script = left.pop(0) if len(left) > 1 else left[0]
        return script(request)

    return answer


@pytest.mark.parametrize("code", [24, 25])
async def test_a_broker_that_does_not_know_the_subscription_is_told_again(autojump_clock, scripted, code):
    hold = scripted.scripts[PULL]
    scripted.scripts[PULL] = in_turn(lambda request: request.answer(code, remark="who?"), hold)
    async with scripted.connect() as client, client.consumer("g", "orders"):
        before = scripted.count(HEARTBEAT)
        await trio.sleep(1)
        assert scripted.count(HEARTBEAT) == before + 1
        assert scripted.count(PULL) == 2


async def test_an_error_is_tried_again_with_growing_pauses_and_shown(autojump_clock, scripted, caplog):
    scripted.scripts[PULL] = lambda request: request.answer(16, remark="not readable")
    async with scripted.connect() as client, client.consumer("g", "orders") as messages:
        await trio.sleep(60)
        [queue] = messages.statistics().queues
        assert "not readable" in (queue.error or "")
        assert 20 <= scripted.count(PULL) <= 30
        assert len([record for record in caplog.records if "not readable" in record.message]) == 1
        scripted.scripts[PULL] = lambda request: pull_answer(request, 19, next_offset=0)
        await trio.sleep(5)
        assert messages.statistics().queues[0].error is None


async def test_a_broker_that_does_not_hold_pulls_is_not_flooded(autojump_clock, scripted):
    scripted.scripts[PULL] = lambda request: pull_answer(request, 19, next_offset=0)
    async with scripted.connect() as client, client.consumer("g", "orders"):
        await trio.sleep(10)
    assert scripted.count(PULL) <= 210


async def test_nothing_that_matched_moves_the_position_at_once(autojump_clock, scripted):
    answers = [lambda request, to=to: pull_answer(request, 20, next_offset=to) for to in (32, 64, 96)]
    scripted.scripts[PULL] = in_turn(*answers, scripted.scripts[PULL])
    async with scripted.connect() as client, client.consumer("g", "orders") as messages:
        await trio.testing.wait_all_tasks_blocked()
        assert messages.statistics().queues[0].committable == 96
    commits = [
        r.fields["commitOffset"] for r in scripted.requests if r.code == RequestCode.UPDATE_CONSUMER_OFFSET
    ]
    assert commits[-1] == "96"


async def test_an_offset_that_the_broker_does_not_have(autojump_clock, scripted):
    scripted.scripts[RequestCode.QUERY_CONSUMER_OFFSET] = lambda request: request.answer(
        0, fields={"offset": "500"}
    )
    scripted.scripts[PULL] = in_turn(
        lambda request: pull_answer(request, 21, next_offset=40, max_offset=40), scripted.scripts[PULL]
    )
    async with scripted.connect() as client, client.consumer("g", "orders") as messages:
        await trio.sleep(6)
        [queue] = messages.statistics().queues
        assert (queue.next_offset, queue.committed) == (40, 40)
    assert [r.fields["queueOffset"] for r in scripted.requests if r.code == PULL][:2] == ["500", "40"]


async def test_an_answer_that_makes_no_sense_is_an_error_not_the_end(autojump_clock, scripted):
    scripted.scripts[PULL] = in_turn(
        lambda request: request.answer(0, body=b"rubbish"),
        lambda request: pull_answer(request, 0, next_offset=1, body=b"rubbish"),
        lambda request: pull_answer(request, 19, next_offset=0),
    )
    async with scripted.connect() as client, client.consumer("g", "orders") as messages:
        await trio.sleep(1)
        assert messages.statistics().queues[0].error is None
        assert messages.statistics().queues[0].committable == 0


async def test_a_start_that_cannot_be_found_is_looked_for_again(autojump_clock, scripted):
    query = scripted.scripts[RequestCode.QUERY_CONSUMER_OFFSET]
    scripted.scripts[RequestCode.QUERY_CONSUMER_OFFSET] = in_turn(
        lambda request: request.answer(1, remark="not now"), lambda request: request.answer(1), query
    )
    async with scripted.connect() as client, client.consumer("g", "orders") as messages:
        assert messages.statistics().queues[0].committable is None
        await trio.sleep(1)
        assert messages.statistics().queues[0].committable == 0
    commits = [r for r in scripted.requests if r.code == RequestCode.UPDATE_CONSUMER_OFFSET]
    assert {r.fields["commitOffset"] for r in commits} <= {"0"}


async def test_an_unknown_start_is_never_committed(autojump_clock, scripted):
    scripted.scripts[RequestCode.QUERY_CONSUMER_OFFSET] = lambda request: request.answer(1, remark="never")
    async with scripted.connect() as client, client.consumer("g", "orders"):
        await trio.sleep(60)
    assert scripted.count(RequestCode.UPDATE_CONSUMER_OFFSET) == 0


async def test_a_group_whose_members_cannot_be_found_out(autojump_clock, scripted):
    scripted.scripts[RequestCode.GET_CONSUMER_LIST_BY_GROUP] = lambda request: request.answer(
        1, remark="who?"
    )
    async with scripted.connect() as client:
        with pytest.raises(BrokerError, match="who"):
            async with client.consumer("g", "orders"):
                pass
        assert client.statistics().consumer_groups == ()
    assert scripted.count(RequestCode.UNREGISTER_CLIENT) == 1


async def test_the_broker_breaks_the_connection(autojump_clock, cluster, client):
    await client.admin.create_topic("orders", queues=2)
    producer = client.producer("p")
    async with client.consumer("g", "orders") as messages:
        for number in range(10):
            await producer.send("orders", b"%d" % number)
            await take(messages, 1)
            for address in client.statistics().known_at:
                await cluster.network.cut(address)
            await trio.sleep(0.01)
        await nothing_more(messages)


async def test_the_broker_restarts(autojump_clock, bare_cluster, tmp_path, caplog):
    caplog.set_level(logging.CRITICAL, "rocketmq_lite")
    server = await bare_cluster.start_broker(data=tmp_path, port=10911)
    async with bare_cluster.connect() as client:
        await client.admin.create_topic("orders", queues=2)
        producer = client.producer("p")
        async with client.consumer("g", "orders") as messages:
            await producer.send("orders", b"before")
            await take(messages, 1)
            await server.stop()
            with pytest.raises(RocketMQError):
                await producer.send("orders", b"lost")
            await bare_cluster.start_broker(data=tmp_path, port=10911)
            await trio.sleep(35)
            await producer.send("orders", b"after")
            assert [message.body for message in await take(messages, 1)] == [b"after"]
            await nothing_more(messages)
