"""From results to a page: a table and a chart of every workload, and the aims with what came of them.

python -m bench.report [DIR]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bench import chart, results
from bench.figures import UNITS, judge, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.figures import Verdict
    from bench.results import Entry, Result

NAME = "report.md"
CHART = "report.svg"

HEADINGS = {
    "rate": "messages/s",
    "p50_us": "p50 µs",
    "p99_us": "p99 µs",
    "p999_us": "p99.9 µs",
    "server_cpu_us": "server CPU µs/msg",
    "client_cpu_us": "client CPU µs/msg",
    "server_rss_mb": "server RSS MB",
    "server_anon_mb": "of it anonymous",
    "client_rss_mb": "client RSS MB",
    "start_ms": "start ms",
    "idle_cpu_percent": "idle CPU %",
}
_MET = {True: "yes", False: "**no**", None: "not measured"}


def write(folder: Path) -> Path:
    """Write the report and its chart beside the results; returns the report's path.

    Raises:
        FileNotFoundError: There are no results.
    """
    found = results.read_all(folder)
    if not found:
        raise FileNotFoundError(f"no results in {folder}; python -m bench.run makes some")
    (folder / CHART).write_text(chart.draw(found))
    path = folder / NAME
    path.write_text("\n".join(_page(found)) + "\n")
    return path


def _page(found: Sequence[Result]) -> Iterable[str]:
    commits = dict.fromkeys(result.commit for result in found)
    yield "# What was measured"
    yield ""
    yield f"Commit {', '.join(commits)}; {found[0].measured_at} to {found[-1].measured_at}."
    yield "Each figure is the median of its rounds, with the least and the most; the rounds were interleaved."
    yield "Servers and clients share the machine. [bench/README.md](../../README.md) says how it is done."
    yield ""
    yield from _table(["machine", ""], found[0].machine.items())
    yield f"![Chart of all workloads]({CHART})"
    yield ""
    yield "## Aims"
    yield ""
    yield from _table(
        ["workload", "whose", "aim", "found", "bound", "met"],
        (row for result in found for row in _verdicts(result)),
    )
    for result in found:
        yield from _section(result)


def _section(result: Result) -> Iterable[str]:
    yield f"## {result.title}"
    yield ""
    yield f"`{result.name}`: {', '.join(f'{name} {value}' for name, value in result.job.items())}"
    yield ""
    shown = [name for name in HEADINGS if any(spread(s, name) for s in result.samples.values())]
    yield from _table(
        ["", *(HEADINGS[name] for name in shown), "server", "client", "acknowledged means"],
        ([name, *_figures(entry, shown), *_who(entry)] for name, entry in result.entries.items()),
    )
    for name, what in result.skipped.items():
        yield f"Skipped: {name}, which needs {what}."
        yield ""
    for failure in result.failures:
        yield f"Failed: {failure.splitlines()[0]}"
        yield ""


def _figures(entry: Entry, names: Sequence[str]) -> Iterable[str]:
    for name in names:
        found = spread(entry.samples, name)
        if found is None:
            yield "-"
        elif len(entry.samples) == 1:
            yield _number(found.median)
        else:
            yield f"{_number(found.median)} ({_number(found.least)} to {_number(found.most)})"


def _who(entry: Entry) -> tuple[str, str, str]:
    return entry.server, entry.client or "-", entry.durability


def _verdicts(result: Result) -> Iterable[Sequence[str]]:
    for aim in result.aims:
        verdict = judge(aim, result.samples)
        yield result.name, aim.entrant, str(aim), *_found(verdict), _MET[verdict.met]


def _found(verdict: Verdict) -> tuple[str, str]:
    unit = UNITS[verdict.aim.figure]
    found, bound = (
        "-" if value is None else f"{_number(value)} {unit}" for value in (verdict.found, verdict.bound)
    )
    return found, bound


def _number(value: float) -> str:
    """Three digits are what such a figure is worth."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(heading)} |"
    yield "|---" * len(heading) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def main() -> None:
    """Write the report of a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=results.FOLDER / "local")
    print(write(parser.parse_args().folder))


if __name__ == "__main__":
    main()
