"""How a command ends: what went wrong as text on standard error, and the exit code.

Exit codes: 0 done, 1 failed, 2 usage (Typer's), 130 Ctrl-C. A closed pipe (`rmq topic ls | head -1`) is silent.
"""

from __future__ import annotations

import logging
import os
import sys

import typer

from rocketmq_lite.errors import RocketMQError
from rocketmq_lite.transport.nursery import leaves

FAILED = 1
USAGE = 2
INTERRUPTED = 130

LOGGER = logging.getLogger(__name__)


class UsageFault(Exception):
    """The arguments contradict each other or cannot be meant; ends with exit code 2."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def exit_code_of(error: BaseException) -> int:
    """Say on standard error what happened, why and what to do; return the exit code that belongs to it."""
    cause = _single_leaf(error)
    match cause:
        case typer.Exit():
            return cause.exit_code
        case KeyboardInterrupt():
            return INTERRUPTED
        case BrokenPipeError():
            _detach_standard_output()
            return 0
        case UsageFault():
            _say(str(cause), why="", hint=cause.hint)
            return USAGE
        case RocketMQError():
            _say(str(cause), why=_why(cause), hint=cause.hint)
            return FAILED
        case OSError():
            _say(_os_error_text(cause), why="", hint="")
            return FAILED
        case _:
            LOGGER.debug("unexpected error", exc_info=cause)
            raise error


def _single_leaf(error: BaseException) -> BaseException:
    """The one error inside nested groups (Trio wraps what leaves a nursery); a Ctrl-C among them wins."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    inside = leaves(error)
    interrupts = [leaf for leaf in inside if isinstance(leaf, KeyboardInterrupt)]
    return (interrupts or inside)[0]


def _say(what: str, *, why: str, hint: str) -> None:
    lines = [f"error: {what}"]
    if why and why not in what:
        lines.append(f"  why: {why}")
    if hint:
        lines.append(f"  try: {hint}")
    sys.stderr.write("\n".join(lines) + "\n")


def _why(error: RocketMQError) -> str:
    cause = error.__cause__
    if isinstance(cause, BaseExceptionGroup):
        cause = _single_leaf(cause)
    if isinstance(cause, OSError):
        return cause.strerror or str(cause)
    return str(cause) if cause is not None else ""


def _os_error_text(error: OSError) -> str:
    text = error.strerror or str(error)
    return f"{error.filename}: {text}" if error.filename else text


def _detach_standard_output() -> None:
    """Keep the interpreter's flush at exit from complaining about the closed pipe once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
