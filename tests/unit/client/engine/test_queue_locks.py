"""The table of a queue's lock, and when brokers are asked."""

from __future__ import annotations

import math
import re

import pytest

from rocketmq_lite.client.engine import queue_locks
from rocketmq_lite.client.engine.queue_locks import (
    LOCK_TRANSITIONS,
    LockEvent,
    LockState,
    LockTimings,
    QueueLocks,
)
from rocketmq_lite.errors import ConfigError, LocalProtocolError
from rocketmq_lite.model import MessageQueue

Q0, Q1 = (MessageQueue("T", "a", number) for number in range(2))
OTHER = MessageQueue("T", "b", 0)
WANTED, HELD, LAPSED = LockState.WANTED, LockState.HELD, LockState.LAPSED
YIELDING, RELEASED = LockState.YIELDING, LockState.RELEASED


def asked(locks: QueueLocks, now: float, *granted: MessageQueue) -> None:
    """Ask for what is due, and have it answered at once."""
    for queues in locks.plan(now).values():
        locks.record_answer(queues, granted, asked_at=now, now=now)


def in_state(state: LockState, queue: MessageQueue = Q0) -> QueueLocks:
    """One queue brought into a state at time 0."""
    locks = QueueLocks(LockTimings())
    locks.want(queue, 0.0)
    if state is not WANTED:
        asked(locks, 0.0, queue)
    if state is LAPSED:
        locks.disconnected(queue.broker_name, 0.0)
    if state is YIELDING:
        locks.give_up(queue)
    assert locks.state(queue) is state
    return locks


def happen(locks: QueueLocks, event: LockEvent) -> None:
    match event:
        case LockEvent.GRANTED:
            locks.record_answer([Q0], [Q0], asked_at=0.0, now=0.0)
        case LockEvent.REFUSED:
            locks.record_answer([Q0], [], asked_at=0.0, now=0.0)
        case LockEvent.EXPIRED:
            locks.expire(30.0)
        case LockEvent.DISCONNECTED:
            locks.disconnected("a", 0.0)
        case LockEvent.GIVE_UP:
            locks.give_up(Q0)
        case LockEvent.DRAINED:
            locks.drained(Q0, 0.0)


@pytest.mark.parametrize(
    ("state", "event"), [(s, e) for s in LockState if s is not RELEASED for e in LockEvent]
)
def test_every_event_in_every_state(state, event):
    locks = in_state(state)
    expected = LOCK_TRANSITIONS[state].get(event)
    if expected is None and event is LockEvent.EXPIRED:  # what is not ours does not expire
        happen(locks, event)
        expected = state
    elif expected is None:
        with pytest.raises(LocalProtocolError, match=f"{event.name} is not possible for a {state.name} lock"):
            happen(locks, event)
        expected = state
    else:
        happen(locks, event)
    assert locks.state(Q0) is expected
    assert len(locks) == (expected is not RELEASED)


def test_a_released_queue_is_forgotten_and_may_be_wanted_again():
    locks = in_state(WANTED)
    locks.give_up(Q0)
    assert (locks.state(Q0), locks.next_due()) == (RELEASED, math.inf)
    locks.record_answer([Q0], [Q0], asked_at=0.0, now=0.1)  # was under way
    with pytest.raises(LocalProtocolError, match="not wanted"):
        locks.drained(Q0, 0.0)
    locks.want(Q0, 5.0)
    with pytest.raises(LocalProtocolError, match="WANTED already"):
        locks.want(Q0, 5.0)
    assert locks.plan(5.0) == {"a": (Q0,)}


def test_the_tables_and_the_picture_are_complete():
    assert set(LOCK_TRANSITIONS) == set(LockState)
    picture = (queue_locks.__doc__ or "").split("::")[1]
    assert set(re.findall(r"[A-Z]{3,}", picture)) == {state.name for state in LockState}
    drawn = {event.name.lower().replace("_", " ") for event in LockEvent}
    assert all(event in picture for event in drawn)


def test_what_is_held_is_asked_for_again_after_twenty_seconds_of_the_last_asking():
    locks = QueueLocks(LockTimings())
    locks.want(Q0, 0.0)
    locks.record_answer(locks.plan(0.0)["a"], [Q0], asked_at=0.0, now=4.0)
    assert locks.next_due() == 20.0
    assert locks.plan(19.9) == {}
    assert locks.plan(20.0) == {"a": (Q0,)}


def test_each_broker_is_asked_for_its_own_queues_in_one_go():
    locks = QueueLocks(LockTimings())
    for queue in (Q1, OTHER, Q0):
        locks.want(queue, 0.0)
    assert locks.plan(0.0) == {"a": (Q0, Q1), "b": (OTHER,)}


def test_a_lock_counts_for_thirty_seconds_after_it_was_asked_for():
    locks = in_state(HELD)
    locks.expire(29.9)
    assert locks.state(Q0) is HELD
    locks.expire(30.0)
    assert locks.state(Q0) is LAPSED


def test_a_lock_that_is_being_given_up_is_renewed_as_well():
    locks = in_state(YIELDING)
    asked(locks, 20.0, Q0)
    locks.expire(49.9)
    assert locks.state(Q0) is YIELDING


def test_a_refused_queue_is_asked_for_again_ever_later():
    locks = QueueLocks(LockTimings())
    locks.want(Q0, 0.0)
    now, pauses = 0.0, []
    for _ in range(7):
        asked(locks, now)
        pauses.append(round(locks.next_due() - now, 3))
        now = locks.next_due()
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 3.0]
    asked(locks, now, Q0)
    locks.disconnected("a", now)
    locks.drained(Q0, now)
    asked(locks, now)
    assert round(locks.next_due() - now, 3) == 0.1


def test_a_broker_that_does_not_answer_is_asked_every_second_until_the_lock_ends():
    locks = in_state(HELD)
    locks.record_silence(locks.plan(20.0)["a"], 21.0)
    assert locks.next_due() == 22.0
    locks.record_silence(locks.plan(29.5)["a"], 29.5)
    assert locks.next_due() == 30.0
    locks.expire(30.0)
    assert locks.plan(40.0) == {}  # a message may still be in work


def test_a_grant_that_came_too_late_is_none():
    locks = in_state(WANTED)
    locks.record_answer([Q0], [Q0], asked_at=0.0, now=30.0)
    assert (locks.state(Q0), locks.next_due()) == (WANTED, 30.0)


def test_the_connection_takes_the_locks_of_its_broker_along():
    locks = in_state(HELD)
    locks.want(OTHER, 0.0)
    asked(locks, 0.0, OTHER)
    locks.disconnected("a", 7.0)
    assert (locks.state(Q0), locks.state(OTHER)) == (LAPSED, HELD)
    locks.drained(Q0, 8.0)
    assert locks.plan(8.0) == {"a": (Q0,)}


@pytest.mark.parametrize(
    "timings", [{"renew": 0}, {"renew": 30, "valid": 30}, {"renew": -1}, {"retry": 0}, {"valid": math.nan}]
)
def test_timings_that_cannot_be(timings):
    with pytest.raises(ConfigError, match="is not possible"):
        LockTimings(**timings)
