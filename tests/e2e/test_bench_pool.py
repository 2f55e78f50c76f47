"""The servers of a bench: who is frozen while another is measured, and that all are ended."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest
from bench import pool
from bench.drivers.driver import Driver, Running, process
from bench.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow]


class Sleeper(Driver):
    """A server that does nothing, once for each flush setting."""

    title = "sleeper"
    prepares_with = None
    warms_with = None

    def __init__(self, *, idles_loudly: bool) -> None:
        self.idles_loudly = idles_loudly
        self.launched = 0

    def missing(self) -> str | None:
        return None

    def version(self) -> str:
        return "1"

    def durability(self, flush: str) -> str:
        return flush

    @contextlib.contextmanager
    def launch(self, directory: Path, flush: str) -> Iterator[Running]:
        self.launched += 1
        with process(["sleep", "1000"], directory) as child:
            yield Running("nowhere", flush, directory, worker=child, processes=[child])

    def await_first_ack(self, running: Running) -> None:
        for each in running.processes:
            each.check_running()


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Sleeper]:
    drivers = {"loud": Sleeper(idles_loudly=True), "quiet": Sleeper(idles_loudly=False)}
    monkeypatch.setattr(pool, "DRIVERS", drivers)
    return drivers


def is_frozen(running: Running) -> bool:
    """Wait until the process has stopped or gone on, whichever was asked for last."""
    (pid,) = running.pids
    _, status = os.waitpid(pid, os.WUNTRACED | os.WCONTINUED)
    return os.WIFSTOPPED(status)


def test_a_loud_one_is_frozen_while_another_is_measured(servers: dict[str, Sleeper], tmp_path: Path) -> None:
    with Pool(tmp_path) as running:
        loud = running.alone("loud", "async")
        quiet = running.alone("quiet", "async")
        assert is_frozen(loud)
        assert running.alone("loud", "async") is loud
        assert not is_frozen(loud)
        running.alone("loud", "sync")
        assert is_frozen(loud)
        assert [server.launched for server in servers.values()] == [2, 1]
        pids = [*loud.pids, *quiet.pids]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_before_a_server_of_its_own_all_loud_ones_are_frozen(
    servers: dict[str, Sleeper], tmp_path: Path
) -> None:
    with Pool(tmp_path) as running:
        loud = running.alone("loud", "async")
        running.freeze_others()
        assert is_frozen(loud)
    assert servers["loud"].launched == 1


def test_one_that_does_not_start_leaves_nothing_and_can_be_tried_again(
    servers: dict[str, Sleeper], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []

    def fail(running: Running) -> None:
        started.extend(running.pids)
        raise TimeoutError("no acknowledgement")

    with Pool(tmp_path) as running:
        with monkeypatch.context() as broken:
            broken.setattr(servers["quiet"], "await_first_ack", fail)
            with pytest.raises(TimeoutError):
                running.alone("quiet", "async")
        with pytest.raises(ProcessLookupError):
            os.kill(started[0], 0)
        assert running.alone("quiet", "async").pids
