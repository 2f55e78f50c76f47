"""Members that contradict each other, and what else is wrong, are found by asking and told of once."""

from __future__ import annotations

from contextlib import asynccontextmanager

import trio
from tests.integration.client.taking import leave_by
from tests.integration.peer import connect

import rocketmq_lite as rmq
from rocketmq_lite.protocol.bodies import BrokerData, ClusterInfo
from rocketmq_lite.protocol.codes import RequestCode


@asynccontextmanager
async def two_clients(cluster):
    async with cluster.connect(instance="a") as first, cluster.connect(instance="b") as second:
        await first.admin.create_topic("orders", queues=4)
        yield first, second


async def problems(client):
    return {(problem.kind, problem.subject) for problem in await client.admin.problems()}


async def test_nothing_is_wrong_with_two_members_that_agree(autojump_clock, cluster):
    events: list[rmq.ConsumerEvent] = []
    async with (
        two_clients(cluster) as (first, second),
        first.consumer("g", "orders", on_event=events.append),
        second.consumer("g", "orders", on_event=events.append),
    ):
        await trio.sleep(600)
        assert await problems(first) == set()
    assert [event for event in events if isinstance(event, rmq.GroupProblem)] == []


async def test_different_strategies_are_found_by_the_members_and_by_who_asks(autojump_clock, cluster, caplog):
    events: list[rmq.ConsumerEvent] = []
    async with (
        two_clients(cluster) as (first, second),
        first.consumer("g", "orders", on_event=events.append),
        second.consumer("g", "orders", strategy=rmq.AllocateAveragelyByCircle()),
    ):
        await trio.sleep(600)
        assert await problems(first) == {("disputed-queues", "g")}
    [told] = [event.problem for event in events if isinstance(event, rmq.GroupProblem)]
    assert "1 read by more than one member (orders broker-a/1)" in told.text
    assert "1 read by no member (orders broker-a/2)" in told.text
    assert "AVG, AVG_BY_CIRCLE" in told.hint
    assert "of its 4 queues" in caplog.text


async def test_different_subscriptions_are_said_by_the_broker_and_found(autojump_clock, cluster, caplog):
    async with two_clients(cluster) as (first, second), first.consumer("g", "orders", tags="x"):
        async with second.consumer("g", "orders", tags="y"):
            await trio.sleep(1)
            assert ("different-subscriptions", "g") in await problems(first)
        await trio.sleep(1)
        assert await problems(first) == set()
    assert "consumer group g: its members subscribe to different messages" in caplog.text


async def test_one_client_id_of_two_clients(autojump_clock, bare_cluster, caplog):
    broker = await bare_cluster.start_broker()
    async with bare_cluster.connect(instance="z") as client:
        await client.admin.create_topic("orders", queues=1)
        async with (
            connect(bare_cluster.network, broker.address) as one,
            connect(bare_cluster.network, broker.address) as other,
        ):
            for peer in (one, other, one):
                await peer.heartbeat("twin", consumer="g", topics=("orders",))
            assert ("duplicate-client-id", "g") in await problems(client)
    assert "consumer group g: client id twin is used by more than one client" in caplog.text


async def test_dead_letters(autojump_clock, cluster):
    async with two_clients(cluster) as (first, _second):
        await first.producer("p").send("orders", b"x")
        async with first.consumer("g", "orders", start="earliest") as messages:
            await leave_by(await anext(messages), rmq.DeadLetter("no such customer"))
            await trio.sleep(1)
        [problem] = await first.admin.group_problems("g")
        assert (problem.kind, problem.text[:10]) == ("dead-letters", "1 messages")


async def test_a_broker_that_does_not_answer(autojump_clock, scripted):
    brokers = {"broker-a": BrokerData("C", "broker-a", {0: "127.0.0.1:1"})}
    info = ClusterInfo(broker_addr_table=brokers, cluster_addr_table={"C": ("broker-a",)})
    scripted.scripts[RequestCode.GET_BROKER_CLUSTER_INFO] = lambda request: request.answer(
        0, body=info.encode()
    )
    async with scripted.connect() as client:
        [problem] = await client.admin.problems()
    assert (problem.kind, problem.subject) == ("unreachable", "broker-a 0 at 127.0.0.1:1")
