"""Producers and a consumer that run while a test breaks things, and the account of what they saw."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import Callable

    from rocketmq_lite.client.client import Client
    from rocketmq_lite.model import MessageQueue

_PAUSE = 0.005
"""Seconds between two sends of one task: enough load to meet every failure, and time left for the servers."""


class Load:
    """Numbered messages to one topic, and what became of each.

    Attributes:
        acknowledged: The queue of each body whose send was answered.
        consumed: How often each body was consumed.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.acknowledged: dict[bytes, MessageQueue] = {}
        self.consumed: Counter[bytes] = Counter()
        self._progress = trio.lowlevel.ParkingLot()
        self._sending = trio.CancelScope()
        self._stopped = False

    async def produce(self, client: Client, tasks: int = 4) -> None:
        """Send until :meth:`stop`; a send that fails ends the test."""
        producer = client.producer("load")

        async def send_all(name: int) -> None:
            number = 0
            while not self._stopped:
                body = f"{name}-{number}".encode()
                self.acknowledged[body] = (await producer.send(self.topic, body)).queue
                self._progress.unpark_all()
                number += 1
                await trio.sleep(_PAUSE)

        async with trio.open_nursery() as nursery:
            for name in range(tasks):
                nursery.start_soon(send_all, name)

    async def consume(
        self, client: Client, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Consume as a member of a group, until cancelled."""
        async with client.consumer("load", self.topic, start="earliest") as messages:
            task_status.started()
            async for message in messages:
                async with message:
                    self.consumed[message.body] += 1
                    self._progress.unpark_all()

    def stop(self) -> None:
        """Send no more; what is under way is finished."""
        self._stopped = True

    async def until(self, reached: Callable[[], bool], *, within: float = 60) -> None:
        """Wait for something to be true of the account."""
        with trio.fail_after(within):
            while not reached():
                await self._progress.park()

    async def goes_on(self, messages: int = 200) -> None:
        """So many more messages are acknowledged, and so many more consumed."""
        acknowledged, consumed = len(self.acknowledged), self.consumed.total()
        await self.until(
            lambda: (
                len(self.acknowledged) >= acknowledged + messages
                and self.consumed.total() >= consumed + messages
            )
        )

    async def everything_is_consumed(self) -> None:
        """Each acknowledged message was consumed, at least once; after :meth:`stop`."""
        await self.until(lambda: self.acknowledged.keys() <= self.consumed.keys())
