"""The registration lease: every transition of its table, and what is sent when."""

import pytest

from rocketmq_lite.broker.engine.lease import (
    FIRST_REPEAT_SECONDS,
    MAX_RETRY_SECONDS,
    TRANSITIONS,
    Lease,
    LeaseEvent,
    LeaseState,
)


def held(interval: float = 30.0, now: float = 0.0) -> Lease:
    lease = Lease(interval)
    plan = lease.plan_registration(now)
    assert plan is not None
    lease.registered(plan, now)
    return lease


def test_every_state_has_a_row_and_every_event_an_outcome_but_for_the_last_state() -> None:
    assert TRANSITIONS.keys() == set(LeaseState)
    for state, row in TRANSITIONS.items():
        assert row.keys() == (set() if state is LeaseState.GONE else set(LeaseEvent))


def test_a_new_name_server_gets_the_whole_table_at_once() -> None:
    lease = Lease(30.0)
    plan = lease.plan_registration(5.0)
    assert plan is not None
    assert plan.topics is None
    assert not lease.known


def test_the_whole_table_is_repeated_after_ten_seconds_and_then_every_thirty() -> None:
    lease = held()
    assert lease.next_due() == FIRST_REPEAT_SECONDS
    assert lease.plan_registration(9.9) is None
    plan = lease.plan_registration(10.0)
    assert plan is not None
    assert plan.topics is None
    lease.registered(plan, 10.0)
    assert lease.next_due() == 40.0


def test_changes_are_sent_at_once_and_together() -> None:
    lease = held()
    lease.changed(frozenset({"A"}))
    number = lease.changed(frozenset({"B"}))
    assert lease.owes(number)
    plan = lease.plan_registration(1.0)
    assert plan is not None
    assert plan.topics == frozenset({"A", "B"})
    lease.registered(plan, 1.0)
    assert lease.state is LeaseState.HELD
    assert not lease.owes(number)
    assert lease.next_due() == FIRST_REPEAT_SECONDS  # a part does not stand for the whole


def test_a_deletion_sends_the_whole_table() -> None:
    lease = held()
    lease.changed(frozenset({"A"}))
    lease.changed(None)
    plan = lease.plan_registration(1.0)
    assert plan is not None
    assert plan.topics is None


def test_a_change_during_a_registration_stays_owed() -> None:
    lease = held()
    lease.changed(frozenset({"A"}))
    plan = lease.plan_registration(1.0)
    assert plan is not None
    late = lease.changed(frozenset({"B"}))
    lease.registered(plan, 1.1)
    assert lease.state is LeaseState.OUTDATED
    assert lease.owes(late)
    following = lease.plan_registration(1.1)
    assert following is not None
    assert following.topics == frozenset({"B"})


def test_a_failure_is_followed_by_the_whole_table_with_growing_pauses() -> None:
    lease = held()
    number = lease.changed(frozenset({"A"}))
    plan = lease.plan_registration(1.0)
    pauses: list[float] = []
    now = 1.0
    while len(pauses) < 6:
        assert plan is not None
        lease.failed(plan, now)
        assert not lease.known
        pauses.append(lease.next_due() - now)
        now = lease.next_due()
        plan = lease.plan_registration(now)
        assert plan is not None
        assert plan.topics is None
    assert pauses == [1.0, 2.0, MAX_RETRY_SECONDS, MAX_RETRY_SECONDS, MAX_RETRY_SECONDS, MAX_RETRY_SECONDS]
    assert not lease.owes(number)  # nobody waits for a name server that does not answer


def test_a_lost_connection_is_followed_by_the_whole_table_at_once() -> None:
    lease = held()
    number = lease.changed(frozenset({"A"}))
    lease.lost(5.0)
    assert not lease.known
    assert not lease.owes(number)
    assert lease.next_due() == 5.0
    plan = lease.plan_registration(5.0)
    assert plan is not None
    assert plan.topics is None
    lease.registered(plan, 5.0)
    assert lease.next_due() == 5.0 + FIRST_REPEAT_SECONDS


def test_a_name_server_that_hangs_up_each_time_is_not_registered_with_in_a_loop() -> None:
    lease = held(now=0.0)
    lease.lost(0.1)
    assert lease.next_due() == 1.0
    plan = lease.plan_registration(1.0)
    assert plan is not None
    lease.failed(plan, 1.0)
    retry = lease.next_due()
    lease.lost(1.1)  # nothing new: it does not know us anyway
    assert lease.next_due() == retry


def test_nothing_follows_a_good_bye() -> None:
    lease = held()
    lease.left()
    assert lease.state is LeaseState.GONE
    with pytest.raises(RuntimeError, match="report this as a bug"):
        lease.changed(frozenset({"A"}))
