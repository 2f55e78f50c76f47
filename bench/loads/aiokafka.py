"""Load by aiokafka on Kafka. Topics are made by the other client.

python -m bench.loads.aiokafka < job
"""

from __future__ import annotations

import asyncio
from functools import partial
from importlib.metadata import version
from time import perf_counter, perf_counter_ns
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from bench.loads import handshake

if TYPE_CHECKING:
    from bench.loads.handshake import Job

VERSION = f"aiokafka {version('aiokafka')}"


async def send(job: Job) -> None:
    """So many tasks, each with one send under way."""
    async with AIOKafkaProducer(bootstrap_servers=job.address, acks="all") as producer:
        await _send_for(job.warm_up, producer, job)
        handshake.ready(VERSION)
        start = perf_counter()
        latencies = await _send_for(job.seconds, producer, job)
        handshake.done(len(latencies), perf_counter() - start, latencies)


async def _send_for(seconds: float, producer: Any, job: Job) -> list[int]:
    latencies: list[int] = []
    end = perf_counter_ns() + int(seconds * 1e9)
    send_one = partial(producer.send_and_wait, job.topic, job.body)
    sends = (handshake.one_after_the_other(send_one, end, latencies) for _ in range(job.outstanding))
    await asyncio.gather(*sends)
    return latencies


async def drain(job: Job) -> None:
    """The whole backlog by iteration, committed as the client does by itself."""
    handshake.ready(VERSION)
    seen, first = 0, 0.0
    consumer = AIOKafkaConsumer(
        job.topic, bootstrap_servers=job.address, group_id=job.group, auto_offset_reset="earliest"
    )
    async with consumer:
        async for _ in consumer:
            if not seen:
                first = perf_counter()
            seen += 1
            if seen == job.count:
                break
        seconds = perf_counter() - first
    handshake.done(seen, seconds)


if __name__ == "__main__":
    given = handshake.receive()
    asyncio.run({"send": send, "drain": drain}[given.kind](given))
