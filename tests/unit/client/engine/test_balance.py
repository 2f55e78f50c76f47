"""What every split has in common, and the difference between two assignments."""

from __future__ import annotations

from rocketmq_lite.client.engine.balance import Change, allocate, java_sorted, plan_change
from rocketmq_lite.client.engine.strategies import AllocateAveragely
from rocketmq_lite.model import MessageQueue


def queues(count: int) -> list[MessageQueue]:
    return [MessageQueue("T", "broker-a", index) for index in range(count)]


def test_order_of_the_lists_does_not_matter():
    shuffled = list(reversed(queues(5)))
    assert allocate(AllocateAveragely(), [*shuffled, *shuffled], ["b", "a", "b"], "a") == tuple(queues(3))


def test_who_is_not_a_member_gets_nothing():
    assert allocate(AllocateAveragely(), queues(4), ["a", "b"], "z") == ()
    assert allocate(AllocateAveragely(), queues(4), [], "z") == ()


def test_members_sort_as_java_strings():
    private_use, emoji = "\uffee", "\U0001f600"  # the emoji's first UTF-16 unit is below U+FFEE
    assert sorted([private_use, emoji]) == [private_use, emoji]
    assert java_sorted([private_use, emoji]) == [emoji, private_use]


def test_change_lists_what_to_start_and_to_stop():
    q = queues(4)
    assert plan_change([q[0], q[1]], [q[1], q[3], q[2]]) == Change(gained=(q[2], q[3]), lost=(q[0],))
    assert plan_change(q, q) == Change((), ())
