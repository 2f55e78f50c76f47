"""Results on standard output: a table for a person, JSON for a program; docs/cli.md has the JSON's schema."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rocketmq_lite.cli.options import GlobalOptions


_ENDLESS: Final = 10_000


def show_rows(rows: Sequence[Mapping[str, object]], options: GlobalOptions, *, empty: str) -> None:
    """Print `rows`, whose keys are the columns; `empty` is said on standard error when there are none.

    JSON is one array of objects. A table has the keys as its heading.
    """
    if options.json:
        _write_json(list(rows))
    elif rows:
        _write_table(rows)
    else:
        sys.stderr.write(empty + "\n")


def show_record(record: Mapping[str, object], options: GlobalOptions) -> None:
    """Print one thing: a JSON object, or `name  value` lines."""
    if options.json:
        _write_json(record)
        return
    width = max(map(len, record), default=0)
    sys.stdout.writelines(f"{name:<{width}}  {_text(value)}\n" for name, value in record.items())


def show_heading(text: str) -> None:
    """A line above a part of what a person reads."""
    sys.stdout.write(f"\n{text}\n")


def time_text(milliseconds: int) -> str | None:
    """A time of RocketMQ's as ISO 8601; None for none (0 or less)."""
    if milliseconds <= 0:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).isoformat(timespec="milliseconds")


def show_line(record: Mapping[str, object], options: GlobalOptions, *, text: str) -> None:
    """Print one of many as it comes: a line of JSON, or `text`."""
    sys.stdout.write((json.dumps(record, ensure_ascii=False) if options.json else text) + "\n")
    sys.stdout.flush()


def _write_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _write_table(rows: Sequence[Mapping[str, object]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in rows[0]:
        numeric = all(isinstance(row[name], (int, float)) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    # Only a terminal has an edge: what goes elsewhere keeps its lines whole.
    width = None if sys.stdout.isatty() else _ENDLESS
    Console(markup=False, highlight=False, width=width).print(table)


def _text(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(str, value))
        case dict():
            return ", ".join(f"{name}={each}" for name, each in value.items())
        case _:
            return str(value)
