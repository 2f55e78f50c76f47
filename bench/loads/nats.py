"""Load by nats-py on NATS JetStream.

python -m bench.loads.nats < job
"""

from __future__ import annotations

import asyncio
import struct
from importlib.metadata import version
from time import perf_counter, perf_counter_ns
from typing import TYPE_CHECKING, Any

import nats
from bench.loads import handshake
from nats.js.api import ConsumerConfig, DeliverPolicy

if TYPE_CHECKING:
    from bench.loads.handshake import Job

VERSION = f"nats-py {version('nats-py')}"
FETCH = 1000
"""Messages asked for at a time: more make nats-py no faster."""
MAX_ACK_PENDING = 10_000
PREPARE_OUTSTANDING = 4000


async def prepare(stream: Any, job: Job) -> None:
    """The stream, and the backlog if there is to be one."""
    await stream.add_stream(name=job.topic, subjects=[job.topic])
    await _publish(stream, job, count=job.count)
    handshake.ready(VERSION)
    handshake.done(job.count, 0)


async def send(stream: Any, job: Job) -> None:
    """One publish after the other, or as many under way as there are to be."""
    await _send_for(job.warm_up, stream, job)
    handshake.ready(VERSION)
    start = perf_counter()
    latencies = await _send_for(job.seconds, stream, job)
    handshake.done(len(latencies), perf_counter() - start, latencies)


async def _send_for(seconds: float, stream: Any, job: Job) -> list[int]:
    latencies: list[int] = []
    end = perf_counter_ns() + int(seconds * 1e9)
    body = job.body

    if job.outstanding == 1:
        while (begun := perf_counter_ns()) < end:
            await stream.publish(job.topic, body)
            latencies.append(perf_counter_ns() - begun)
        return latencies
    while (begun := perf_counter_ns()) < end:
        answer = await stream.publish_async(job.topic, body)
        answer.add_done_callback(lambda _, begun=begun: latencies.append(perf_counter_ns() - begun))
    await stream.publish_async_completed()
    return latencies


async def bulk(stream: Any, job: Job) -> None:
    """As many as there are, so many under way."""
    await _publish(stream, job, count=job.count // 10)
    handshake.ready(VERSION)
    start = perf_counter()
    await _publish(stream, job, count=job.count)
    handshake.done(job.count, perf_counter() - start)


async def _publish(stream: Any, job: Job, *, count: int) -> None:
    body = job.body
    for _ in range(count):
        await stream.publish_async(job.topic, body)
    if count:
        await stream.publish_async_completed()


async def drain(stream: Any, job: Job) -> None:
    """The whole backlog by a durable pull consumer, each message acknowledged."""
    config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, max_ack_pending=MAX_ACK_PENDING)
    consumer = await stream.pull_subscribe(job.topic, durable=job.group, config=config)
    handshake.ready(VERSION)
    seen, first = 0, 0.0
    while seen < job.count:
        for message in await consumer.fetch(FETCH, timeout=10):
            if not seen:
                first = perf_counter()
            await message.ack()
            seen += 1
    handshake.done(seen, perf_counter() - first)


async def paced(stream: Any, job: Job) -> None:
    """From before the publish to the hands of a push subscriber, at a steady rate."""
    latencies: list[int] = []
    warm, total = int(job.warm_up * job.rate), int((job.warm_up + job.seconds) * job.rate)
    received = asyncio.Condition()

    async def take(message: Any) -> None:
        latencies.append(perf_counter_ns() - struct.unpack_from(">q", message.data)[0])
        await message.ack()
        if len(latencies) in {warm, total}:
            async with received:
                received.notify_all()

    async def send_stamped() -> None:
        stamp = struct.pack(">q", perf_counter_ns())
        await stream.publish(job.topic, stamp + job.body[len(stamp) :])

    async def send_paced(count: int, upto: int) -> None:
        start = perf_counter()
        sends = []
        for number in range(count):
            await asyncio.sleep(start + number / job.rate - perf_counter())
            sends.append(asyncio.create_task(send_stamped()))
        await asyncio.gather(*sends)
        async with received:
            await received.wait_for(lambda: len(latencies) >= upto)

    config = ConsumerConfig(deliver_policy=DeliverPolicy.NEW)
    await stream.subscribe(job.topic, cb=take, config=config, manual_ack=True)
    await send_paced(warm, warm)
    handshake.ready(VERSION)
    start = perf_counter()
    await send_paced(total - warm, total)
    handshake.done(total - warm, perf_counter() - start, latencies[warm:])


async def main() -> None:
    """Do the job."""
    job = handshake.receive()
    kinds = {"prepare": prepare, "send": send, "bulk": bulk, "drain": drain, "paced": paced}
    connection = await nats.connect(f"nats://{job.address}")
    under_way = max(job.outstanding, PREPARE_OUTSTANDING if job.kind == "prepare" else 1)
    await kinds[job.kind](connection.jetstream(timeout=30, publish_async_max_pending=under_way), job)
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
