"""One run: fill, read at both ends, stop, start, kill, start."""

from __future__ import annotations

import json
import struct
import subprocess
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from bench.drivers.rmq_load import PROGRAM
from bench.proc import cpu_seconds, resident_mb
from bench.soak.broker import Broker
from bench.soak.head import Backlog, head_latencies, percentiles
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VARIANTS = ("plain", "keys")
TOPIC, QUEUES, BODY, BATCH = "Soak", 16, 128, 64
_STRETCHES = 10
_HEAD_SENDS = 3_000
_SAMPLE_SECONDS = 0.25
# Sent before the kill, so that the restart has something to find that no checkpoint covers: a hundredth of all.
_UNCOVERED = 100
# Where `checkpoint` says which record was the last whose queue entry is durable (docs/store.md).
_CHECKPOINT_FIELD = slice(40, 48)


@dataclass(frozen=True)
class Plan:
    """What to fill with."""

    variant: str
    messages: int


@dataclass(frozen=True)
class Tenth:
    """One stretch of filling: messages a second, and what one cost the broker (steadier beside neighbours)."""

    rate: float
    cpu_us: float


@dataclass
class Seen:
    """What a run has shown; times in seconds, latencies in milliseconds, memory in MB."""

    plan: Plan
    tenths: list[Tenth] = field(default_factory=list)
    memory: float = 0.0
    log_bytes: int = 0
    head_alone: tuple[float, float] = (0.0, 0.0)
    head_beside: tuple[float, float] = (0.0, 0.0)
    backlog_rate: float = 0.0
    stop: float = 0.0
    clean_start: float = 0.0
    uncovered_bytes: int = 0
    killed_start: float = 0.0


def soak(plan: Plan, directory: Path) -> Seen:
    """The whole run on an empty directory."""
    seen = Seen(plan)
    with Broker(directory) as broker:
        broker.start()
        broker.create_topic(TOPIC, QUEUES)
        with _Memory(broker.pid) as memory:
            seen.tenths = list(_fill(plan, broker, plan.messages))
            seen.head_alone = percentiles(head_latencies(broker.address, TOPIC, _HEAD_SENDS))
            with Backlog(broker.address, TOPIC, QUEUES) as backlog:
                seen.head_beside = percentiles(head_latencies(broker.address, TOPIC, _HEAD_SENDS))
            seen.backlog_rate = backlog.rate
        seen.memory = memory.most
        stored = broker.messages(TOPIC, QUEUES)
        seen.log_bytes = _log_end(broker.store)
        seen.stop = broker.stop()
        seen.clean_start = broker.start()
        _expect(broker, stored)
        list(_fill(plan, broker, plan.messages // _UNCOVERED))
        stored = broker.messages(TOPIC, QUEUES)
        broker.kill()
        seen.uncovered_bytes = _log_end(broker.store) - _covered(broker.store)
        seen.killed_start = broker.start()
        _expect(broker, stored)
        broker.stop()
    return seen


def _expect(broker: Broker, stored: int) -> None:
    found = broker.messages(TOPIC, QUEUES)
    if found != stored:
        raise RuntimeError(f"{stored} messages were acknowledged, {found} are there after the start")


def _fill(plan: Plan, broker: Broker, messages: int) -> Iterator[Tenth]:
    """Send so many; how each tenth went."""
    every = messages // _STRETCHES
    arguments = {
        "address": broker.address,
        "topic": TOPIC,
        "queues": QUEUES,
        "connections": 4,
        "outstanding": 4,
        "batch": BATCH,
        "body": BODY,
        "header": "rocketmq",
        "count": messages,
        "every": every,
    }
    command = [str(PROGRAM), "send", *(f"--{name}={value}" for name, value in arguments.items())]
    if plan.variant == "plain":
        command.append("--no-keys")
    columns = TextColumn(plan.variant), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as load,
        Progress(*columns) as progress,
    ):
        assert load.stdout is not None
        task = progress.add_task("", total=messages)
        spent = cpu_seconds([broker.pid])
        try:
            for line in map(json.loads, load.stdout):
                if "error" in line:
                    raise RuntimeError(line["error"])
                progress.update(task, completed=line["messages"])
                if "latency" not in line:
                    before, spent = spent, cpu_seconds([broker.pid])
                    yield Tenth(line["messages_per_second"], (spent - before) / every * 1e6)
        finally:
            load.kill()


def _log_end(store: Path) -> int:
    """Bytes of log up to the last segment's last written block."""
    segments = sorted((store / "commitlog").iterdir())
    last = segments[-1]
    return int(last.name) + last.stat().st_blocks * 512


def _covered(store: Path) -> int:
    """The log position up to which the checkpoint says that queues are durable."""
    (position,) = struct.unpack(">q", (store / "checkpoint").read_bytes()[_CHECKPOINT_FIELD])
    return int(position)


class _Memory:
    """The most private memory that a process had, looked at a few times a second."""

    def __init__(self, pid: int) -> None:
        self.most = 0.0
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            self.most = max(self.most, resident_mb([self._pid], "RssAnon"))
