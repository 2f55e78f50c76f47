"""A Ctrl-C that strikes while a task of ours runs: the task finishes what it does, and the main task hears of it.

Each program runs in a Trio of its own, because Trio gives Ctrl-C to the main task, which is pytest's otherwise.
"""

from __future__ import annotations

from functools import partial
from itertools import count, takewhile
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from tests.support.ctrl_c import press_ctrl_c, pressed
from tests.support.rpc import ADDRESS, Peer, pool_on
from trio.lowlevel import currently_ki_protected

from rocketmq_lite.errors import ClientClosed
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.testing.network import MemoryNetwork
from rocketmq_lite.transport.nursery import ProtectedNursery, background_nursery

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rocketmq_lite.transport.rpc import Pool

TRIO = trio.__path__[0]


def interrupted(program: Callable[[], Awaitable[object]]) -> None:
    """Run a program, which has to end by a Ctrl-C; one that hangs is ended by the test's time limit."""
    with pytest.raises(KeyboardInterrupt):
        trio.run(program, clock=trio.testing.MockClock(autojump_threshold=0))


def count_lines(program: Callable[[int], Awaitable[bool]]) -> int:
    """Run a program that presses Ctrl-C at its nth line and says whether it had so many, until it has not."""

    def ended_by_ctrl_c(line: int) -> bool:
        try:
            return trio.run(program, line)
        except KeyboardInterrupt:
            return True

    return len(list(takewhile(ended_by_ctrl_c, count(1))))


async def test_tasks_are_protected_and_the_block_is_not() -> None:
    protected: dict[str, bool] = {}

    async def note(name: str, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        protected[name] = currently_ki_protected()
        task_status.started(name)

    async def start_others() -> None:
        async with ProtectedNursery() as inner:
            inner.start_soon(note, "child of a child")

    async with background_nursery() as background, ProtectedNursery() as plain:
        background.start_soon(note, "background")
        assert await background.start(note, "background, started") == "background, started"
        plain.start_soon(note, "plain")
        assert await plain.start(note, "plain, started") == "plain, started"
        plain.start_soon(start_others)
        assert not currently_ki_protected()
        await trio.testing.wait_all_tasks_blocked()
    assert len(protected) == 5
    assert all(protected.values()), protected


async def test_tasks_have_the_names_of_what_they_run() -> None:
    async def work(
        names: list[str], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        names.append(trio.lowlevel.current_task().name)
        task_status.started()

    names: list[str] = []
    async with ProtectedNursery() as nursery:
        await nursery.start(work, names)
        nursery.start_soon(partial(work, names))
    assert [name.rpartition(".")[2] for name in names] == ["work", "work"]


def test_what_strikes_a_task_is_raised_in_the_block() -> None:
    finished = left = False

    async def work() -> None:
        nonlocal finished
        press_ctrl_c()
        finished = True

    async def program() -> None:
        nonlocal left
        async with background_nursery() as nursery:
            nursery.start_soon(work)
            try:
                await trio.sleep_forever()
            finally:
                left = True

    interrupted(program)
    assert finished
    assert left


def test_it_comes_without_a_group_also_when_the_block_waits_for_its_tasks() -> None:
    async def program() -> None:
        async with ProtectedNursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(strike)

    async def strike() -> None:
        press_ctrl_c()
        await trio.lowlevel.checkpoint()

    interrupted(program)


def test_what_strikes_while_a_server_is_answered_does_not_cut_the_answer_short() -> None:
    peers: list[Peer] = []

    async def on_push(_address: str, request: Command) -> Command:
        press_ctrl_c()
        return request.answer(body=b"whole")

    async def program() -> None:
        network = MemoryNetwork()
        peers.append(peer := Peer(network))
        async with background_nursery() as servers:
            await servers.start(peer.run)
            async with pool_on(network, on_push=on_push) as pool:
                await pool.call(ADDRESS, Command(1))
                await peer.send(Command(307, opaque=1))
                try:
                    await trio.sleep_forever()
                finally:
                    with trio.CancelScope(shield=True):
                        await trio.testing.wait_all_tasks_blocked()

    interrupted(program)
    assert [command.body for command in peers[0].received if command.is_response] == [b"whole"]


def test_calls_that_wait_end_with_their_pool_whatever_line_of_its_end_is_struck() -> None:
    ended = 0

    async def call(pool: Pool) -> None:
        nonlocal ended
        with trio.CancelScope(shield=True), pytest.raises(ClientClosed):
            await pool.call(ADDRESS, Command(1), timeout=1000)
        ended += 1

    async def program(line: int) -> bool:
        network = MemoryNetwork()
        peer = Peer(network)
        peer.answer = peer.silent
        async with background_nursery() as servers, ProtectedNursery() as users:
            await servers.start(peer.run)
            async with pool_on(network) as pool:
                for _ in range(2):
                    users.start_soon(call, pool)
                await trio.testing.wait_all_tasks_blocked()
                with pressed(line, "transport") as press:
                    pool.close_all()
        return bool(press.place)

    lines = count_lines(program)
    assert lines > 10
    assert ended == 2 * (lines + 1)


@pytest.mark.parametrize("waits", [False, True], ids=["start_soon", "start"])
def test_a_task_that_is_struck_at_any_line_of_its_start_is_started(waits: bool) -> None:
    started = 0

    async def work(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        nonlocal started
        started += 1
        task_status.started()

    async def program(line: int) -> bool:
        async with ProtectedNursery() as nursery:
            with pressed(line, TRIO) as press:
                if waits:
                    await nursery.start(work)
                else:
                    nursery.start_soon(work)
        return bool(press.place)

    lines = count_lines(program)
    assert lines > 10
    assert started == lines + 1


def test_a_block_that_is_struck_at_any_line_of_its_nursery_ends() -> None:
    async def program() -> None:
        async with background_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            await trio.testing.wait_all_tasks_blocked()
        await trio.lowlevel.checkpoint()  # where one that was put off is raised at the latest

    def ended_by_ctrl_c(line: int) -> bool:
        with pressed(line, "transport/nursery.py") as press:
            try:
                trio.run(program)
            except KeyboardInterrupt:
                return True
        assert not press.place
        return False

    struck = takewhile(ended_by_ctrl_c, count(1))
    assert len(list(struck)) > 10
