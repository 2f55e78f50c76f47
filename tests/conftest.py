"""Settings that every test shares, the package compiled once, and mock time for whole modules.

pytest-trio takes a clock from a test's own arguments only. A module of tests that all want one says
``pytestmark = pytest.mark.mock_time`` instead.
"""

from __future__ import annotations

import compileall
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from hypothesis import settings

import rocketmq_lite

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

# A deadline per example says more about the machine than about the code; each test has a time limit anyway.
settings.register_profile("default", deadline=None)
settings.load_profile("default")

# A shell starts what runs in its background with Ctrl-C ignored, and so would run all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Compile the package as pip does: where bytecode is forbidden, each `rmq` of a test would do it for itself."""
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(Path(rocketmq_lite.__file__).parent, quiet=1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests that are marked so run in mock time."""
    for item in items:
        if item.get_closest_marker("mock_time"):
            # In front, where pytest-trio looks first: it marks every test with the ordinary runner itself.
            item.add_marker(pytest.mark.trio(run=_run_in_mock_time), append=False)


def _run_in_mock_time(
    test: Callable[[], Awaitable[None]],
    *,
    clock: trio.abc.Clock | None,
    instruments: Sequence[trio.abc.Instrument],
) -> None:
    trio.run(test, clock=clock or trio.testing.MockClock(autojump_threshold=0), instruments=instruments)
