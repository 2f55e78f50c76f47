"""Rates from counters."""

from rocketmq_lite.broker.engine.rates import Rates


def test_without_two_samples_there_is_no_rate() -> None:
    rates = Rates()
    assert rates.rates("in") == (0.0, 0.0, 0.0)
    rates.sample(0.0, {"in": 7})
    assert rates.text("in") == "0.0 0.0 0.0"


def test_each_window_sees_its_own_past() -> None:
    rates = Rates()
    for second in range(0, 700, 10):
        rates.sample(float(second), {"in": 0 if second < 680 else (second - 670) * 10})
    ten, sixty, six_hundred = rates.rates("in")
    assert ten == 10.0
    assert sixty == 200 / 60
    assert six_hundred == 200 / 600


def test_old_samples_are_forgotten_but_for_the_one_that_begins_the_longest_window() -> None:
    rates = Rates()
    for second in range(10_000):
        rates.sample(float(second), {"in": second})
    assert rates.rates("in") == (1.0, 1.0, 1.0)
    assert len(rates._samples) == 601
