"""A failing head is tried again in place, and leaves its queue on request alone."""

from __future__ import annotations

import pytest

from rocketmq_lite.client.engine.failed_head import AttemptLimits, RetryInPlace, Stop, after_failure
from rocketmq_lite.client.engine.giving_back import DeadLetter, RetryLater


def test_without_limits_it_is_tried_for_ever_with_growing_pauses():
    pauses = [after_failure(ValueError(), attempt, AttemptLimits()) for attempt in (1, 2, 3, 6, 1000)]
    assert pauses == [RetryInPlace(seconds) for seconds in (1.0, 2.0, 4.0, 30.0, 30.0)]


def test_the_user_says_how_long_the_pause_is():
    assert after_failure(RetryLater(0.25), 7, AttemptLimits()) == RetryInPlace(0.25)
    assert after_failure(RetryLater(-1), 1, AttemptLimits()) == RetryInPlace(0.0)


@pytest.mark.parametrize("error", [ValueError(), RetryLater(5)])
def test_it_is_parked_if_that_was_asked_for(error):
    limits = AttemptLimits(park_after=3)
    assert isinstance(after_failure(error, 2, limits), RetryInPlace)
    assert after_failure(error, 3, limits) is Stop.PARK
    assert after_failure(error, 9, limits) is Stop.PARK  # it came through the retry topic


@pytest.mark.parametrize("error", [ValueError(), RetryLater(5)])
def test_otherwise_its_queue_stands_after_the_last_attempt(error):
    limits = AttemptLimits(max_attempts=2)
    assert isinstance(after_failure(error, 1, limits), RetryInPlace)
    assert after_failure(error, 2, limits) is Stop.STAND


def test_parking_goes_before_standing():
    assert after_failure(ValueError(), 2, AttemptLimits(max_attempts=2, park_after=2)) is Stop.PARK


@pytest.mark.parametrize("limits", [AttemptLimits(), AttemptLimits(max_attempts=1)])
def test_a_dead_letter_is_parked_at_once(limits):
    assert after_failure(DeadLetter("no such customer"), 1, limits) is Stop.PARK
