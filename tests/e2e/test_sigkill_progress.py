"""What is delayed and what consumers have committed survives SIGKILL of the broker, in many rounds.

Delayed messages pending at a kill are delivered at least once afterwards, and never before their time. Consumer offsets
(guarantees I6) are what the file had at the kill: never more than was committed, never beyond what exists, never behind what
had been in the file before. Files are written every 50 ms here, so that kills hit them in the middle.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tests.support.polling import poll_until
from tests.support.processes import Server
from tests.support.raw_client import RawClient, stamped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "10"))
"""More of them in `make crash`."""
QUEUES = 4
TOPIC, DELAYED, GROUP = "consumed", "delayed", "raw-group"
DELAYS_MS = {1: 1_000, 2: 2_000, 3: 3_000}
CONFIGURATION = """\
messageDelayLevel=1s 2s 3s
flushConsumerOffsetInterval=50
flushDelayOffsetInterval=50
"""
QUERY_OFFSET, COMMIT_OFFSET, MAX_OFFSET = 14, 15, 30
DELIVERED_WITHIN = 60.0

Offsets = dict[int, int]


@dataclass
class Known:
    """What the client knows of all rounds."""

    due_ms: dict[bytes, int] = field(default_factory=dict)
    """Delayed messages that were acknowledged, and the earliest time at which each may come."""
    committed: Offsets = field(default_factory=dict)
    """The furthest that was asked for in each queue, answered or not."""
    on_disk: Offsets = field(default_factory=dict)
    """What the file had when it was last read."""
    numbers: Iterator[int] = field(default_factory=itertools.count)


def broker(directory: Path) -> Server:
    directory.mkdir(exist_ok=True)
    (directory / "broker.conf").write_text(CONFIGURATION)
    arguments = ["broker", "-c", str(directory / "broker.conf"), "--data", str(directory), "--port", "0"]
    return Server(
        arguments, directory / "ready.json", {**os.environ, "NAMESRV_ADDR": "", "ROCKETMQ_NAMESRV": ""}
    )


def offsets_on_disk(directory: Path) -> Offsets:
    """What `consumerOffset.json` says, or its backup while it is being replaced."""
    path = directory / "store" / "config" / "consumerOffset.json"
    for name in (path.name, f"{path.name}.bak", path.name):
        try:
            table = json.loads(path.with_name(name).read_bytes())["offsetTable"]
        except FileNotFoundError:
            continue
        return {int(queue): offset for queue, offset in table.get(f"{TOPIC}@{GROUP}", {}).items()}
    return {}


def offsets_in_force(client: RawClient) -> Offsets:
    found = {}
    for queue in range(QUEUES):
        answer = client.call(QUERY_OFFSET, {"consumerGroup": GROUP, "topic": TOPIC, "queueId": queue})
        if answer.code == 0:
            found[queue] = int(answer.fields["offset"])
    return found


def is_behind(some: Offsets, others: Offsets) -> bool:
    return any(offset > others.get(queue, 0) for queue, offset in some.items())


def check_offsets(server: Server, directory: Path, known: Known) -> None:
    """After a start that nobody has committed to: what it goes on with, against what is known."""
    left = offsets_on_disk(directory)
    assert not is_behind(known.on_disk, left), "what had been in the file is gone"
    assert not is_behind(left, known.committed), "nobody committed so much"
    with RawClient(server.ready["broker"]) as client:
        in_force = offsets_in_force(client)
        assert {queue: offset for queue, offset in in_force.items() if offset} == left, "0 is told of none"
        ends = {
            queue: int(client.call(MAX_OFFSET, {"topic": TOPIC, "queueId": queue}).fields["offset"])
            for queue in left
        }
    assert not is_behind(left, ends), "beyond what exists"


def work_until_killed(server: Server, directory: Path, known: Known, after: float) -> None:
    """Send, commit and delay until the broker dies."""
    killer = threading.Timer(after, server.process.kill)
    with RawClient(server.ready["broker"]) as client:
        killer.start()
        try:
            client.pull(TOPIC, 0, 0)  # makes the group known
            for number in known.numbers:
                send_and_commit(client, known, number)
                if number % 4 == 0:
                    delay(client, known, number)
                if number % 16 == 0:
                    known.on_disk = offsets_on_disk(directory)
        except OSError:
            pass
    killer.join()
    server.process.wait()


def send_and_commit(client: RawClient, known: Known, number: int) -> None:
    queue = number % QUEUES
    stored = client.send(TOPIC, b"%d" % number, queue=queue)
    assert stored.code == 0, stored
    known.committed[queue] = following = int(stored.fields["queueOffset"]) + 1
    position = {"consumerGroup": GROUP, "topic": TOPIC, "queueId": queue, "commitOffset": following}
    answer = client.call(COMMIT_OFFSET, position)
    assert answer.code == 0, answer


def delay(client: RawClient, known: Known, number: int) -> None:
    level, delay_ms = random.Random(number).choice(sorted(DELAYS_MS.items()))
    earliest = int(time.time() * 1000) + delay_ms
    body = b"%d at level %d" % (number, level)
    stored = client.send(DELAYED, body, queue=number % QUEUES, properties=f"DELAY\x01{level}\x02")
    assert stored.code == 0, stored
    known.due_ms[body] = earliest


def delivered(client: RawClient) -> Iterator[tuple[bytes, int]]:
    """Every delayed message that has come so far, with the time at which it did."""
    for queue in range(QUEUES):
        offset = 0
        while (answer := client.pull(DELAYED, queue, offset)).code == 0:
            yield from stamped(answer.body)
            offset = int(answer.fields["nextBeginOffset"])


@pytest.mark.slow
@pytest.mark.timeout(240 if ROUNDS <= 20 else 3600)
def test_delays_and_offsets_survive_sigkill(tmp_path: Path) -> None:
    seed = int(os.environ.get("CRASH_SEED", random.randrange(1 << 32)))
    print(f"CRASH_SEED={seed}")
    chance = random.Random(seed)
    directory, known = tmp_path / "data", Known()
    for _ in range(ROUNDS):
        with broker(directory) as server:
            check_offsets(server, directory, known)
            work_until_killed(server, directory, known, chance.uniform(0.1, 1.5))
    assert known.on_disk, "no file was ever read"
    assert len(known.due_ms) > ROUNDS
    with broker(directory) as server, RawClient(server.ready["broker"]) as client:
        check_offsets(server, directory, known)
        poll_until(
            lambda: sorted(known.due_ms.keys() - {body for body, _ in delivered(client)}),
            lambda missing: not missing,
            within=DELIVERED_WITHIN,
        )
        early = [body for body, stored_ms in delivered(client) if stored_ms < known.due_ms.get(body, 0)]
        assert not early
