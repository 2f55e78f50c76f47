"""A cluster in this process over real sockets and files, and that nothing of it stays."""

from __future__ import annotations

import gc
import tempfile
import threading
from pathlib import Path

import pytest
import trio

import rocketmq_lite as rmq


def footprint() -> dict[str, object]:
    """What this process holds that a cluster could leave behind.

    Trio keeps idle worker threads for a while, whoever used them; they are not counted.
    """
    gc.collect()
    idle = sum(thread.name.startswith("Trio thread") for thread in threading.enumerate())
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "threads": len(list(Path("/proc/self/task").iterdir())) - idle,
        "tasks": trio.lowlevel.current_statistics().tasks_living,
        "files": sorted(path.name for path in Path(tempfile.gettempdir()).glob("rocketmq-lite-*")),
    }


async def use(cluster: rmq.Cluster) -> None:
    await cluster.create_topic("orders", queues=4)
    async with rmq.connect(cluster.namesrv) as client:
        producer = client.producer("order-service")
        for number in range(10):
            await producer.send("orders", b"%d" % number)
        async with client.consumer("billing", "orders", start="earliest") as messages:
            bodies = set()
            async for message in messages:
                async with message:
                    bodies.add(int(message.body))
                if len(bodies) == 10:
                    break


@pytest.mark.slow
async def test_nothing_is_left_behind():
    before = footprint()
    async with rmq.embedded(masters=2) as cluster:
        directory = cluster.data
        assert directory.is_dir()
        await use(cluster)
    assert footprint() == before
    assert not directory.exists()


@pytest.mark.slow
async def test_nothing_is_left_behind_by_a_cancellation():
    before = footprint()
    with trio.move_on_after(0.5) as scope:
        async with rmq.embedded() as cluster:
            await use(cluster)
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert footprint() == before


async def test_an_error_of_the_block_leaves_it_as_it_is():
    mine = ExceptionGroup("mine", [ValueError("a")])
    with pytest.raises(ExceptionGroup) as caught:
        async with rmq.embedded() as cluster, rmq.connect(cluster.namesrv):
            raise mine
    assert caught.value is mine
    with pytest.raises(rmq.TopicNotFound):
        async with rmq.embedded() as cluster, rmq.connect(cluster.namesrv) as client:
            await client.admin.route("nowhere")


async def test_several_masters_share_a_topic():
    async with rmq.embedded(masters=2, flush="sync") as cluster:
        await cluster.create_topic("orders", queues=2)
        assert sorted(cluster.brokers) == ["broker-a", "broker-b"]
        async with rmq.connect(cluster.namesrv) as client:
            producer = client.producer("order-service")
            receipts = [await producer.send("orders", b"x") for _ in range(4)]
    assert {(r.queue.broker_name, r.queue.queue_id) for r in receipts} == {
        ("broker-a", 0),
        ("broker-a", 1),
        ("broker-b", 0),
        ("broker-b", 1),
    }


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"masters": 0}, "0 masters"),
        ({"masters": 27}, "27 masters"),
        ({"slaves": 1}, "slaves"),
        ({"flush": "maybe"}, "flush"),
    ],
)
async def test_arguments_that_are_not_possible(arguments, complaint):
    with pytest.raises(rmq.ConfigError, match=complaint):
        async with rmq.embedded(**arguments):
            pass
