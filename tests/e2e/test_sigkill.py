"""What was acknowledged survives SIGKILL of the whole process: `rmq up` killed during a send run, 20 rounds.

ASYNC_FLUSH, machine stays up: the bytes are in the page cache, so nothing acknowledged may be missing
(guarantees K1). Each round reopens the directory that the kill left behind.
"""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest
from tests.support.processes import Server, up
from tests.support.raw_client import RawClient, bodies

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 20
QUEUES = 4
TOPIC = "killed"


def send_until_killed(server: Server, first: int, after: float) -> dict[tuple[int, int], bytes]:
    """Send numbered bodies until the broker dies; what was acknowledged, by queue and offset."""
    acknowledged: dict[tuple[int, int], bytes] = {}
    killer = threading.Timer(after, server.process.kill)
    with RawClient(server.ready["broker"]) as client:
        killer.start()
        number = first
        try:
            while True:
                body = f"{number}-".encode() + b"x" * (number % 700)
                answer = client.send(TOPIC, body, queue=number % QUEUES)
                assert answer.code == 0, answer
                acknowledged[int(answer.fields["queueId"]), int(answer.fields["queueOffset"])] = body
                number += 1
        except OSError:
            pass
    killer.join()
    server.process.wait()
    return acknowledged


def read_queue(client: RawClient, queue: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    offset = 0
    while (answer := client.pull(TOPIC, queue, offset)).code == 0:
        found.update(bodies(answer.body))
        offset = int(answer.fields["nextBeginOffset"])
    return found


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_nothing_acknowledged_is_missing_after_sigkill(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    acknowledged: dict[tuple[int, int], bytes] = {}
    for round_number in range(ROUNDS):
        with up(tmp_path / "data") as server:
            acknowledged |= send_until_killed(server, len(acknowledged), chance.uniform(0.02, 0.25))
        assert acknowledged, f"round {round_number} sent nothing"
    with up(tmp_path / "data") as server, RawClient(server.ready["broker"]) as client:
        for queue in range(QUEUES):
            stored = read_queue(client, queue)
            expected = {offset: body for (q, offset), body in acknowledged.items() if q == queue}
            assert expected.items() <= stored.items()
            assert sorted(stored) == list(range(len(stored)))
