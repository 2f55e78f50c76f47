from __future__ import annotations

import pytest

from rocketmq_lite.client.engine.retry import (
    Backoff,
    QueueChoice,
    QueueChoices,
    Verdict,
    judge_send,
    redelivery_pause,
)
from rocketmq_lite.model import MessageQueue

A0, A1 = MessageQueue("T", "a", 0), MessageQueue("T", "a", 1)
B0, B1 = MessageQueue("T", "b", 0), MessageQueue("T", "b", 1)
ALL = (A0, A1, B0, B1)


@pytest.mark.parametrize("code", [1, 2, 14, 16, 17, 204, 205, 1500])
def test_codes_that_java_retries(code):
    assert judge_send(code) is Verdict.RETRY


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (0, Verdict.STORED),
        (10, Verdict.WEAKER),
        (11, Verdict.WEAKER),
        (12, Verdict.WEAKER),
        (13, Verdict.FAIL),
        (29, Verdict.FAIL),
    ],
)
def test_other_codes(code, verdict):
    assert judge_send(code) is verdict


def test_each_queue_in_turn():
    choice = QueueChoice(start=1)
    assert [choice.assign_next(ALL) for _ in range(5)] == [A1, B0, B1, A0, A1]


def test_topics_have_turns_of_their_own():
    choices = QueueChoices(start=2)
    assert [choices[topic].assign_next(ALL) for topic in "TTUT"] == [B0, B1, B0, A0]


def test_a_detour_around_the_broker_that_failed():
    choice = QueueChoice(start=0)
    assert choice.assign_next(ALL, avoid={"a"}) == B0
    assert choice.assign_next(ALL, avoid={"a"}) == B1
    assert choice.assign_next(ALL) == A0


def test_the_broker_that_failed_is_better_than_none():
    choice = QueueChoice(start=0)
    assert choice.assign_next((A0, A1), avoid={"a"}) == A0
    assert choice.assign_next((A0, A1), avoid={"a"}) == A1


def test_no_queue_at_all():
    assert QueueChoice(start=3).assign_next(()) is None


def test_backoff_doubles_up_to_its_ceiling_and_starts_again():
    backoff = Backoff(0.1, 0.5)
    assert [backoff.next_pause() for _ in range(4)] == [0.1, 0.2, 0.4, 0.5]
    backoff.reset()
    assert backoff.next_pause() == 0.1


def test_failed_messages_wait_longer_each_time():
    assert [redelivery_pause(attempt) for attempt in (1, 2, 3, 6, 5000)] == [1, 2, 4, 30, 30]
