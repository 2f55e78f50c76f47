"""Our client on Apache's broker when that is killed and started again under load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
from tests.interop import apache

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.judge import Judge
    from tests.interop.maven import Java

pytestmark = pytest.mark.usefixtures("python_headers")

SECONDS = 200
# Acknowledged sends before the broker is killed, and again after it is back.
SENDS = 50


class Traffic:
    """A producer and a consumer on one topic: what was acknowledged, and what came out."""

    def __init__(self, client: rmq.Client, topic: str) -> None:
        self._client = client
        self._topic = topic
        self._progress = trio.Condition()
        self.acknowledged: set[bytes] = set()
        self.refused = 0
        self.received: set[bytes] = set()

    async def send(self) -> None:
        """Send until cancelled."""
        producer = self._client.producer(f"{self._topic}-producer")
        number = 0
        while True:
            number += 1
            body = b"%d" % number
            try:
                await producer.send(self._topic, body)
            except rmq.RocketMQError:
                self.refused += 1
                # Nobody is there; when somebody is again has no event.
                await trio.sleep(0.1)
            else:
                self.acknowledged.add(body)
            await self._changed()

    async def consume(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Receive until cancelled; started once it is in the group."""
        async with self._client.consumer(f"{self._topic}-group", self._topic, start="earliest") as messages:
            task_status.started()
            async for message in messages:
                async with message:
                    self.received.add(message.body)
                await self._changed()

    async def sends_acknowledged(self, count: int) -> None:
        """Wait until so many sends more are acknowledged."""
        wanted = len(self.acknowledged) + count
        async with self._progress:
            while len(self.acknowledged) < wanted:
                await self._progress.wait()

    async def all_received(self) -> None:
        """Wait until what is acknowledged has come out."""
        async with self._progress:
            while not self.acknowledged <= self.received:
                await self._progress.wait()

    async def _changed(self) -> None:
        async with self._progress:
            self._progress.notify_all()


async def test_nothing_acknowledged_is_lost_when_apaches_broker_restarts(
    java: Java, json_judge: Judge, name: str, tmp_path: Path
) -> None:
    with apache.restartable(java, tmp_path) as (cluster, restart):
        json_judge.create_topic(cluster.namesrv, cluster.name, name)
        with trio.fail_after(SECONDS):
            async with rmq.connect(cluster.namesrv) as client, trio.open_nursery() as consuming:
                traffic = Traffic(client, name)
                await consuming.start(traffic.consume)
                async with trio.open_nursery() as sending:
                    sending.start_soon(traffic.send)
                    await traffic.sends_acknowledged(SENDS)
                    await trio.to_thread.run_sync(restart)
                    await traffic.sends_acknowledged(SENDS)
                    sending.cancel_scope.cancel()
                await traffic.all_received()
                consuming.cancel_scope.cancel()

    assert traffic.refused > 0
