"""AVG as Java splits, and the difference between two assignments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rocketmq_lite.client.engine.balance import Change, allocate_averagely, java_sorted, plan_change
from rocketmq_lite.model import MessageQueue


def queues(count: int, broker: str = "broker-a") -> list[MessageQueue]:
    return [MessageQueue("T", broker, index) for index in range(count)]


@pytest.mark.parametrize(
    ("count", "members", "expected"),
    [
        (4, ["a"], {"a": [0, 1, 2, 3]}),
        (4, ["a", "b"], {"a": [0, 1], "b": [2, 3]}),
        (5, ["a", "b"], {"a": [0, 1, 2], "b": [3, 4]}),
        (8, ["a", "b", "c"], {"a": [0, 1, 2], "b": [3, 4, 5], "c": [6, 7]}),
        (2, ["a", "b", "c"], {"a": [0], "b": [1], "c": []}),
        (0, ["a", "b"], {"a": [], "b": []}),
    ],
)
def test_parts_are_consecutive_and_the_first_members_take_the_rest(count, members, expected):
    for member, ids in expected.items():
        assert [queue.queue_id for queue in allocate_averagely(queues(count), members, member)] == ids


def test_order_of_the_lists_does_not_matter():
    shuffled = list(reversed(queues(5)))
    assert allocate_averagely(shuffled, ["b", "a"], "a") == tuple(queues(3))


def test_who_is_not_a_member_gets_nothing():
    assert allocate_averagely(queues(4), ["a", "b"], "z") == ()
    assert allocate_averagely(queues(4), [], "z") == ()


def test_queues_of_several_brokers_are_split_as_one_list():
    everything = queues(2, "broker-b") + queues(2, "broker-a")
    assert allocate_averagely(everything, ["x", "y"], "x") == tuple(queues(2, "broker-a"))
    assert allocate_averagely(everything, ["x", "y"], "y") == tuple(queues(2, "broker-b"))


def test_members_sort_as_java_strings():
    private_use, emoji = "\uffee", "\U0001f600"  # the emoji's first UTF-16 unit is below U+FFEE
    assert sorted([private_use, emoji]) == [private_use, emoji]
    assert java_sorted([private_use, emoji]) == [emoji, private_use]


@given(st.integers(0, 40), st.sets(st.text(min_size=1, max_size=3), min_size=1, max_size=9))
def test_every_queue_belongs_to_exactly_one_member(count, members):
    taken = [queue for member in members for queue in allocate_averagely(queues(count), members, member)]
    assert sorted(taken) == queues(count)


def test_change_lists_what_to_start_and_to_stop():
    q = queues(4)
    assert plan_change([q[0], q[1]], [q[1], q[3], q[2]]) == Change(gained=(q[2], q[3]), lost=(q[0],))
    assert plan_change(q, q) == Change((), ())
