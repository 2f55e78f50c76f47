"""A Ctrl-C at any line of the package, servers included, ends the program by KeyboardInterrupt, and nothing hangs.

What hangs is ended by the test's time limit.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from tests.integration.client.conftest import MemoryCluster
from tests.integration.client.taking import take
from tests.support.ctrl_c import pressed

import rocketmq_lite as rmq
from rocketmq_lite.transport.nursery import background_nursery

if TYPE_CHECKING:
    from rocketmq_lite.client.client import Client

LINES = 30_000
"""A Ctrl-C comes within so many lines; the program has half as many more."""


async def use_everything(client: Client) -> None:
    await client.admin.create_topic("orders", queues=2)
    producer = client.producer("shop")
    await producer.send("orders", b"a")
    await producer.send_many("orders", [b"b", b"c"])
    async with client.consumer("billing", "orders", start="earliest") as messages:
        async with await anext(messages):
            raise ValueError("it is sent back")
        await take(messages, 2)
    async with client.consumer("stock", "orders", start="earliest", ordered=True) as messages:
        await take(messages, 3)
    async with client.puller("audit", "orders", start="earliest") as puller:
        await puller.poll()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_at_any_line(seed: int) -> None:
    async def program() -> None:
        async with background_nursery() as servers:
            cluster = MemoryCluster(servers)
            await cluster.start_name_server()
            await cluster.start_broker()
            async with cluster.connect() as client:
                await use_everything(client)

    with pressed(random.Random(seed).randrange(LINES) + 1) as press, pytest.raises(KeyboardInterrupt):
        trio.run(program, clock=trio.testing.MockClock(autojump_threshold=0))
    assert press.place


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("where", "lines"), [("broker", 6_000), ("nameserver", 600), ("transport/server.py", 300)]
)
def test_in_the_servers_of_an_embedded_cluster(
    where: str, lines: int, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def program() -> None:
        async with rmq.embedded() as cluster, rmq.connect(cluster.namesrv) as client:
            await use_everything(client)

    with pressed(random.Random(seed).randrange(lines) + 1, where) as press, pytest.raises(KeyboardInterrupt):
        trio.run(program)
    assert press.place
    assert not [record for record in caplog.records if record.name.startswith("rocketmq_lite.broker")]
