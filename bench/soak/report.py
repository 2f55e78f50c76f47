"""The page that a soak leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import machine
from bench.soak.run import BATCH, BODY, QUEUES

if TYPE_CHECKING:
    from pathlib import Path

    from bench.soak.run import Seen

_RATE, _MEMORY_MB, _START_SECONDS = 0.90, 150, 2.0


def write_report(path: Path, seen: list[Seen]) -> None:
    """Write the page; directories are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(seen))


def render(seen: list[Seen]) -> str:
    """The page as text."""
    lines = [
        "# A store filled to the brim",
        "",
        f"`make soak-store` at commit {machine.commit()}.",
        *(f"{name}: {value}." for name, value in machine.describe().items()),
        f"Batches of {BATCH} messages of {BODY} bytes to {QUEUES} queues of one `rmq broker`, asynchronous flush.",
        "",
        "| | "
        + " | ".join(f"{run.plan.messages:,} messages, {_NAMES[run.plan.variant]}" for run in seen)
        + " |",
        "|---|" + "---|" * len(seen),
    ]
    rows = [_rows(run) for run in seen]
    lines += [
        f"| {cells[0][0]} | " + " | ".join(cell for _, cell in cells) + " |"
        for cells in zip(*rows, strict=True)
    ]
    return "\n".join(lines) + "\n"


_NAMES = {"plain": "without unique keys", "keys": "with unique keys"}


def _rows(run: Seen) -> list[tuple[str, str]]:
    first, last = run.tenths[0], run.tenths[-1]
    return [
        ("commit log", f"{run.log_bytes / 1e9:.1f} GB"),
        ("append rate of each tenth, 1000/s", ", ".join(f"{each.rate / 1000:.0f}" for each in run.tenths)),
        (f"last tenth of the first (aim {_RATE:.2f})", f"{last.rate / first.rate:.2f}"),
        ("broker's CPU of each tenth, µs a message", ", ".join(f"{each.cpu_us:.2f}" for each in run.tenths)),
        (f"most private memory, RssAnon (aim under {_MEMORY_MB} MB)", f"{run.memory:.0f} MB"),
        ("send to receipt at the head, p50 / p99", _pair(run.head_alone)),
        ("the same beside a reader from offset 0", _pair(run.head_beside)),
        ("that reader", f"{run.backlog_rate:,.0f} messages/s"),
        ("stopping in order", f"{run.stop:.2f} s"),
        (f"start after it, Python included (aim under {_START_SECONDS:.0f} s)", f"{run.clean_start:.2f} s"),
        ("log that no checkpoint covered at SIGKILL", f"{run.uncovered_bytes / 1e6:.0f} MB"),
        ("start after SIGKILL", f"{run.killed_start:.2f} s"),
    ]


def _pair(milliseconds: tuple[float, float]) -> str:
    return f"{milliseconds[0]:.2f} / {milliseconds[1]:.2f} ms"
