"""Nurseries: quiet tasks, single errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pytest
import trio
import trio.testing

from rocketmq_lite.transport.nursery import ProtectedNursery, background_nursery, single_cause

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    Open: TypeAlias = Callable[[], AbstractAsyncContextManager[ProtectedNursery]]

either = pytest.mark.parametrize("open_nursery", [background_nursery, ProtectedNursery])


async def test_leaving_cancels_the_tasks() -> None:
    async with background_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)


@either
async def test_an_error_of_the_block_comes_out_as_it_is(open_nursery: Open) -> None:
    error = ValueError("mine")
    cause = KeyError("why")

    async def fail() -> None:
        async with open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise error from cause

    with pytest.raises(ValueError, match="mine") as caught:
        await fail()
    assert caught.value is error
    assert error.__cause__ is cause


@either
async def test_a_group_of_the_block_comes_out_as_it_is(open_nursery: Open) -> None:
    mine = ExceptionGroup("mine", [ValueError("a")])

    async def fail() -> None:
        async with open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise mine

    with pytest.raises(ExceptionGroup) as caught:
        await fail()
    assert caught.value is mine


@either
async def test_an_error_of_a_task_comes_out_as_it_is(open_nursery: Open) -> None:
    async def fail() -> None:
        raise ValueError("task")

    async def wait_for_it() -> None:
        async with open_nursery() as nursery:
            nursery.start_soon(fail)
            await trio.sleep_forever()

    with pytest.raises(ValueError, match="task"):
        await wait_for_it()


@either
async def test_two_errors_stay_a_group(open_nursery: Open) -> None:
    async def fail_when_cancelled() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise KeyError("task")

    async def fail_both() -> None:
        async with open_nursery() as nursery:
            nursery.start_soon(fail_when_cancelled)
            await trio.testing.wait_all_tasks_blocked()
            raise ValueError("block")

    with pytest.RaisesGroup(KeyError, ValueError):
        await fail_both()


async def test_cancellation_from_outside_passes() -> None:
    with trio.CancelScope() as scope:
        async with background_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught


async def test_tasks_go_on_until_a_cancelled_block_has_been_left() -> None:
    send, receive = trio.open_memory_channel[str](0)
    answers: list[str] = []

    async def answer() -> None:
        answers.append(await receive.receive())

    with trio.CancelScope() as scope:
        async with background_nursery() as nursery:
            nursery.start_soon(answer)
            try:
                scope.cancel()
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await send.send("goodbye")
    assert scope.cancelled_caught
    assert answers == ["goodbye"]


def test_an_error_beside_cancellations_is_single() -> None:
    inner = ValueError()
    group = BaseExceptionGroup("", [BaseExceptionGroup("", [inner])])
    assert single_cause(group) is inner
    assert single_cause(BaseExceptionGroup("", [inner, KeyError()])) is None
