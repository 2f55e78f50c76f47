"""What the user's exception says about when a message should come again."""

from __future__ import annotations

import pytest

import rocketmq_lite as rmq
from rocketmq_lite.client.engine.giving_back import delay_level


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0, 1), (1, 1), (2.9, 1), (3.1, 2), (10, 3), (60, 5), (659, 14), (3_600, 17), (7_200, 18), (1e9, 18)],
)
def test_the_nearest_level_is_taken(seconds: float, level: int) -> None:
    assert delay_level(rmq.RetryLater(seconds)) == level


def test_everything_else_is_the_brokers_choice_and_a_dead_letter_none() -> None:
    assert delay_level(ValueError()) == 0
    assert delay_level(ExceptionGroup("", [rmq.RetryLater(1)])) == 0
    assert delay_level(rmq.DeadLetter("why")) == -1
