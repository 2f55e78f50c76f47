"""Every test that takes ``world`` and ``time`` runs on both owners of the engine.

``time`` has to be asked for by the test itself: pytest-trio looks for a clock among the test's own arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from tests.integration.world import World
from trio.testing import MockClock

from rocketmq_lite.clock import SystemClock, TrioClock
from rocketmq_lite.testing.network import MemoryNetwork
from rocketmq_lite.transport.network import TcpNetwork

if TYPE_CHECKING:
    from pathlib import Path

    from rocketmq_lite.broker.opening import Owner


@pytest.fixture(params=["pump", "reactor"])
def owner(request: pytest.FixtureRequest) -> Owner:
    """Which owner drives the engine."""
    return cast("Owner", request.param)


@pytest.fixture
def time(owner: Owner) -> MockClock | None:
    """A clock that jumps over every wait, for the pump; real time for the reactor, whose thread knows no other."""
    return MockClock(autojump_threshold=0) if owner == "pump" else None


@pytest.fixture
def world(owner: Owner, tmp_path: Path) -> World:
    """Where the brokers of the test run."""
    if owner == "pump":
        return World(owner, MemoryNetwork(), TrioClock(), tmp_path / "data")
    return World(owner, TcpNetwork(), SystemClock(), tmp_path / "data")


@pytest.fixture
def pump_world(tmp_path: Path) -> World:
    """For tests of long spans of time: only the pump's clock can jump."""
    return World("pump", MemoryNetwork(), TrioClock(), tmp_path / "data")
