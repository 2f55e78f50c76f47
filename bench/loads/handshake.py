"""What every load program shares: the job it is given, when it may start, and what it reports.

A load program is a process: one line of JSON on standard input is its job. When it is connected and warm it writes
`ready` and waits for a line; then it does the measured work and writes `done`. The runner reads the processor time
of both sides between the two. Java's twin is java/src/main/java/load/Handshake.java. Standard library only: the
peers' programs run in an environment of their own.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, fields
from time import perf_counter_ns
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

KEPT_ONE_IN = 100
"""Of a backlog that is filtered, so many messages hold one that the filter keeps."""
KEPT_TAG = "kept"
OTHER_TAG = "other"


@dataclass(frozen=True, slots=True)
class Job:
    """What a load program has to do.

    Attributes:
        kind: prepare, send, bulk, drain, paced, embedded or first.
        address: Where the server is.
        trust: A PEM file of those who vouch for it, when connections are to be encrypted.
        topic: Topic, stream or subject.
        group: The consumer group, new in each round.
        size: Bytes of a body.
        outstanding: Sends under way at a time.
        batch: Messages in one request.
        seconds: How long to send.
        warm_up: Seconds of the same work before the measured part.
        count: Messages of a bulk or a backlog.
        rate: Messages a second when they are paced.
        queues: Queues or partitions of the topic.
        keep: Which of a backlog are wanted: all, or one in 100 by tag or by sql.
        sync: Whether an acknowledgement means that the disk has it.
    """

    kind: str
    address: str
    topic: str
    trust: str = ""
    group: str = "bench"
    size: int = 1024
    outstanding: int = 1
    batch: int = 1
    seconds: float = 3.0
    warm_up: float = 1.0
    count: int = 0
    rate: int = 1000
    queues: int = 4
    keep: str = "all"
    sync: bool = False

    @property
    def body(self) -> bytes:
        """A body of the wanted size that compresses like text."""
        return (b"0123456789abcdefghijklmnopqrstuvwxyz" * (self.size // 36 + 1))[: self.size]

    @property
    def wanted(self) -> int:
        """How many messages of the backlog will be delivered."""
        return self.count if self.keep == "all" else self.count // KEPT_ONE_IN


def receive() -> Job:
    """The job, from standard input."""
    given = json.loads(sys.stdin.readline())
    known = {field.name for field in fields(Job)}
    return Job(**{name: value for name, value in given.items() if name in known})


def ready(version: str) -> None:
    """Say that the work can begin, and by which client; returns when it may."""
    _write({"event": "ready", "version": version})
    sys.stdin.readline()


def done(
    messages: int,
    seconds: float,
    latencies_ns: list[int] | None = None,
    *,
    figures: dict[str, float] | None = None,
) -> None:
    """Report the measured part: how much in which time, and how long each took where that was seen.

    `figures` are those that the program knows better than who looks on from outside.
    """
    report = {"event": "done", "messages": messages, "seconds": seconds, **(figures or {})}
    if latencies_ns:
        ordered = sorted(latencies_ns)
        for name, share in (("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999)):
            report[name] = ordered[min(int(len(ordered) * share), len(ordered) - 1)] / 1000
    _write(report)


async def one_after_the_other(send: Callable[[], Awaitable[object]], end_ns: int, into: list[int]) -> None:
    """Await one send after the other until a moment, and note how long each took; under any event loop."""
    begun = perf_counter_ns()
    while begun < end_ns:
        await send()
        answered = perf_counter_ns()
        into.append(answered - begun)
        begun = answered


def _write(event: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()
