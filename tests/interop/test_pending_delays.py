"""Delayed messages that one broker stored and the other has to deliver: at their time, of every level.

What is ours is written by the engine itself, at times that the test chooses, so that even what waits for two hours is due
while the test runs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.interop import apache, inline
from tests.support.polling import poll_until
from tests.support.raw_client import RawClient, stamped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.maven import Java

TOPIC = "delayed"
SECONDS = (1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1_200, 1_800, 3_600, 7_200)
AHEAD_MS = 45_000
"""Time for Apache's broker to start before what it has to wait for is due; if it takes longer, less is shown."""
DELIVERED_WITHIN = 180.0


def _delayed(level: int) -> str:
    return f"DELAY\x01{level}\x02"


def test_apache_delivers_what_our_engine_has_stored(java: Java, tmp_path: Path) -> None:
    now_ms = int(time.time() * 1000)
    due_ms: dict[bytes, int] = {}
    writes: list[tuple[int, int, bytes]] = []
    for level, seconds in enumerate(SECONDS, start=1):
        # Stored so long ago that the first is overdue, the second due soon and the third not while this test runs.
        for name, due in (
            ("overdue", now_ms - 1_000),
            ("soon", now_ms + AHEAD_MS),
            ("late", now_ms + 3_000_000),
        ):
            body = f"{name} {level}".encode()
            stored_ms = due - seconds * 1_000
            if stored_ms <= now_ms:
                writes.append((stored_ms, level, body))
                due_ms[body] = due
    with inline.opened(tmp_path / "store", min(writes)[0], TOPIC) as engine:
        for engine.now_ms, level, body in sorted(writes):
            engine.send(TOPIC, body, properties=_delayed(level))
        engine.now_ms = now_ms
    never = {body for body in due_ms if body.startswith(b"late")}
    assert never
    with apache.on_store(java, tmp_path / "apache", tmp_path / "store") as theirs:
        started_ms = int(time.time() * 1000)
        found = _delivered(theirs.broker.address, due_ms.keys() - never)
    assert found.keys() == due_ms.keys() - never
    assert not [body for body, stored_ms in found.items() if stored_ms < due_ms[body]], "early"
    print(f"{sum(due > started_ms for due in due_ms.values())} were not due when Apache's broker had started")


def _delivered(address: str, wanted: set[bytes]) -> dict[bytes, int]:
    """Bodies and times of what has come, once all that is wanted has."""
    with RawClient(address) as client:
        assert client.send(TOPIC, b"now", queue=3).code == 0  # makes the topic, which is in no table yet

        def come_so_far() -> dict[bytes, int]:
            found: dict[bytes, int] = {}
            offset = 0
            while (answer := client.pull(TOPIC, 0, offset)).code == 0:
                found.update(stamped(answer.body))
                offset = int(answer.fields["nextBeginOffset"])
            return found

        return poll_until(come_so_far, lambda found: wanted <= found.keys(), within=DELIVERED_WITHIN)


def test_we_deliver_what_apache_has_stored(java: Java, tmp_path: Path) -> None:
    store = tmp_path / "store"
    with (
        apache.on_store(java, tmp_path / "apache", store) as theirs,
        RawClient(theirs.broker.address) as client,
    ):
        for level in range(1, len(SECONDS) + 1):
            answer = client.send(TOPIC, b"level %d" % level, queue=level % 4, properties=_delayed(level))
            assert answer.code == 0, answer
    now_ms = int(time.time() * 1000)
    with inline.opened(store, now_ms, TOPIC, "SCHEDULE_TOPIC_XXXX") as engine:
        for level, seconds in enumerate(SECONDS, start=1):
            ((body, stored_ms),) = engine.records("SCHEDULE_TOPIC_XXXX", level - 1)
            assert body == b"level %d" % level
            due_ms = stored_ms + seconds * 1_000
            before = engine.records(TOPIC, level % 4)
            if due_ms > now_ms:
                engine.now_ms = due_ms - 1
                assert engine.deliver(level, 0) == (0, due_ms)
                assert engine.records(TOPIC, level % 4) == before
            engine.now_ms = max(due_ms, now_ms)
            assert engine.deliver(level, 0)[0] == 1
            assert engine.records(TOPIC, level % 4)[-1] == (body, engine.now_ms)
