"""The program of bench/micro that loads a broker, or answers in its place; built once with cargo."""

from __future__ import annotations

from pathlib import Path

PROGRAM = Path(__file__).parent.parent.parent / "target" / "release" / "rmq-load"


def missing() -> str | None:
    """How to build it."""
    if PROGRAM.exists():
        return None
    return "target/release/rmq-load (make bench-peers, or: cargo build --release -p rocketmq-lite-bench)"
