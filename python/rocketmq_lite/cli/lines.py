"""One message a line: read, send, count, show how far it is.

Lines keep their order within each queue: each queue has one sender of its own (an order key that leads to that queue), so
two lines of one queue never race. With `--order-key` all lines go to one queue, one after the other.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import trio

from rocketmq_lite.errors import TopicNotFound
from rocketmq_lite.protocol.framing import java_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from rocketmq_lite.client.client import Client
    from rocketmq_lite.client.producer import Producer
    from rocketmq_lite.model import SendReceipt

MAX_SENDERS = 64
"""Sends under way at a time; more only wait for the broker and each other."""


@dataclass(frozen=True, slots=True)
class Template:
    """Everything of a message but its body."""

    topic: str
    tag: str | None = None
    keys: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    order_key: str | None = None

    async def send(self, producer: Producer, body: bytes, *, order_key: str | None = None) -> SendReceipt:
        """Send it with this body."""
        return await producer.send(
            self.topic,
            body,
            tag=self.tag,
            keys=list(self.keys),
            properties=self.properties,
            order_key=self.order_key or order_key,
        )


@dataclass(slots=True)
class Summary:
    """How many lines were sent, and how many were empty."""

    sent: int = 0
    empty: int = 0


async def send_lines(client: Client, producer: Producer, message: Template, file: Path | None) -> Summary:
    """Send every line that is not empty, without its line end.

    Raises:
        RocketMQError: A line could not be sent; those before it in its queue were.
    """
    summary = Summary()
    keys = ["lines"] if message.order_key else await _keys(client, message.topic)
    senders = len(keys)
    with _opened(file) as source, _progress(file) as advance:
        async with trio.open_nursery() as nursery:
            queues: list[trio.MemorySendChannel[bytes]] = []
            for key in keys:
                line_in, line_out = trio.open_memory_channel[bytes](64)
                queues.append(line_in)
                nursery.start_soon(_send_all, producer, message, key, line_out, summary)
            turn = 0
            for line in source:
                advance(len(line))
                body = line.removesuffix(b"\n").removesuffix(b"\r")
                if not body:
                    summary.empty += 1
                    continue
                await queues[turn % senders].send(body)
                turn += 1
            for queue in queues:
                queue.close()
    return summary


async def _keys(client: Client, topic: str) -> list[str]:
    """One order key for each queue; one in all while the topic is still to be created by the first send."""
    try:
        route = await client.admin.route(topic)
    except TopicNotFound:
        return ["lines"]
    queues = min(MAX_SENDERS, sum(each.write_queue_nums for each in route.queue_datas))
    found: dict[int, str] = {}
    number = 0
    while len(found) < queues:
        key = str(number)
        found.setdefault(abs(java_hash(key)) % queues, key)
        number += 1
    return list(found.values()) or ["lines"]


async def _send_all(
    producer: Producer,
    message: Template,
    order_key: str,
    lines: trio.MemoryReceiveChannel[bytes],
    summary: Summary,
) -> None:
    async for body in lines:
        await message.send(producer, body, order_key=order_key)
        summary.sent += 1


@contextmanager
def _opened(file: Path | None) -> Iterator[BinaryIO]:
    if file is None:
        yield sys.stdin.buffer
        return
    with file.open("rb") as source:
        yield source


@contextmanager
def _progress(file: Path | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error when that is a terminal; how long it is takes a file of known size."""
    if not sys.stderr.isatty():
        yield lambda _size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("send", total=file.stat().st_size if file else None)
        yield lambda size: progress.advance(task, size)
