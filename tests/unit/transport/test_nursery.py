"""What a block raises comes out as it went in; what a background task raises comes out alone."""

from __future__ import annotations

import pytest
import trio

from rocketmq_lite.transport.nursery import background_nursery


async def fail(error: BaseException) -> None:
    raise error


async def test_background_tasks_end_with_the_block():
    async with background_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)


async def run_block(error: BaseException | None = None, *, failing_task: BaseException | None = None) -> None:
    """A block inside two of them that raises, waits for a task that fails, or both."""
    async with background_nursery(), background_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        if failing_task is not None:
            nursery.start_soon(fail, failing_task)
        if error is not None:
            raise error
        await trio.sleep_forever()


@pytest.mark.parametrize("error", [ValueError("a"), ExceptionGroup("mine", [ValueError("a")])])
async def test_the_blocks_own_error_is_unchanged(error):
    with pytest.raises(type(error)) as caught:
        await run_block(error)
    assert caught.value is error


async def test_an_error_of_a_task_comes_out_alone():
    with pytest.raises(KeyError):
        await run_block(failing_task=KeyError("k"))


async def test_two_errors_come_out_as_a_group():
    with pytest.raises(ExceptionGroup) as caught:
        await run_block(ValueError("a"), failing_task=KeyError("k"))
    assert caught.group_contains(ValueError)
    assert caught.group_contains(KeyError)


async def test_a_cancellation_ends_at_the_scope_that_asked_for_it():
    with trio.CancelScope() as scope:
        async with background_nursery():
            scope.cancel()
            async with trio.open_nursery() as inner:
                inner.start_soon(trio.sleep_forever)
    assert scope.cancelled_caught
