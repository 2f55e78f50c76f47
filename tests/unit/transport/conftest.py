"""A network in memory."""

from __future__ import annotations

import pytest

from rocketmq_lite.testing.network import MemoryNetwork


@pytest.fixture
def network() -> MemoryNetwork:
    return MemoryNetwork()
