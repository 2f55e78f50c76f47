"""The workloads that come with the bench are complete: a misspelt word would be found in the middle of a long run."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from bench import clients, workload
from bench.drivers import DRIVERS
from bench.figures import UNITS
from bench.loads.handshake import Job
from bench.run import RUNNERS_OWN
from bench.workload import Entrant, Workload

WORKLOADS = workload.read_all(workload.FOLDER)
KINDS = {"send", "bulk", "drain", "paced", "embedded", *RUNNERS_OWN}


@pytest.mark.parametrize("each", WORKLOADS, ids=lambda each: each.name)
def test_a_workload_uses_words_that_there_are(each: Workload) -> None:
    assert each.kind in KINDS
    assert each.flush in {"async", "sync"}
    assert each.figure in UNITS
    job = {field.name for field in fields(Job)}
    assert each.load.keys() <= job
    assert (each.quick or {}).keys() <= {*job, "entrants"}
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
        (Entrant("lite", "java"), Entrant("apache", "java")),
        load={"size": 1024, "seconds": 9},
        flush="sync",
    )
    assert each.shortened() is None
    assert each.job == {"size": 1024, "seconds": 9, "sync": True}
    shorter = replace(each, quick={"seconds": 1}).shortened()
    assert shorter is not None
    assert shorter.job == {"size": 1024, "seconds": 1, "sync": True}
    assert shorter.entrants == each.entrants
    fewer = replace(each, quick={"entrants": ["apache/java"]}).shortened()
    assert fewer is not None
    assert fewer.job == each.job
    assert fewer.entrants == (Entrant("apache", "java"),)


@pytest.mark.parametrize("each", WORKLOADS, ids=lambda each: each.name)
def test_a_quick_run_keeps_ours_and_starts_one_slow_server_at_most(each: Workload) -> None:
    shorter = each.shortened()
    if shorter is None:
        return
    assert shorter.entrants[0] == each.entrants[0]
    assert set(shorter.entrants) <= set(each.entrants)
    slow = {(e.server, each.flush) for e in shorter.entrants if DRIVERS[e.server].idles_loudly}
    assert slow <= {("apache", "async")}
