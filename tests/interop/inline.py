"""Our engine over a directory, called from here: no broker around it, no socket, and the time is what the test says."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tests.support.raw_client import (
    PULL_MESSAGE,
    SEND_MESSAGE_V2,
    decode,
    encode,
    pull_fields,
    send_fields,
    stamped,
)

from rocketmq_lite._native import Control, Engine, Opening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.raw_client import Answer

_QUEUES = 18  # as many as there are delay levels


class InlineEngine:
    """One engine; made by `opened`.

    Attributes:
        now_ms: The wall time, which the test moves.
    """

    def __init__(self, engine: Engine, now_ms: int) -> None:
        self._engine = engine
        self._conn = engine.open("127.0.0.1", 1, wall_ms=now_ms, mono_ms=0)
        self.now_ms = now_ms

    def send(self, topic: str, body: bytes, *, queue: int = 0, properties: str = "") -> None:
        """Store a message."""
        fields = send_fields(topic, queue=queue, properties=properties)
        assert self._ask(SEND_MESSAGE_V2, fields, body).code == 0

    def deliver(self, level: int, offset: int) -> tuple[int, int]:
        """Move what is due: where to go on, and when."""
        value = self.control(Control.deliver_scheduled(level - 1, offset))
        assert isinstance(value, tuple)
        return value

    def records(self, topic: str, queue: int = 0) -> list[tuple[bytes, int]]:
        """Body and store time of all messages of a queue."""
        found: list[tuple[bytes, int]] = []
        while (answer := self._ask(PULL_MESSAGE, pull_fields(topic, queue, len(found)))).code == 0:
            found += stamped(answer.body)
        return found

    def control(self, control: Control) -> object:
        """What a control gives back."""
        self._engine.submit(1, control, wall_ms=self.now_ms, mono_ms=0)
        self._settle()
        done = [cold for cold in self._engine.take() if cold.kind == "done"]
        assert [cold.text for cold in done] == [""]
        return done[0].value

    def close(self) -> None:
        """Close the store in order, and let go of its lock."""
        self.control(Control.stop())
        del self._engine

    def _ask(self, code: int, fields: dict[str, object], body: bytes = b"") -> Answer:
        frame = encode(code, fields, body)
        self._engine.receive(self._conn, frame, wall_ms=self.now_ms, mono_ms=0)
        (answer,) = self._settle()
        return decode(answer)

    def _settle(self) -> list[bytes]:
        actions = self._engine.poll(wall_ms=self.now_ms, mono_ms=0)
        sent = [data for kind, _, data in actions if kind == "send"]
        self._engine.sent(self._conn, sum(map(len, sent)), wall_ms=self.now_ms, mono_ms=0)
        return sent


@contextlib.contextmanager
def opened(store: Path, now_ms: int, *topics: str) -> Iterator[InlineEngine]:
    """An engine over a store, which knows these topics; it closes the store in order."""
    opening = Opening(
        broker_name="broker-a", cluster="DefaultCluster", store_host="127.0.0.1:10911", root=store
    )
    engine = InlineEngine(Engine(opening, wall_ms=now_ms, mono_ms=0), now_ms)
    engine.control(Control.put_group("raw-group"))
    for topic in topics:
        engine.control(Control.put_topic(topic, read_queues=_QUEUES, write_queues=_QUEUES))
    yield engine
    engine.close()
