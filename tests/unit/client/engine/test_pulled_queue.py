"""What was fetched, handed out and done of one queue, for any order of events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rocketmq_lite.client.engine.process_queue import QueueLimits
from rocketmq_lite.client.engine.pulled_queue import PulledQueue
from rocketmq_lite.model import MessageQueue

QUEUE = MessageQueue("orders", "broker-a", 0)


def located(at: int = 0, *, messages: int = 4, size: int = 100) -> PulledQueue[str]:
    queue: PulledQueue[str] = PulledQueue(QUEUE, QueueLimits(messages, size, span=100))
    queue.move_to(at)
    return queue


def test_nothing_is_known_before_the_start_is() -> None:
    queue: PulledQueue[str] = PulledQueue(QUEUE, QueueLimits(4, 100, span=100))
    queue.add(0, 1, "early")
    queue.skip_to(3)
    queue.settle()
    assert (queue.position, queue.done, queue.next_offset, queue.take(9)) == (None, None, None, [])


def test_what_was_handed_out_is_done_when_that_is_said() -> None:
    queue = located(5)
    for offset in (5, 6, 9):
        queue.add(offset, 1, str(offset))
    queue.skip_to(12)
    assert queue.take(2) == ["5", "6"]
    assert (queue.position, queue.done, queue.next_offset) == (9, 5, 12)
    queue.settle()
    assert queue.done == 9
    assert queue.take(9) == ["9"]
    assert (queue.position, queue.done) == (12, 9)


def test_an_answer_that_begins_too_early_is_no_repetition() -> None:
    queue = located(5)
    queue.add(4, 1, "4")
    queue.add(5, 1, "5")
    queue.add(5, 1, "5 again")
    assert queue.take(9) == ["5"]


def test_room_is_counted_in_messages_and_in_bytes() -> None:
    queue = located(messages=2, size=10)
    assert queue.room == 2
    queue.add(0, 3, "0")
    assert queue.room == 1
    queue.add(1, 9, "1")
    assert queue.room == 0
    queue.take(1)
    assert queue.room == 1
    queue.add(2, 1, "large enough together")
    assert queue.room == 0


def test_a_paused_queue_keeps_what_it_has() -> None:
    queue = located()
    queue.add(0, 1, "0")
    queue.paused = True
    assert (queue.take(1), queue.room) == ([], 0)
    queue.paused = False
    assert queue.take(1) == ["0"]


def test_moving_forgets_what_was_fetched() -> None:
    queue = located()
    queue.add(0, 100, "0")
    epoch = queue.epoch
    queue.move_to(7)
    assert (queue.position, queue.done, queue.next_offset, queue.waiting, queue.room) == (7, 7, 7, 0, 4)
    assert queue.epoch > epoch


ACTIONS = st.one_of(
    st.tuples(st.just("fetch"), st.integers(1, 3)),
    st.tuples(st.just("skip"), st.integers(1, 3)),
    st.tuples(st.just("take"), st.integers(1, 3)),
    st.tuples(st.just("settle"), st.just(0)),
    st.tuples(st.just("move"), st.integers(0, 20)),
)


@given(st.lists(ACTIONS, max_size=40))
def test_done_never_passes_what_was_handed_out(actions: list[tuple[str, int]]) -> None:
    queue = located(messages=1000, size=1000)
    expected = 0  # the next message, when none is skipped
    skipped: set[int] = set()
    for action, number in actions:
        start = queue.next_offset or 0
        match action:
            case "fetch":
                for offset in range(start, start + number):
                    queue.add(offset, 1, str(offset))
            case "skip":
                skipped.update(range(start, start + number))
                queue.skip_to(start + number)
            case "take":
                for text in queue.take(number):
                    while expected in skipped:
                        expected += 1
                    assert text == str(expected)
                    expected += 1
            case "settle":
                queue.settle()
            case _:
                queue.move_to(number)
                expected = number
                skipped.clear()
        assert queue.done is not None
        assert queue.position is not None
        assert queue.next_offset is not None
        assert queue.done <= queue.position <= queue.next_offset
        assert expected <= queue.position
