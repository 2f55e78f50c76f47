"""A queue's reader, with everything around it played."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import trio

from rocketmq_lite.client.engine.process_queue import QueueLimits
from rocketmq_lite.client.reader import QueueReader
from rocketmq_lite.model import MessageQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.mock_time

QUEUE = MessageQueue("orders", "broker-a", 0)


class SlowPositions:
    """Somebody who takes five seconds to say where a group stands."""

    carried_by_pulls = True

    async def read(self, _queue: MessageQueue) -> int:
        await trio.sleep(5)
        return 7


class HoldingRemote:
    """A broker that holds every pull."""

    async def pull(self, *_arguments: object, **_options: object) -> None:
        await trio.sleep_forever()


async def nothing(_arguments: object) -> None: ...


async def from_the_start(*_arguments: object) -> int:
    return 0


def reader() -> QueueReader:
    limits = QueueLimits(1000, 1 << 20, 2000)
    parts: dict[str, Any] = {
        "sink": SimpleNamespace(take_in=lambda *_: None),
        "positions": SlowPositions(),
        "find_start": from_the_start,
        "takes_over": False,
        "remote": HoldingRemote(),
        "routing": SimpleNamespace(
            table=SimpleNamespace(reader=lambda *_: "127.0.0.1:1"), mark_stale=lambda _: None
        ),
        "heartbeats": SimpleNamespace(ensure=nothing, forgotten_by=lambda _: None),
    }
    settings = SimpleNamespace(group="g", limits=limits, tell=lambda _: None, sub_version=1, grace=1)
    return QueueReader(QUEUE, cast("Any", settings), **parts)


@pytest.fixture
async def reading(nursery: trio.Nursery) -> AsyncIterator[QueueReader]:
    made = reader()
    nursery.start_soon(made.run)
    yield made
    made.stop()


async def test_a_position_that_is_set_settles_it_before_the_next_pull_is_answered(
    reading: QueueReader,
) -> None:
    await trio.sleep(1)
    began = trio.current_time()
    reading.move_to(99)
    await reading.settled.wait()
    assert trio.current_time() - began < 1
