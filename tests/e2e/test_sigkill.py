"""What was acknowledged survives SIGKILL of the whole process: `rmq up` killed during a send run, in many rounds.

ASYNC_FLUSH, machine stays up: the bytes are in the page cache, so nothing acknowledged may be missing
(guarantees K1). Each round reopens the directory that the kill left behind.
"""

from __future__ import annotations

import os
import random
import threading
from typing import TYPE_CHECKING

import pytest
from tests.support.processes import Server, up
from tests.support.raw_client import RawClient, bodies

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "10"))
"""More of them in `make crash`."""
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
@pytest.mark.timeout(180 if ROUNDS <= 20 else 3600)
def test_nothing_acknowledged_is_missing_after_sigkill(tmp_path: Path) -> None:
    seed = int(os.environ.get("CRASH_SEED", random.randrange(1 << 32)))
    print(f"CRASH_SEED={seed}")
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


async def batches_until_killed(server: Server, first: int) -> dict[tuple[int, int], bytes]:
    """Send many until the broker dies in the middle; what has a receipt, by queue and offset."""
    sent: list[bytes] = []

    def numbered() -> Iterator[bytes]:
        while True:
            sent.append(b"%d-%s" % (first + len(sent), b"x" * (len(sent) % 300)))
            if len(sent) == 50_000:
                server.process.kill()
            yield sent[-1]

    async with rmq.connect(server.ready["namesrv"], request_timeout=1) as client:
        with pytest.raises(rmq.NotAllSent) as caught:
            await client.producer("p").send_many(TOPIC, numbered())
    server.process.wait()
    receipts = zip(caught.value.receipts, sent, strict=False)
    stored = {
        (receipt.queue.queue_id, receipt.offset): body for receipt, body in receipts if receipt is not None
    }
    unsent = set(caught.value.unsent)
    assert len(stored) + len(unsent) == len(sent), "each of them is one or the other"
    assert unsent.isdisjoint(stored.values())
    return stored


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_batches_with_receipts_are_whole_after_sigkill(tmp_path: Path) -> None:
    acknowledged: dict[tuple[int, int], bytes] = {}
    for round_number in range(3):
        with up(tmp_path / "data") as server:
            stored = await batches_until_killed(server, round_number * 1_000_000)
        assert len(stored) >= 10_000
        acknowledged |= stored
    with up(tmp_path / "data") as server, RawClient(server.ready["broker"]) as client:
        for queue in range(QUEUES):
            found = read_queue(client, queue)
            expected = {offset: body for (q, offset), body in acknowledged.items() if q == queue}
            assert expected.items() <= found.items()
            assert sorted(found) == list(range(len(found)))
