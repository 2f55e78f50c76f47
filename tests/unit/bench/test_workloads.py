"""The workloads that come with the bench are complete: a misspelt word would be found in the middle of a long run."""

from __future__ import annotations

from dataclasses import fields

import pytest
from bench import clients, workload
from bench.drivers import DRIVERS
from bench.figures import UNITS
from bench.loads.handshake import Job
from bench.run import RUNNERS_OWN
from bench.workload import Workload

WORKLOADS = workload.read_all(workload.FOLDER)
KINDS = {"send", "bulk", "drain", "paced", "embedded", *RUNNERS_OWN}


@pytest.mark.parametrize("each", WORKLOADS, ids=lambda each: each.name)
def test_a_workload_uses_words_that_there_are(each: Workload) -> None:
    assert each.kind in KINDS
    assert each.flush in {"async", "sync"}
    assert each.figure in UNITS
    job = {field.name for field in fields(Job)}
    assert each.load.keys() <= job
    assert (each.quick or {}).keys() <= job
    for entrant in each.entrants:
        assert entrant.server in DRIVERS
        assert (entrant.client in clients.NAMES) != (each.kind in RUNNERS_OWN)


@pytest.mark.parametrize("each", WORKLOADS, ids=lambda each: each.name)
def test_aims_are_about_entrants_of_the_workload(each: Workload) -> None:
    entrants = {str(entrant) for entrant in each.entrants}
    assert each.aims
    for aim in each.aims:
        assert {aim.entrant, aim.times or aim.entrant, aim.above or aim.entrant} <= entrants
        assert aim.figure in UNITS
        assert (aim.at_least is None) != (aim.at_most is None)


def test_ours_come_first() -> None:
    firsts = {each.entrants[0].server for each in WORKLOADS}
    assert firsts == {"lite", "machine"}


def test_a_quick_run_differs_only_where_it_says_so() -> None:
    each = Workload(
        "name",
        "title",
        "send",
        "rate",
        (),
        load={"size": 1024, "seconds": 9},
        quick={"seconds": 1},
        flush="sync",
    )
    assert each.job(quick=False) == {"size": 1024, "seconds": 9, "sync": True}
    assert each.job(quick=True) == {"size": 1024, "seconds": 1, "sync": True}
