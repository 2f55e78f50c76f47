"""Servers that are killed under load: nothing that was acknowledged is lost, and the work goes on.

The outages are short here; `make soak` gives them their full length.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
import trio
from tests.support.load import Load
from tests.support.processes import Server, broker, name_server

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

OUTAGE = float(os.environ.get("OUTAGE_SECONDS", "3"))


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    """Where the servers of a test live; all of them end with it."""
    with ExitStack() as stack:
        yield stack


def start_brokers(servers: ExitStack, directory: Path, names: str, namesrv: str) -> dict[str, Server]:
    return {
        f"broker-{name}": servers.enter_context(broker(directory / name, f"broker-{name}", namesrv))
        for name in names
    }


def port_of(server: Server, key: str) -> int:
    return int(server.ready[key].rpartition(":")[2])


async def brokers_are_known(client: rmq.Client, topic: str, count: int) -> None:
    """Wait until so many brokers have told the name servers of a topic."""
    with trio.fail_after(30):
        while True:
            with suppress(rmq.TopicNotFound):
                if len((await client.admin.route(topic)).broker_datas) == count:
                    return
            await trio.sleep(0.1)


@asynccontextmanager
async def loaded(namesrv: str) -> AsyncIterator[tuple[Load, rmq.Client]]:
    """Load on a topic with two queues a broker; in the end all that was acknowledged has been consumed."""
    load = Load("orders")
    async with rmq.connect(namesrv) as client, rmq.connect(namesrv) as consuming:
        await client.admin.create_topic("orders", queues=2)
        async with trio.open_nursery() as nursery:
            await nursery.start(load.consume, consuming)
            async with trio.open_nursery() as producing:
                producing.start_soon(load.produce, client)
                await load.goes_on()
                yield load, client
                load.stop()
            await load.everything_is_consumed()
            nursery.cancel_scope.cancel()


async def test_name_servers_are_killed_one_and_then_all(servers: ExitStack, tmp_path: Path) -> None:
    first, second = (servers.enter_context(name_server(tmp_path / f"names-{n}")) for n in "12")
    ports = [port_of(each, "namesrv") for each in (first, second)]
    both = ";".join(each.ready["namesrv"] for each in (first, second))
    start_brokers(servers, tmp_path, "ab", both)
    async with loaded(both) as (load, client):
        first.kill()
        await load.goes_on()
        assert "orders" in await client.admin.topics()  # the other one is asked
        first = servers.enter_context(name_server(tmp_path / "names-1", port=ports[0]))
        await load.goes_on()
        for each in (first, second):
            each.kill()
        await trio.sleep(OUTAGE)
        await load.goes_on()
        with pytest.raises(rmq.NoNameServer):
            await client.admin.topics()
        for name, port in zip("12", ports, strict=True):
            servers.enter_context(name_server(tmp_path / f"names-{name}", port=port))
        await brokers_are_known(client, "orders", 2)
        await client.admin.create_topic("afterwards", queues=1)
        await client.producer("load").send("afterwards", b"x")


async def test_a_broker_is_killed_out_of_three(servers: ExitStack, tmp_path: Path) -> None:
    names = servers.enter_context(name_server(tmp_path / "names"))
    namesrv = names.ready["namesrv"]
    brokers = start_brokers(servers, tmp_path, "abc", namesrv)
    async with loaded(namesrv) as (load, _client):
        victim = brokers["broker-b"]
        victim.kill()
        await load.goes_on()
        await trio.sleep(OUTAGE)
        before = set(load.acknowledged)
        again = broker(tmp_path / "b", "broker-b", namesrv, port=port_of(victim, "broker"))
        servers.enter_context(again)
        await load.until(
            lambda: any(
                queue.broker_name == "broker-b" and body in load.consumed
                for body, queue in load.acknowledged.items()
                if body not in before
            )
        )
