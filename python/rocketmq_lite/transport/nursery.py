"""A nursery for the background tasks of a context manager.

A plain nursery wraps whatever its body raises into an exception group; a user whose ``async with`` block
raises ``TopicNotFound`` would have to catch a group because of tasks he cannot see.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NoReturn

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["background_nursery", "leaves", "single_cause"]


def single_cause(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """The only error in a group, not counting cancellations that came with it; ``None`` if there are several.

    A group of nothing but cancellations answers one of them: it must go on to the scope that cancelled.
    """
    inside = leaves(group)
    errors = [leaf for leaf in inside if not isinstance(leaf, trio.Cancelled)]
    if not errors:
        return inside[0]
    return errors[0] if len(errors) == 1 else None


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The errors in a group and in the groups inside it, without the groups."""
    found: list[BaseException] = []
    for error in group.exceptions:
        found.extend(leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    return found


def _is_only(raised: BaseException | None, group: BaseExceptionGroup[BaseException]) -> bool:
    """Whether a group is nothing but that error, which may be a group too.

    Trio copies groups on their way out, so they are compared by what is in them. One with cancellations in
    it never qualifies: the scope that they belong to may have been left already.
    """
    if raised is None:
        return False
    inside = leaves(raised) if isinstance(raised, BaseExceptionGroup) else [raised]
    return inside == leaves(group) and not any(isinstance(leaf, trio.Cancelled) for leaf in inside)


@asynccontextmanager
@trio.lowlevel.enable_ki_protection
async def background_nursery() -> AsyncIterator[trio.Nursery]:
    """A nursery that is cancelled when its block ends, and lets a single error pass as it is.

    A cancellation from outside reaches the block alone. Its tasks go on until the block has been left, so that what
    the block still has to say can be said: they carry the connections. What the block itself raised passes unchanged,
    also when it is a group. A Ctrl-C between two lines of this function waits until it can be raised in the block or
    after it: the tasks would otherwise go on for ever.
    """
    raised: BaseException | None = None
    send, opened = trio.open_memory_channel[trio.Nursery](1)
    until_left = trio.CancelScope(shield=True)
    try:
        async with trio.open_nursery() as around:
            around.start_soon(_hold_open, until_left, send)
            try:
                yield await opened.receive()
            except BaseException as error:
                raised = error
                raise
            finally:
                until_left.cancel()
    except BaseExceptionGroup as group:
        cause = raised if _is_only(raised, group) else single_cause(group)
        if cause is None:
            raise
        raised = None
        _raise_as_it_is(cause)


@trio.lowlevel.enable_ki_protection
async def _hold_open(until: trio.CancelScope, opened: trio.MemorySendChannel[trio.Nursery]) -> None:
    """Keep a nursery open that only that scope ends; it may have been cancelled before."""
    try:
        with until:
            async with trio.open_nursery() as nursery:
                opened.send_nowait(nursery)
                await trio.sleep_forever()
    except BaseExceptionGroup as group:
        cause = single_cause(group)
        if cause is None:
            raise
        _raise_as_it_is(cause)


def _raise_as_it_is(cause: BaseException) -> NoReturn:
    """Raise out of a group that adds nothing; the error keeps the cause and context that it was raised with."""
    context = cause.__context__
    try:
        raise cause
    finally:
        cause.__context__ = context
        del cause, context
