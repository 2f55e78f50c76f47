"""Load by confluent-kafka (librdkafka) on Kafka.

python -m bench.loads.confluent < job
"""

from __future__ import annotations

import struct
import threading
import time
from time import perf_counter, perf_counter_ns
from typing import TYPE_CHECKING, Any

from bench.loads import handshake
from confluent_kafka import Consumer, KafkaException, Producer, libversion
from confluent_kafka import __version__ as client_version
from confluent_kafka.admin import AdminClient, NewTopic

if TYPE_CHECKING:
    from bench.loads.handshake import Job

VERSION = f"confluent-kafka {client_version}, librdkafka {libversion()[0]}"
LINGER_FOR_BULK_MS = 5
"""What makes librdkafka fast in bulk; single sends do not linger."""
BATCH = 500


def prepare(job: Job) -> None:
    """The topic, and the backlog if there is to be one."""
    admin = AdminClient({"bootstrap.servers": job.address})
    for future in admin.create_topics([NewTopic(job.topic, job.queues, 1)]).values():
        future.result()
    _produce(_producer(job, linger=LINGER_FOR_BULK_MS), job, job.count)
    handshake.ready(VERSION)
    handshake.done(job.count, 0)


def first(job: Job) -> None:
    """Try until the first message is acknowledged."""
    handshake.ready(VERSION)
    producer = _producer(job, linger=0)
    errors: list[object] = []
    while None not in errors:
        producer.produce(job.topic, b"first", on_delivery=lambda error, _: errors.append(error))
        producer.flush(1)
    handshake.done(1, 0)


def send(job: Job) -> None:
    """So many under way: each acknowledgement sends the next."""
    producer = _producer(job, linger=0)
    _send_for(job.warm_up, producer, job)
    handshake.ready(VERSION)
    start = perf_counter()
    latencies = _send_for(job.seconds, producer, job)
    handshake.done(len(latencies), perf_counter() - start, latencies)


def _send_for(seconds: float, producer: Any, job: Job) -> list[int]:
    latencies: list[int] = []
    end = perf_counter_ns() + int(seconds * 1e9)
    body = job.body

    def send_next() -> None:
        begun = perf_counter_ns()

        def acknowledged(error: object, _: object) -> None:
            if error:
                raise RuntimeError(str(error))
            latencies.append(perf_counter_ns() - begun)
            if perf_counter_ns() < end:
                send_next()

        producer.produce(job.topic, body, on_delivery=acknowledged)

    for _ in range(job.outstanding):
        send_next()
    while len(producer):
        producer.poll(1)
    return latencies


def bulk(job: Job) -> None:
    """As many as there are, as fast as the client takes them."""
    producer = _producer(job, linger=LINGER_FOR_BULK_MS)
    _produce(producer, job, job.count // 10)
    handshake.ready(VERSION)
    start = perf_counter()
    _produce(producer, job, job.count)
    handshake.done(job.count, perf_counter() - start)


def _produce(producer: Any, job: Job, count: int) -> None:
    body = job.body
    for _ in range(count):
        while True:
            try:
                producer.produce(job.topic, body)
                break
            except BufferError:
                producer.poll(0.01)
    producer.flush()


def drain(job: Job) -> None:
    """The whole backlog in batches, committed as the client does by itself."""
    consumer = _consumer(job, "earliest")
    handshake.ready(VERSION)
    consumer.subscribe([job.topic])
    seen, first_at = 0, 0.0
    while seen < job.count:
        messages = consumer.consume(BATCH, timeout=1)
        if messages and not seen:
            first_at = perf_counter()
        for message in messages:
            _body(message)
            seen += 1
    handshake.done(seen, perf_counter() - first_at)
    consumer.close()


def paced(job: Job) -> None:
    """From before the produce to the hands of a consumer, at a steady rate."""
    producer, consumer = _producer(job, linger=0), _consumer(job, "latest")
    assigned = threading.Event()
    consumer.subscribe([job.topic], on_assign=lambda *_: assigned.set())
    while not assigned.is_set():
        consumer.poll(0.1)
    warm, total = int(job.warm_up * job.rate), int((job.warm_up + job.seconds) * job.rate)
    # The positions are known when a message has come; what is sent before is not counted.
    while consumer.poll(0.1) is None:
        producer.produce(job.topic, struct.pack(">q", 0))
        producer.poll(0)
    producer.flush()
    while consumer.poll(0.5) is not None:
        pass
    _pace(producer, consumer, job, warm)
    handshake.ready(VERSION)
    start = perf_counter()
    latencies = _pace(producer, consumer, job, total - warm)
    handshake.done(total - warm, perf_counter() - start, latencies)
    consumer.close()


def _pace(producer: Any, consumer: Any, job: Job, count: int) -> list[int]:
    def send_all() -> None:
        start = perf_counter()
        for number in range(count):
            time.sleep(max(0.0, start + number / job.rate - perf_counter()))
            stamp = struct.pack(">q", perf_counter_ns())
            producer.produce(job.topic, stamp + job.body[len(stamp) :])
            producer.poll(0)

    latencies: list[int] = []
    sender = threading.Thread(target=send_all)
    sender.start()
    while len(latencies) < count:
        message = consumer.poll(1)
        if message is not None:
            latencies.append(perf_counter_ns() - struct.unpack_from(">q", _body(message))[0])
    sender.join()
    return latencies


def _body(message: Any) -> bytes:
    if message.error():
        raise KafkaException(message.error())
    body: bytes = message.value()
    return body


def _producer(job: Job, *, linger: int) -> Any:
    settings = {
        "bootstrap.servers": job.address,
        "acks": "all",
        "linger.ms": linger,
        "queue.buffering.max.messages": 500_000,
    }
    return Producer(settings)


def _consumer(job: Job, start: str) -> Any:
    settings = {
        "bootstrap.servers": job.address,
        "group.id": job.group,
        "auto.offset.reset": start,
        "fetch.wait.max.ms": 100,
    }
    return Consumer(settings)


if __name__ == "__main__":
    given = handshake.receive()
    {"prepare": prepare, "first": first, "send": send, "bulk": bulk, "drain": drain, "paced": paced}[
        given.kind
    ](given)
