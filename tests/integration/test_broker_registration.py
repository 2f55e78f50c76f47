"""A broker and its name servers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import trio

from rocketmq_lite.protocol.bodies import TopicRouteData
from rocketmq_lite.protocol.codes import RequestCode

if TYPE_CHECKING:
    from tests.integration.peer import Peer
    from tests.integration.world import World
    from trio.testing import MockClock


async def route(names: Peer, topic: str) -> TopicRouteData | None:
    answer = await names.call(RequestCode.GET_ROUTEINFO_BY_TOPIC, topic=topic)
    return TopicRouteData.decode(answer.body) if answer.code == 0 else None


async def test_a_started_broker_is_in_the_routes_and_a_stopped_one_is_not(
    world: World, time: MockClock | None
) -> None:
    async with world.name_server() as address, world.peer(address) as names:
        async with world.broker(namesrv=(address,)) as broker:
            found = await route(names, "TBW102")
            assert found is not None
            assert found.broker_datas[0].broker_addrs == {0: broker}
            assert (found.queue_datas[0].write_queue_nums, found.queue_datas[0].perm) == (8, 7)
        assert await route(names, "TBW102") is None


async def test_new_topics_are_known_when_their_creation_is_answered(
    world: World, time: MockClock | None
) -> None:
    async with (
        world.name_server() as address,
        world.peer(address) as names,
        world.broker(namesrv=(address,)) as broker,
        world.peer(broker) as peer,
    ):
        for queues in (3, 5):
            await peer.create_topic("made", queues=queues)
            found = await route(names, "made")
            assert found is not None
            assert found.queue_datas[0].read_queue_nums == queues
        await peer.send("by-use")
        assert await route(names, "by-use") is not None


async def test_every_name_server_is_told_and_one_that_is_missing_holds_up_nobody(
    world: World, time: MockClock | None
) -> None:
    async with world.name_server() as first, world.name_server() as second:
        servers = (first, "127.0.0.1:1", second)
        async with world.broker(namesrv=servers) as broker, world.peer(broker) as peer:
            await peer.create_topic("orders")
            for address in (first, second):
                async with world.peer(address) as names:
                    with trio.fail_after(10):
                        while await route(names, "orders") is None:  # noqa: ASYNC110 - it tells nobody
                            await trio.sleep(0.01)


async def test_a_name_server_that_comes_late_gets_everything(world: World, time: MockClock | None) -> None:
    async with world.name_server() as address:
        port = int(address.rpartition(":")[2])
    serving = trio.Event()

    async def serve_broker(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        async with world.broker(namesrv=(address,)):
            serving.set()
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        await nursery.start(serve_broker)
        await trio.sleep(0.5)
        assert not serving.is_set()
        async with world.name_server(port) as again, world.peer(again) as names:
            with trio.fail_after(30):
                await serving.wait()
            assert await route(names, "SELF_TEST_TOPIC") is not None
        nursery.cancel_scope.cancel()


async def known_after(names: Peer, topic: str) -> float:
    """Seconds until a name server has a topic's route."""
    began = trio.current_time()
    with trio.fail_after(60):
        while await route(names, topic) is None:  # noqa: ASYNC110 - it tells nobody
            await trio.sleep(0.1)
    return trio.current_time() - began


async def test_a_broken_connection_to_a_name_server_is_replaced_at_once(
    pump_world: World, autojump_clock: MockClock
) -> None:
    async with pump_world.name_server() as address, pump_world.broker(namesrv=(address,)):
        await trio.sleep(5)
        await pump_world.network.cut(address)  # type: ignore[attr-defined]
        async with pump_world.peer(address) as names:
            assert await known_after(names, "TBW102") <= 0.1


async def test_a_broker_that_waits_for_its_name_server_can_be_stopped(
    world: World, time: MockClock | None
) -> None:
    with trio.move_on_after(0.5) as waiting:
        async with world.broker(namesrv=("127.0.0.1:1",)):
            raise AssertionError("nobody knows it")
    assert waiting.cancelled_caught


async def test_a_hanging_name_server_delays_no_message(world: World, time: MockClock | None) -> None:
    async with world.name_server() as good:
        hanging = await world.network.listen("127.0.0.1", 0)
        async with (
            hanging,
            world.broker(namesrv=(good, hanging.address)) as broker,
            world.peer(broker) as admin,
            world.peer(broker) as peer,
        ):
            await peer.create_topic("orders")
            slow = await admin.post(
                RequestCode.UPDATE_AND_CREATE_TOPIC, topic="more", defaultTopic="TBW102", readQueueNums=1,
                writeQueueNums=1, perm=6, topicFilterType="SINGLE_TAG", order=False,
            )  # fmt: skip
            began = trio.current_time()
            for _ in range(20):
                assert (await peer.send("orders")).code == 0
            assert trio.current_time() - began < 2
            assert (await admin.answer(slow)).code == 0


async def test_topics_with_an_order_configuration_are_marked_so(
    pump_world: World, autojump_clock: MockClock
) -> None:
    async with (
        pump_world.name_server() as address,
        pump_world.peer(address) as names,
        pump_world.broker(namesrv=(address,)) as broker,
        pump_world.peer(broker) as peer,
    ):
        await peer.create_topic("orders")
        await peer.create_topic("others")
        for topic in ("orders", "not there"):
            await names.call(
                RequestCode.PUT_KV_CONFIG, namespace="ORDER_TOPIC_CONFIG", key=topic, value="broker-a:4"
            )
        await trio.sleep(31)
        marks = {}
        for topic in ("orders", "others"):
            answer = await peer.call(RequestCode.GET_TOPIC_CONFIG, topic=topic)
            marks[topic] = json.loads(answer.body)["order"]
        assert marks == {"orders": True, "others": False}
        await names.call(RequestCode.DELETE_KV_CONFIG, namespace="ORDER_TOPIC_CONFIG", key="orders")
        await trio.sleep(31)
        answer = await peer.call(RequestCode.GET_TOPIC_CONFIG, topic="orders")
        assert json.loads(answer.body)["order"] is True
