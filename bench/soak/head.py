"""A consumer at the head of a queue, with and without another one that reads everything from offset 0.

The reader is a process of its own, so that it takes nothing from the interpreter that measures.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from typing import TYPE_CHECKING, Self

from tests.support.raw_client import PULL_MESSAGE, RawClient, pull_fields

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

_HOLD_MS = 15_000
_FOUND = 0


def head_latencies(address: str, topic: str, count: int) -> list[float]:
    """Milliseconds from before a send until the pull that waited for it has its message, once for each."""
    took = []
    with RawClient(address) as producer, RawClient(address, timeout=60.0) as consumer:
        offset = int(producer.send(topic, b"first").fields["queueOffset"]) + 1
        for _ in range(count):
            consumer.post(PULL_MESSAGE, pull_fields(topic, 0, offset, hold_ms=_HOLD_MS))
            begun = time.perf_counter()
            producer.send(topic, b"x" * 128)
            if consumer.read().code != _FOUND:
                raise RuntimeError("a pull at the head ended without its message")
            took.append((time.perf_counter() - begun) * 1000)
            offset += 1
    return took


class Backlog:
    """Reads queues 1, 2, … from offset 0 until it is left."""

    def __init__(self, address: str, topic: str, queues: int) -> None:
        self._read: Synchronized[int] = multiprocessing.Value("q", 0)
        self._process = multiprocessing.Process(
            target=_read_all, args=(address, topic, queues, self._read), daemon=True
        )
        self.rate = 0.0

    def __enter__(self) -> Self:
        self._process.start()
        while self._read.value == 0:
            time.sleep(0.01)
        self._begun, self._before = time.perf_counter(), self._read.value
        return self

    def __exit__(self, *_: object) -> None:
        self.rate = (self._read.value - self._before) / (time.perf_counter() - self._begun)
        self._process.kill()
        self._process.join()


def _read_all(address: str, topic: str, queues: int, read: Synchronized[int]) -> None:
    with RawClient(address, timeout=60.0) as client:
        for queue in range(1, queues):
            offset = 0
            while (answer := client.pull(topic, queue, offset, group="backlog")).code == _FOUND:
                read.value += int(answer.fields["nextBeginOffset"]) - offset
                offset = int(answer.fields["nextBeginOffset"])


def percentiles(milliseconds: list[float]) -> tuple[float, float]:
    """The median, and what 99 of 100 did not exceed."""
    hundredths = statistics.quantiles(milliseconds, n=100)
    return statistics.median(milliseconds), hundredths[98]
