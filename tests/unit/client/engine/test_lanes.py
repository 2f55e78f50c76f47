"""Batches of different lanes never meet in a queue, and all queues get their share."""

from __future__ import annotations

from itertools import product

import pytest

from rocketmq_lite.client.engine.lanes import MAX_LANES, plan_lanes
from rocketmq_lite.model import MessageQueue


def queues(brokers: str, each: int) -> list[MessageQueue]:
    return [MessageQueue("T", broker, number) for broker, number in product(brokers, range(each))]


@pytest.mark.parametrize(("brokers", "each"), [("a", 1), ("a", 4), ("ab", 4), ("abc", 4), ("a", 20)])
@pytest.mark.parametrize("turn", [0, 1, 5, 8, 65_535])
def test_each_queue_belongs_to_one_lane(brokers, each, turn):
    there = queues(brokers, each)
    lanes = plan_lanes(len(there), turn)
    assert len(lanes) == min(MAX_LANES, len(there))
    shares = [{lane.assign_next(there, ()) for _ in range(len(there))} for lane in lanes]
    assert sum(map(len, shares)) == len(there)
    assert set().union(*shares) == set(there)


def test_brokers_take_turns():
    there = queues("ab", 2)
    chosen = [lane.assign_next(there, ()) for lane in plan_lanes(4, 0)]
    assert chosen == [MessageQueue("T", broker, number) for number in (0, 1) for broker in "ab"]


def test_the_next_call_begins_with_another_queue():
    there = queues("a", 20)
    first = [plan_lanes(20, turn)[0].assign_next(there, ()) for turn in range(20)]
    assert len(set(first)) >= 16


def test_a_lane_avoids_the_broker_that_failed():
    there = queues("ab", 2)
    for lane in plan_lanes(4, 0):
        assert lane.assign_next(there, {"a"}) in queues("b", 2)
    [lane] = plan_lanes(1, 0)
    assert lane.assign_next(queues("a", 1), {"a"}) == MessageQueue("T", "a", 0), "better than none"
    assert lane.assign_next([], ()) is None


def test_a_lane_without_queues_of_its_own_uses_the_others():
    lanes = plan_lanes(4, 0)
    there = queues("a", 1)
    assert {lane.assign_next(there, ()) for lane in lanes} == set(there)
