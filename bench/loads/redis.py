"""Load by redis-py on Redis Streams: one connection for each message under way.

python -m bench.loads.redis < job
"""

from __future__ import annotations

import struct
import threading
import time
from time import perf_counter, perf_counter_ns
from typing import TYPE_CHECKING, Any

import redis
from bench.loads import handshake

if TYPE_CHECKING:
    from bench.loads.handshake import Job

VERSION = f"redis-py {redis.__version__}"


def prepare(job: Job) -> None:
    """Streams need nothing."""
    handshake.ready(VERSION)
    handshake.done(job.count, 0)


def send(job: Job) -> None:
    """So many threads, each with a connection and one XADD under way."""
    clients = [_connect(job) for _ in range(job.outstanding)]
    _send_for(job.warm_up, clients, job)
    handshake.ready(VERSION)
    start = perf_counter()
    latencies = _send_for(job.seconds, clients, job)
    handshake.done(len(latencies), perf_counter() - start, latencies)


def _send_for(seconds: float, clients: list[Any], job: Job) -> list[int]:
    latencies: list[int] = []
    end = perf_counter_ns() + int(seconds * 1e9)
    fields = {"body": job.body}

    def one_after_the_other(client: Any) -> None:
        begun = perf_counter_ns()
        while begun < end:
            client.xadd(job.topic, fields)
            answered = perf_counter_ns()
            latencies.append(answered - begun)
            begun = answered

    _together([threading.Thread(target=one_after_the_other, args=(client,)) for client in clients])
    return latencies


def paced(job: Job) -> None:
    """From before the XADD to the hands of a reader of a group, at a steady rate."""
    sender, reader = _connect(job), _connect(job)
    reader.xgroup_create(job.topic, job.group, id="$", mkstream=True)
    warm, total = int(job.warm_up * job.rate), int((job.warm_up + job.seconds) * job.rate)
    _pace(sender, reader, job, warm)
    handshake.ready(VERSION)
    start = perf_counter()
    latencies = _pace(sender, reader, job, total - warm)
    handshake.done(total - warm, perf_counter() - start, latencies)


def _pace(sender: Any, reader: Any, job: Job, count: int) -> list[int]:
    latencies: list[int] = []

    def send_all() -> None:
        start = perf_counter()
        for number in range(count):
            time.sleep(max(0.0, start + number / job.rate - perf_counter()))
            stamp = struct.pack(">q", perf_counter_ns())
            sender.xadd(job.topic, {"body": stamp + job.body[len(stamp) :]})

    def read_all() -> None:
        while len(latencies) < count:
            for _, messages in reader.xreadgroup(job.group, "one", {job.topic: ">"}, count=64, block=1000):
                now = perf_counter_ns()
                latencies.extend(now - struct.unpack_from(">q", each[b"body"])[0] for _, each in messages)
                reader.xack(job.topic, job.group, *(number for number, _ in messages))

    _together([threading.Thread(target=read_all), threading.Thread(target=send_all)])
    return latencies


def _together(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _connect(job: Job) -> Any:
    host, _, port = job.address.rpartition(":")
    return redis.Redis(host=host, port=int(port))


if __name__ == "__main__":
    given = handshake.receive()
    {"prepare": prepare, "send": send, "paced": paced}[given.kind](given)
