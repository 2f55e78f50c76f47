"""The lock table of orderly consumers."""

from __future__ import annotations

from rocketmq_lite.broker.engine.locks import LockTable
from rocketmq_lite.model import MessageQueue

LOCK_SECONDS = 60.0
Q0, Q1, Q2 = (MessageQueue("T", "b", number) for number in range(3))


def test_a_queue_has_one_holder_in_a_group() -> None:
    locks = LockTable(LOCK_SECONDS)
    assert locks.lock("G", "a", [Q0, Q1], now=0.0) == (Q0, Q1)
    assert locks.lock("G", "b", [Q0, Q1, Q2], now=1.0) == (Q2,)
    assert locks.lock("G", "a", [Q0, Q2], now=2.0) == (Q0,)
    assert locks.lock("other group", "b", [Q0], now=2.0) == (Q0,)


def test_only_the_holder_gives_a_queue_back() -> None:
    locks = LockTable(LOCK_SECONDS)
    locks.lock("G", "a", [Q0, Q1], now=0.0)
    locks.unlock("G", "b", [Q0, Q1, Q2])
    assert locks.lock("G", "b", [Q0], now=0.0) == ()
    locks.unlock("G", "a", [Q0])
    assert locks.lock("G", "b", [Q0, Q1], now=0.0) == (Q0,)


def test_a_lock_ends_a_minute_after_it_was_last_asked_for() -> None:
    locks = LockTable(LOCK_SECONDS)
    locks.lock("G", "a", [Q0, Q1], now=0.0)
    locks.lock("G", "a", [Q1], now=30.0)
    assert locks.lock("G", "b", [Q0], now=LOCK_SECONDS) == ()
    assert locks.lock("G", "b", [Q0, Q1], now=LOCK_SECONDS + 0.1) == (Q0,)
    locks.expire(LOCK_SECONDS + 30.1)
    assert len(locks) == 1
    assert locks.lock("G", "b", [Q1], now=LOCK_SECONDS + 30.1) == (Q1,)


def test_a_group_consumes_in_order_while_it_holds_a_lock() -> None:
    locks = LockTable(LOCK_SECONDS)
    locks.lock("G", "a", [], now=0.0)
    locks.unlock("G", "a", [Q0])
    assert not locks.is_held_by("G")
    locks.lock("G", "a", [Q0, Q1], now=0.0)
    locks.lock("other group", "b", [Q0], now=30.0)
    locks.unlock("G", "a", [Q0])
    assert locks.is_held_by("G")
    assert locks.expire(LOCK_SECONDS + 0.1) == ("G",)
    assert (locks.is_held_by("G"), locks.is_held_by("other group")) == (False, True)
    locks.unlock("other group", "b", [Q0])
    assert (locks.is_held_by("other group"), locks.expire(1e9)) == (False, ())
