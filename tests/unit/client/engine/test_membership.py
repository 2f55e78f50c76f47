from __future__ import annotations

from rocketmq_lite.client.engine.membership import Membership


def test_a_new_broker_is_due_at_once_and_then_every_thirty_seconds():
    membership = Membership()
    assert membership.plan(["b:1", "a:1"], now=0.0) == ("a:1", "b:1")
    membership.sent("a:1", membership.version, 0.0)
    assert membership.plan(["b:1", "a:1"], now=29.9) == ("b:1",)
    membership.sent("b:1", membership.version, 10.0)
    assert membership.next_due(now=10.0) == 30.0
    assert membership.plan(["b:1", "a:1"], now=30.0) == ("a:1",)
    assert membership.known_at == ("a:1", "b:1")


def test_a_change_of_groups_makes_all_due():
    membership = Membership()
    membership.sent("a:1", membership.version, 0.0)
    membership.changed()
    assert membership.plan(["a:1"], now=1.0) == ("a:1",)


def test_a_change_while_a_heartbeat_was_on_its_way_makes_it_due_again():
    membership = Membership()
    version = membership.version
    membership.changed()
    membership.sent("a:1", version, 1.0)
    assert membership.plan(["a:1"], now=1.0) == ("a:1",)


def test_a_broker_that_forgot_us_is_due():
    membership = Membership()
    membership.sent("a:1", membership.version, 0.0)
    membership.forgotten_by("a:1")
    membership.forgotten_by("never:1")
    assert membership.plan(["a:1"], now=1.0) == ("a:1",)


def test_brokers_that_left_the_routes_are_dropped():
    membership = Membership()
    membership.sent("a:1", membership.version, 0.0)
    assert membership.plan([], now=1.0) == ()
    assert membership.known_at == ()
    assert membership.next_due(now=1.0) == 31.0


def test_a_broker_that_could_not_be_told_is_left_alone_for_a_while():
    membership = Membership()
    membership.failed("a:1", now=0.0)
    assert membership.plan(["a:1"], now=2.9) == ()
    assert membership.next_due(now=0.0) == 3.0
    assert membership.is_due("a:1", now=0.0)
    assert membership.plan(["a:1"], now=3.0) == ("a:1",)
    membership.sent("a:1", membership.version, 3.0)
    assert membership.next_due(now=3.0) == 33.0
