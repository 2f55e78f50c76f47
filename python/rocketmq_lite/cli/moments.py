"""Times as they are typed."""

from __future__ import annotations

from datetime import datetime

from rocketmq_lite.cli.failures import UsageFault


def parse_time(option: str, text: str, *, otherwise: str = "") -> datetime:
    """An ISO 8601 time, local unless it has an offset.

    Args:
        option: The option it was given with, for the complaint.
        text: What was typed.
        otherwise: What might have been given instead, for the complaint.

    Raises:
        UsageFault: It is no time.
    """
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        what = f"neither {otherwise} nor a time" if otherwise else "no time"
        raise UsageFault(f"{option} {text} is {what}", hint="for example 2026-11-23T09:00") from None
