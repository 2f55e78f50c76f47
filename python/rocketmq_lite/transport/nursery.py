"""Where our own tasks run: nurseries that a Ctrl-C spares, and that raise a single error without a group around it.

Python raises ``KeyboardInterrupt`` at whatever line is running. It belongs to the user's main task; in a task that he
cannot see it would lose an answer, or leave a caller waiting for ever. Trio asks the frames that are running, from the
innermost outwards, whether one is marked, and tasks inherit no mark, neither from the nursery nor from who starts them.
So every task of ours is started by a :class:`ProtectedNursery`, which puts a marked frame below it: what would strike
there goes to the main task instead. User code that such a task calls (``on_event``, a strategy) is spared with it.

What runs in the user's task is struck, except where half a change would harm our tasks. Marked by
``enable_ki_protection`` are therefore both ways to call a server (``Pool.ask`` and ``post`` in ``rpc``: half a frame ends
a connection, and a call that is half entered gets no answer), closing the connections (``close_all``: it ends the calls
that wait), entering and leaving the nurseries here, and starting tasks in them (a nursery would wait for ever for one
that Trio has noted and not scheduled).

Trio wraps whatever leaves a nursery into a group; a user whose ``async with`` block raises ``TopicNotFound``, or who
presses Ctrl-C, would have to catch a group because of tasks that he cannot see.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVarTuple, final

import trio
from trio.lowlevel import enable_ki_protection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from types import TracebackType
    from typing import Self

__all__ = ["ProtectedNursery", "background_nursery", "leaves", "single_cause"]

Ts = TypeVarTuple("Ts")


@final
class ProtectedNursery:
    """Trio's nursery, for ``async with``, with what the top of the file says.

    What the block raised passes unchanged, also when it is a group, unless a task failed besides.
    """

    __slots__ = ("_nursery", "_opening")

    def __init__(self) -> None:
        self._opening = trio.open_nursery()

    @enable_ki_protection
    async def __aenter__(self) -> Self:
        self._nursery = await self._opening.__aenter__()
        return self

    @enable_ki_protection
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        try:
            return await self._opening.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            cause = error if _is_only(error, group) else single_cause(group)
            if cause is None:
                raise
        if cause is error:
            return False  # it goes on by itself
        try:
            _raise_as_it_is(cause)
        finally:
            del cause

    @property
    def cancel_scope(self) -> trio.CancelScope:
        """The scope of the block and all tasks."""
        return self._nursery.cancel_scope

    @enable_ki_protection
    def start_soon(self, run: Callable[[*Ts], Awaitable[object]], *args: *Ts) -> None:
        """Start a task.

        Raises:
            RuntimeError: The block has been left.
        """
        self._nursery.start_soon(_protected, run, args, name=run)

    @enable_ki_protection
    async def start(self, run: Callable[..., Awaitable[object]], *args: object) -> Any:  # noqa: ANN401 - as Trio's
        """Start a task and wait for what it calls ``task_status.started`` with."""
        return await self._nursery.start(_protected_start, run, args, name=run)


@enable_ki_protection
async def _protected(run: Callable[..., Awaitable[object]], args: tuple[object, ...]) -> None:
    await run(*args)


@enable_ki_protection
async def _protected_start(
    run: Callable[..., Awaitable[object]], args: tuple[object, ...], *, task_status: trio.TaskStatus[Any]
) -> None:
    await run(*args, task_status=task_status)


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
@enable_ki_protection
async def background_nursery() -> AsyncIterator[ProtectedNursery]:
    """The nursery of a context manager's tasks, which is cancelled when its block ends.

    A cancellation from outside reaches the block alone. Its tasks go on until the block has been left, so that what
    the block still has to say can be said: they carry the connections.
    """
    nursery, opened, until_left = ProtectedNursery(), trio.Event(), trio.CancelScope(shield=True)
    async with ProtectedNursery() as around:
        around.start_soon(_hold_open, nursery, opened, until_left)
        try:
            await opened.wait()
            yield nursery
        finally:
            until_left.cancel()


async def _hold_open(nursery: ProtectedNursery, opened: trio.Event, until: trio.CancelScope) -> None:
    """Keep a nursery open that only that scope ends; it may have been cancelled before."""
    with until:
        async with nursery:
            opened.set()
            await trio.sleep_forever()


def _raise_as_it_is(cause: BaseException) -> NoReturn:
    """Raise out of a group that adds nothing; the error keeps the cause and context that it was raised with."""
    context = cause.__context__
    try:
        raise cause
    finally:
        cause.__context__ = context
        del cause, context
