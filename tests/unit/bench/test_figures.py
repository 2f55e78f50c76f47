from __future__ import annotations

import pytest
from bench.figures import Aim, Spread, Verdict, judge, spread

SAMPLES = {
    "lite/java": [
        {"rate": 300.0, "p99_us": 9.0},
        {"rate": 100.0, "p99_us": 5.0},
        {"rate": 200.0, "p99_us": 7.0},
    ],
    "apache/java": [{"rate": 100.0, "p99_us": 20.0}],
    "null/java": [],
}


def test_a_spread_has_median_least_and_most() -> None:
    assert spread(SAMPLES["lite/java"], "rate") == Spread(median=200.0, least=100.0, most=300.0)


def test_a_figure_that_no_round_showed_has_no_spread() -> None:
    assert spread(SAMPLES["lite/java"], "start_ms") is None
    assert spread([], "rate") is None


@pytest.mark.parametrize(
    ("aim", "found", "bound", "met"),
    [
        (Aim("lite/java", "rate", at_least=200), 200.0, 200.0, True),
        (Aim("lite/java", "rate", at_least=201), 200.0, 201.0, False),
        (Aim("lite/java", "p99_us", at_most=7), 7.0, 7.0, True),
        (Aim("lite/java", "p99_us", at_most=6.9), 7.0, 6.9, False),
        (Aim("lite/java", "rate", at_least=2, times="apache/java"), 200.0, 200.0, True),
        (Aim("lite/java", "rate", at_least=2.1, times="apache/java"), 200.0, 210.0, False),
        (Aim("lite/java", "p99_us", at_most=0.5, times="apache/java"), 7.0, 10.0, True),
        (Aim("apache/java", "p99_us", at_most=13, above="lite/java"), 13.0, 13.0, True),
        (Aim("apache/java", "p99_us", at_most=12, above="lite/java"), 13.0, 12.0, False),
    ],
    ids=str,
)
def test_an_aim_is_held_against_medians(aim: Aim, found: float, bound: float, met: bool) -> None:
    verdict = judge(aim, SAMPLES)
    assert verdict == Verdict(aim, found, bound, met=met)


@pytest.mark.parametrize("peer", ["null/java", "nats/nats"])
def test_without_the_peers_figure_there_is_no_verdict(peer: str) -> None:
    verdict = judge(Aim("lite/java", "rate", at_least=0.9, times=peer), SAMPLES)
    assert (verdict.found, verdict.met) == (200.0, None)


def test_without_our_own_figure_there_is_no_verdict() -> None:
    assert judge(Aim("null/java", "rate", at_least=1), SAMPLES).met is None
