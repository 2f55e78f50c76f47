"""The lock table of orderly consumers."""

from __future__ import annotations

from rocketmq_lite.broker.engine.locks import LOCK_SECONDS, LockTable
from rocketmq_lite.model import MessageQueue

Q0, Q1, Q2 = (MessageQueue("T", "b", number) for number in range(3))


def test_a_queue_has_one_holder_in_a_group() -> None:
    locks = LockTable()
    assert locks.lock("G", "a", [Q0, Q1], now=0.0) == (Q0, Q1)
    assert locks.lock("G", "b", [Q0, Q1, Q2], now=1.0) == (Q2,)
    assert locks.lock("G", "a", [Q0, Q2], now=2.0) == (Q0,)
    assert locks.lock("other group", "b", [Q0], now=2.0) == (Q0,)


def test_only_the_holder_gives_a_queue_back() -> None:
    locks = LockTable()
    locks.lock("G", "a", [Q0, Q1], now=0.0)
    locks.unlock("G", "b", [Q0, Q1, Q2])
    assert locks.lock("G", "b", [Q0], now=0.0) == ()
    locks.unlock("G", "a", [Q0])
    assert locks.lock("G", "b", [Q0, Q1], now=0.0) == (Q0,)


def test_a_lock_ends_a_minute_after_it_was_last_asked_for() -> None:
    locks = LockTable()
    locks.lock("G", "a", [Q0, Q1], now=0.0)
    locks.lock("G", "a", [Q1], now=30.0)
    assert locks.lock("G", "b", [Q0], now=LOCK_SECONDS) == ()
    assert locks.lock("G", "b", [Q0, Q1], now=LOCK_SECONDS + 0.1) == (Q0,)
    locks.expire(LOCK_SECONDS + 30.1)
    assert len(locks) == 1
    assert locks.lock("G", "b", [Q1], now=LOCK_SECONDS + 30.1) == (Q1,)
