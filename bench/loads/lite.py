"""Load by our own Python client, on our broker or on Apache's.

python -m bench.loads.lite < job
"""

from __future__ import annotations

import ssl
import struct
from functools import partial
from time import perf_counter, perf_counter_ns
from typing import TYPE_CHECKING

import trio
from bench.loads import handshake
from bench.loads.handshake import KEPT_ONE_IN, KEPT_TAG, OTHER_TAG, Job

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rocketmq_lite.client.client import Client
    from rocketmq_lite.client.producer import Producer

GROUP = "bench-producer"
PIECE = 50_000
"""Messages of a backlog sent by one call: its receipts are kept until it returns."""


async def prepare(client: Client, job: Job) -> None:
    """The topic, and the backlog if there is to be one."""
    await client.admin.create_topic(job.topic, queues=job.queues)
    producer = client.producer(GROUP)
    body = job.body
    for start in range(0, job.count, PIECE):
        numbers = range(start, min(start + PIECE, job.count))
        await producer.send_many(job.topic, (_message(body, number) for number in numbers))
    handshake.ready(rmq.__version__)
    handshake.done(job.count, 0)


def _message(body: bytes, number: int) -> rmq.Message:
    remainder = number % KEPT_ONE_IN
    tag = KEPT_TAG if remainder == 0 else OTHER_TAG
    return rmq.Message(body=body, tag=tag, properties={"n": str(remainder)})


async def send(client: Client, job: Job) -> None:
    """So many tasks, each with one send under way."""
    producer = client.producer(GROUP)
    await _send_for(job.warm_up, producer, job)
    handshake.ready(rmq.__version__)
    start = perf_counter()
    latencies = await _send_for(job.seconds, producer, job)
    handshake.done(len(latencies), perf_counter() - start, latencies)


async def _send_for(seconds: float, producer: Producer, job: Job) -> list[int]:
    latencies: list[int] = []
    end = perf_counter_ns() + int(seconds * 1e9)
    send_one = partial(producer.send, job.topic, job.body)
    async with trio.open_nursery() as nursery:
        for _ in range(job.outstanding):
            nursery.start_soon(handshake.one_after_the_other, send_one, end, latencies)
    return latencies


async def bulk(client: Client, job: Job) -> None:
    """One call of send_many."""
    producer = client.producer(GROUP)
    await producer.send_many(job.topic, _same(job, job.count // 10))
    handshake.ready(rmq.__version__)
    start = perf_counter()
    await producer.send_many(job.topic, _same(job, job.count))
    handshake.done(job.count, perf_counter() - start)


def _same(job: Job, count: int) -> Iterator[bytes]:
    body = job.body
    return (body for _ in range(count))


async def drain(client: Client, job: Job) -> None:
    """The whole backlog by iteration, each message acknowledged."""
    wanted: rmq.Tags | rmq.Where = rmq.Tags(KEPT_TAG if job.keep == "tag" else "*")
    if job.keep == "sql":
        wanted = rmq.Where("n = 0")
    handshake.ready(rmq.__version__)
    seen, first = 0, 0.0
    async with client.consumer(job.group, {job.topic: wanted}, start="earliest") as messages:
        async for message in messages:
            if not seen:
                first = perf_counter()
            async with message:
                seen += 1
            if seen == job.wanted:
                break
        seconds = perf_counter() - first
    handshake.done(seen, seconds)


async def paced(client: Client, job: Job) -> None:
    """From before the send to the hands of a consumer, at a steady rate."""
    producer = client.producer(GROUP)
    latencies: list[int] = []
    warm, total = int(job.warm_up * job.rate), int((job.warm_up + job.seconds) * job.rate)
    start = 0.0

    async def send_paced(count: int) -> None:
        start = trio.current_time()
        for number in range(count):
            await trio.sleep_until(start + number / job.rate)
            nursery.start_soon(send_stamped)

    async def send_stamped() -> None:
        stamp = struct.pack(">q", perf_counter_ns())
        await producer.send(job.topic, stamp + job.body[len(stamp) :])

    async with (
        client.consumer(job.group, job.topic, start="latest") as messages,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(send_paced, warm)
        async for message in messages:
            async with message:
                latencies.append(perf_counter_ns() - struct.unpack_from(">q", message.body)[0])
            if len(latencies) == warm:
                handshake.ready(rmq.__version__)
                start = perf_counter()
                nursery.start_soon(send_paced, total - warm)
            if len(latencies) == total:
                break
    handshake.done(total - warm, perf_counter() - start, latencies[warm:])


async def embedded(job: Job) -> None:
    """Name server and broker inside this process: how long until the block is entered."""
    async with rmq.embedded():
        pass  # imports what there is to import
    handshake.ready(rmq.__version__)
    taken: list[int] = []
    for _ in range(job.count):
        begun = perf_counter_ns()
        async with rmq.embedded():
            taken.append(perf_counter_ns() - begun)
    handshake.done(job.count, sum(taken) / 1e9, taken)


async def main() -> None:
    """Do the job."""
    job = handshake.receive()
    if job.kind == "embedded":
        await embedded(job)
        return
    kinds = {"prepare": prepare, "send": send, "bulk": bulk, "drain": drain, "paced": paced}
    tls = ssl.create_default_context(cafile=job.trust) if job.trust else False
    async with rmq.connect(job.address, tls=tls) as client:
        await kinds[job.kind](client, job)


if __name__ == "__main__":
    trio.run(main)
