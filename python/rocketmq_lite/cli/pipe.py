"""The reader of our output: a command that runs until it is stopped has to notice that he has gone."""

from __future__ import annotations

import os
import stat
import sys

import trio


async def until_reader_leaves() -> None:
    """Raise once nobody can read standard output any more; that can be known of a pipe alone.

    Raises:
        BrokenPipeError: As the next write would.
    """
    descriptor = sys.stdout.fileno()
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return
    await trio.lowlevel.wait_readable(
        descriptor
    )  # the writing end is never that, but an error wakes every waiter
    raise BrokenPipeError
