"""`rmq store`: look into a store directory, ours or Apache's, and repair it, while no broker runs on it."""

from __future__ import annotations

import itertools
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from rocketmq_lite.cli.confirm import confirm
from rocketmq_lite.cli.failures import FAILED
from rocketmq_lite.cli.message_text import body_record
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.render import show_line, show_record, show_rows
from rocketmq_lite.cli.store_text import plan_lines, result_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rocketmq_lite.protocol.framing import RawMessage
    from rocketmq_lite.storage import OfflineStore

app = typer.Typer(
    name="store", help="Look into a store directory that no broker uses, and repair it.", no_args_is_help=True
)

_SHOWN_FINDINGS: Final = 20

DirectoryArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", help="What --data named, or Apache's storePathRootDir.", show_default=False
    ),
]

LogOption = Annotated[
    str | None,
    typer.Option(
        "--commit-log",
        metavar="PATH[,PATH]",
        help="Where the log is, if not in commitlog of DIR: Apache's storePathCommitLog.",
    ),
]


def inspect(options: GlobalOptions, directory: DirectoryArgument, commit_log: LogOption = None) -> None:
    """Show what is in a store: its log, its queues, how its broker ended."""
    found = _open(directory, commit_log).inspect()
    queues: list[tuple[str, int, int, int]] = found.pop("queues")  # type: ignore[assignment]
    rows = [
        {"topic": topic, "queue": queue, "min": first, "max": following, "messages": following - first}
        for topic, queue, first, following in queues
    ]
    record = {**found, "index_files": found["index_files"], "queues": rows}
    if options.json:
        show_record(record, options)
        return
    show_record({**found, "index_files": len(found["index_files"]), "queues": len(rows)}, options)  # type: ignore[arg-type]
    sys.stdout.write("\n")
    show_rows(rows, options, empty="there are no queues")


def verify(options: GlobalOptions, directory: DirectoryArgument, commit_log: LogOption = None) -> None:
    """Check every record and every queue entry. Ends with 1 if the store is damaged."""
    store = _open(directory, commit_log)
    with _progress("verify") as advance:
        report = store.verify(advance)
    findings: list[dict[str, object]] = report["findings"]  # type: ignore[assignment]
    if options.json:
        show_record(report, options)
    else:
        show_record({name: value for name, value in report.items() if name != "findings"}, options)
        for finding in findings[:_SHOWN_FINDINGS]:
            sys.stdout.write(
                f"{finding['kind']}: {finding['file']} at {finding['offset']}: {finding['what']} should be "
                f"{finding['expected']}, but is {finding['found']}\n"
            )
    if not report["sound"]:
        raise typer.Exit(FAILED)


def dump(
    options: GlobalOptions,
    directory: DirectoryArgument,
    commit_log: LogOption = None,
    start: Annotated[
        int | None,
        typer.Option("--from", metavar="POSITION", min=0, help="Log position where a record begins."),
    ] = None,
    topic: Annotated[str | None, typer.Option("--topic", metavar="T", help="Only this topic.")] = None,
    count: Annotated[int | None, typer.Option("--count", min=1, help="Stop after so many.")] = None,
) -> None:
    """Print the records of the log, oldest first."""
    records = _open(directory, commit_log).records(start)
    wanted = (record for record in records if topic in {None, record.topic})
    for record in itertools.islice(wanted, count):
        shown = _record(record)
        text = f"{shown['position']} {record.topic}/{record.queue_id}@{record.queue_offset}"
        show_line(shown, options, text=f"{text} {record.body.decode(errors='replace')}")


def repair(
    options: GlobalOptions,
    directory: DirectoryArgument,
    commit_log: LogOption = None,
    remake: Annotated[
        bool,
        typer.Option(
            "--remake", help="Make queue entries and index again even if nothing is wrong with them."
        ),
    ] = False,
) -> None:
    """Make a damaged store one that a broker starts with. Shows its plan and asks first."""
    from rocketmq_lite.storage import OfflineRepair, OfflineStore, store_root

    log_dirs = _log_dirs(commit_log)
    root = store_root(directory, log_dirs)
    work = OfflineRepair(root, log_dirs, remake=remake)
    with _progress("check") as advance:
        plan = work.plan(advance)
    done: dict[str, object] = {"cut_to": None, "set_aside": [], "recovery": None}
    report = plan.pop("report")
    if plan["needed"]:
        confirm("\n".join(plan_lines(root, plan)), options)
        with _progress("repair"):
            done = work.apply()
        with _progress("verify") as advance:
            report = OfflineStore(root, log_dirs).verify(advance)
    record = {"repaired": plan["needed"], "sound": report["sound"], "plan": plan, **done}
    record |= {"counts": report["counts"], "findings": report["findings"]}
    if options.json:
        show_record(record, options)
    else:
        for line in result_lines(record):
            sys.stdout.write(line + "\n")
    if not report["sound"]:
        raise typer.Exit(FAILED)


def _record(message: RawMessage) -> dict[str, object]:
    stored = datetime.fromtimestamp(message.store_timestamp / 1000, UTC)
    return {
        "position": message.physical_offset,
        "size": message.size,
        "topic": message.topic,
        "queue": message.queue_id,
        "offset": message.queue_offset,
        "sys_flag": message.sys_flag,
        "properties": dict(message.properties),
        "stored_at": stored.isoformat(timespec="milliseconds"),
        **body_record(message.body),
    }


def _open(directory: Path, commit_log: str | None) -> OfflineStore:
    from rocketmq_lite.storage import OfflineStore, store_root

    log_dirs = _log_dirs(commit_log)
    return OfflineStore(store_root(directory, log_dirs), log_dirs)


def _log_dirs(commit_log: str | None) -> list[Path]:
    return [Path(part) for part in (commit_log or "").split(",") if part]


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error when that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _position, _end: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda position, end: progress.update(task, completed=position, total=end)


for command in (inspect, verify, dump, repair):
    app.command()(with_global_options(command))
