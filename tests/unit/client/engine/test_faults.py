"""Which brokers a send goes around."""

from __future__ import annotations

from rocketmq_lite.client.engine.faults import AVOID_SECONDS, BrokerFaults

ALL = ("a", "b", "c")


def test_nothing_is_avoided_without_a_reason():
    assert BrokerFaults().around(ALL, None, 0.0) == frozenset()
    assert BrokerFaults().around((), None, 0.0) == frozenset()


def test_a_broker_that_failed_is_avoided_for_a_while():
    faults = BrokerFaults()
    faults.failed("a", 5.0)
    assert faults.around(ALL, None, 5.0) == {"a"}
    assert faults.around(ALL, "b", 5.0 + AVOID_SECONDS - 0.1) == {"a", "b"}
    assert faults.around(ALL, None, 5.0 + AVOID_SECONDS) == frozenset()


def test_an_answer_ends_it():
    faults = BrokerFaults()
    faults.failed("a", 0.0)
    faults.answered("a")
    faults.answered("b")
    assert faults.around(ALL, None, 1.0) == frozenset()


def test_when_all_have_failed_only_the_last_one_is_avoided():
    faults = BrokerFaults()
    for name in ALL:
        faults.failed(name, 0.0)
    assert faults.around(ALL, None, 1.0) == frozenset()
    assert faults.around(ALL, "b", 1.0) == {"b"}
    assert faults.around(("b",), "b", 1.0) == {"b"}
