"""Processor time and memory of processes, from /proc."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_TICKS = os.sysconf("SC_CLK_TCK")
# Fields 14 and 15 of proc(5)'s stat, counted behind the name, which may hold blanks.
_UTIME, _STIME = 11, 12


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of processes since they started, ended threads included."""
    return sum(_cpu_ticks(pid) for pid in pids) / _TICKS


def _cpu_ticks(pid: int) -> int:
    behind_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(behind_name[_UTIME]) + int(behind_name[_STIME])


def resident_mb(pids: Iterable[int], field: str = "VmRSS") -> float:
    """Memory in RAM; `RssAnon` leaves out what is mapped from files."""
    return sum(_status_kb(pid, field) for pid in pids) / 1024


def _status_kb(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise LookupError(f"process {pid} has no {field}: it has ended")
