"""Measures: workloads by drivers, all in one run, interleaved.

    python -m bench.run [--quick] [--only NAME...] [--rounds 3] [--results DIR]

Each round measures every entrant of a workload once, so that a machine whose speed drifts favours none. What is not
installed is skipped by name. Results are JSON, a file for each workload; the report is made of them (bench.report).
"""

from __future__ import annotations

import argparse
import compileall
import os
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench import clients, machine, measure, report, results, workload
from bench.drivers import DRIVERS
from bench.load import LoadError
from bench.pool import WARM_UP_SECONDS, Pool
from bench.results import Entry, Result
from tests.interop.processes import StartError

import rocketmq_lite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.workload import Entrant, Workload

ROUNDS = 3
QUICK_ROUNDS = 1
QUICK_WARM_UP_SECONDS = 4.0
RUNNERS_OWN = {"startup": measure.start_up, "idle": measure.idle}
"""Kinds of workload without a load program."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the arguments say; 1 when some of it failed."""
    options = _parse(arguments)
    chosen = _choose(options.workloads, options.only, quick=options.quick)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    warm_up = QUICK_WARM_UP_SECONDS if options.quick else WARM_UP_SECONDS
    _install()
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=options.data) as directory,
        Pool(Path(directory), warm_up=warm_up) as pool,
    ):
        run = _Run(pool, Path(directory), rounds)
        failed = False
        begun = time.monotonic()
        for number, each in enumerate(chosen, 1):
            so_far = time.monotonic() - begun
            _say(f"{number} of {len(chosen)}, {so_far:.0f} s so far, {each.name}: {each.title}")
            result = run.measure(each)
            results.write(result, options.results)
            failed = failed or bool(result.failures)
    path = report.write(options.results)
    _say(f"report: {path}\nchart:  {path.with_suffix('.svg')}\nraw:    {options.results}/*.json")
    return int(failed)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="short, and only what can be short")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="workloads whose names begin so")
    parser.add_argument("--rounds", type=int, help=f"default {ROUNDS}, quick {QUICK_ROUNDS}")
    parser.add_argument("--results", type=Path, default=results.FOLDER / "local", help="where results go")
    parser.add_argument("--workloads", type=Path, default=workload.FOLDER, help="where workloads are")
    parser.add_argument("--data", type=Path, help="where servers keep their files (the system's default)")
    return parser.parse_args(arguments)


def _install() -> None:
    """Compile the package as pip does; else an environment that forbids bytecode compiles it at each start."""
    compileall.compile_dir(Path(rocketmq_lite.__file__).parent, quiet=1)


def _choose(folder: Path, only: Sequence[str] | None, *, quick: bool) -> list[Workload]:
    found = [
        chosen
        for each in workload.read_all(folder)
        if not only or each.name.startswith(tuple(only))
        if (chosen := each.shortened() if quick else each)
    ]
    if not found:
        sys.exit(f"no workload begins with {' or '.join(only or ['anything'])}; see {folder}")
    return found


class _Run:
    """One run: its servers, and how often each entrant is measured."""

    def __init__(self, pool: Pool, directory: Path, rounds: int) -> None:
        self._pool = pool
        self._directory = directory
        self._rounds = rounds

    def measure(self, each: Workload) -> Result:
        """All rounds of a workload."""
        result = Result(
            name=each.name,
            title=each.title,
            figure=each.figure,
            job=each.job,
            commit=machine.commit(),
            measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=machine.describe(),
            aims=list(each.aims),
        )
        present = _present(each, result)
        for number in range(self._rounds):
            for entrant in present:
                self._measure_one(each, entrant, number, result)
        return result

    def _measure_one(self, each: Workload, entrant: Entrant, number: int, result: Result) -> None:
        """One round of one entrant, added to the result; a failure is said and leaves no sample."""
        entry = result.entries[str(entrant)]
        os.sync()  # what one left unwritten is not written back in the next one's time
        try:
            sample, entry.client = self._sample(each, entrant, number, result)
        except (LoadError, StartError, TimeoutError) as error:
            result.failures.append(f"{entrant}, round {number + 1}: {error}")
            _say(f"  failed: {result.failures[-1]}")
            return
        entry.samples.append(sample)
        shown = "  ".join(f"{name} {value:,.1f}" for name, value in sample.items())
        _say(f"  {entrant}: {shown}")

    def _sample(
        self, each: Workload, entrant: Entrant, number: int, result: Result
    ) -> tuple[dict[str, float], str]:
        if each.kind in RUNNERS_OWN:
            self._pool.freeze_others()
            own = RUNNERS_OWN[each.kind]
            return own(entrant.server, self._directory / each.kind, result.job), entrant.client
        running = self._pool.alone(entrant.server, each.flush)
        # Names of their own for each entrant and round: two clients may share a server, and a group reads once.
        topic = f"{each.name}-{entrant.client}"
        group = f"{topic}-{os.getpid()}-{number}"
        job = {**result.job, "kind": each.kind, "topic": topic, "group": group}
        if number == 0:
            measure.prepare(DRIVERS[entrant.server], running, job)
        return measure.loaded(entrant.client, running, job)


def _present(each: Workload, result: Result) -> list[Entrant]:
    """The entrants that can take part; why others cannot is kept and said."""
    present = []
    for entrant in each.entrants:
        driver = DRIVERS[entrant.server]
        needed = dict.fromkeys(client for client in (entrant.client, driver.prepares_with) if client)
        needs = [what for what in (driver.missing(), *map(clients.missing, needed)) if what]
        if needs:
            result.skipped[str(entrant)] = " and ".join(needs)
            _say(f"  {entrant}: skipped, it needs {result.skipped[str(entrant)]}")
            continue
        present.append(entrant)
        server = f"{driver.title} {driver.version()}"
        result.entries[str(entrant)] = Entry(server, entrant.client, driver.durability(each.flush))
    return present


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    # Servers must be ended, also when somebody ends the run.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(main())
