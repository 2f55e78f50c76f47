"""What destructive commands do first: show their plan, and ask."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rocketmq_lite.cli.options import GlobalOptions


def confirm(plan: str, options: GlobalOptions, *, otherwise: str = "Nothing was changed.") -> None:
    """Say what is going to happen, and go on only when the user says yes, or gave --yes.

    Args:
        plan: Sentences on what will be done, to what, where.
        options: For --yes.
        otherwise: What is said when the answer is no.

    Raises:
        typer.Exit: With code 1: the answer is no, or nobody is there to give one.
    """
    sys.stderr.write(plan + "\n")
    if options.yes:
        return
    sys.stderr.write("Go on? [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip().lower()
    if answer not in {"y", "yes"}:
        sys.stderr.write(f"{otherwise} (--yes answers for you.)\n")
        raise typer.Exit(1)
