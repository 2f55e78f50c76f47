"""The committed offset never passes an unfinished message, and the table of leases is complete.

What becomes of each message, and the limits, is tested in ``rust/core/src/deliveries_test.rs``.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import records

from rocketmq_lite.client.engine.process_queue import (
    LEASE_TRANSITIONS,
    Delivery,
    LeaseState,
    OutOfPlaceError,
    ProcessQueue,
    QueueLimits,
)
from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.model import MessageQueue

QUEUE = MessageQueue("T", "broker-a", 0)
MESSAGES = 4


def started(at: int = 10, messages: int = MESSAGES) -> ProcessQueue:
    queue = ProcessQueue(QUEUE, QueueLimits(messages, 1 << 20, 1000))
    queue.locate(at)
    return queue


def pulled(queue: ProcessQueue, *offsets: int) -> list[Delivery]:
    deliveries, filtered = queue.take_in(records.at(*offsets), ())
    assert filtered == 0
    return deliveries


def enter(delivery: Delivery) -> None:
    assert delivery.hand_out()
    delivery.enter()


def finish(delivery: Delivery) -> None:
    enter(delivery)
    delivery.acknowledge()


def test_nothing_is_committed_before_the_start_is_known():
    queue = ProcessQueue(QUEUE, QueueLimits(4, 1000, 100))
    unknown = queue.committable
    queue.locate(7)
    assert (unknown, queue.committable, queue.next_offset, queue.queue) == (None, 7, 7, QUEUE)


def test_a_pulled_message_is_its_record_and_knows_its_queue_and_attempt():
    queue = started()
    [delivery], _ = queue.take_in(records.batch([records.record(12, b"body", attempt=3, tag="a")]), ())
    assert (delivery.queue, delivery.queue_offset, delivery.attempt) == (queue, 12, 4)
    assert (delivery.body, delivery.properties, delivery.topic) == (b"body", {"TAGS": "a"}, "T")
    assert (delivery.property_named("TAGS"), delivery.property_named("KEYS")) == ("a", None)


def test_tags_that_are_not_wanted_are_left_out_and_counted():
    queue = started(at=1)
    brought = [records.record(offset, tag=tag) for offset, tag in enumerate(["a", "b", None, "a", "c"])]
    deliveries, filtered = queue.take_in(records.batch(brought), ("c", "a"))
    assert ([each.queue_offset for each in deliveries], filtered) == ([3, 4], 2)
    queue.skip_to(9)
    assert (queue.committable, queue.next_offset, queue.unfinished) == (3, 9, 2)


def test_bytes_are_those_of_records():
    size = records.PLAIN_SIZE
    queue = ProcessQueue(QUEUE, QueueLimits(10, 2 * size, 100))
    queue.locate(0)
    pulled(queue, 0)
    assert queue.room == 9
    pulled(queue, 1)
    assert queue.room == 0


def test_a_message_that_failed_keeps_its_offset_and_is_attempted_once_more():
    queue = started()
    [delivery] = pulled(queue, 10)
    enter(delivery)
    delivery.fail()
    assert (delivery.attempt, queue.in_work, queue.committable) == (1, 1, 10)
    delivery.keep()
    assert (delivery.attempt, queue.in_work, queue.committable) == (1, 0, 10)
    delivery.resume()
    enter(delivery)
    delivery.fail()
    delivery.give_back()
    assert (delivery.attempt, queue.committable) == (2, 11)


def test_who_was_handed_a_message_may_pass_it_by_unless_it_was_entered():
    queue = started()
    passed, entered = pulled(queue, 10, 11)
    passed.hand_out()
    enter(entered)
    assert (passed.pass_by(), entered.pass_by()) == (True, False)
    assert (queue.committable, queue.in_work) == (11, 1)
    assert not passed.pass_by()


def test_a_lost_queue_takes_late_acknowledgements_and_hands_out_nothing():
    queue = started()
    delivery, waiting = pulled(queue, 10, 11)
    enter(delivery)
    queue.revoke()
    queue.revoke()
    assert (queue.committable, waiting.hand_out()) == (10, False)
    delivery.acknowledge()
    assert queue.lost


def test_a_released_queue_is_finished_before_it_is_lost():
    queue = started()
    entered, failed, waiting = pulled(queue, 10, 11, 12)
    enter(entered)
    enter(failed)
    failed.fail()
    queue.release()
    assert (queue.is_ours, queue.lost, queue.in_hands) == (False, False, 2)
    entered.acknowledge()
    failed.give_back()
    assert (queue.in_hands, queue.committable, waiting.hand_out()) == (0, 12, False)
    queue.revoke()
    assert queue.lost
    assert queue.count_repeated(12) == 0


def test_a_queue_that_is_released_before_its_start_is_known_is_lost():
    queue = ProcessQueue(QUEUE, QueueLimits(4, 1000, 100))
    queue.release()
    assert queue.lost
    assert queue.count_repeated(None) == 0


def test_who_waits_is_called_once_when_what_it_waits_for_has_come():
    queue = started()
    deliveries = pulled(queue, *range(10, 10 + MESSAGES))
    told: list[str] = []
    queue.call_when_room(MESSAGES, lambda: told.append(f"room {queue.room}"))
    queue.call_when_none_in_work(lambda: told.append("no work"))
    first, second, *others = deliveries
    enter(first)
    told.clear()  # with the first one handed out nobody was at work
    queue.call_when_none_in_work(lambda: told.append(f"work {queue.in_work}"))
    queue.call_when_none_in_hands(lambda: told.append(f"hands {queue.in_hands}"))
    enter(second)
    first.acknowledge()
    assert told == []
    second.acknowledge()
    assert sorted(told) == ["hands 0", "room 2", "work 0"]
    for other in others:
        finish(other)
    assert len(told) == 3


def test_a_caller_that_raises_is_heard():
    queue = started()
    [delivery] = pulled(queue, 10)
    enter(delivery)
    queue.call_when_none_in_hands(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        delivery.acknowledge()
    assert queue.committable == 11


def test_an_event_out_of_place_changes_nothing_and_says_why():
    queue = started()
    [delivery] = pulled(queue, 10)
    with pytest.raises(OutOfPlaceError, match="Acknowledge is not possible for a message that is Waiting"):
        delivery.acknowledge()
    enter(delivery)
    with pytest.raises(OutOfPlaceError, match="the message is being processed already"):
        delivery.enter()
    delivery.acknowledge()
    with pytest.raises(OutOfPlaceError, match="the message is acknowledged already"):
        delivery.enter()


def test_a_queue_may_be_released_more_than_once():
    queue = started()
    queue.release()
    queue.release()
    assert not queue.lost
    queue.revoke()
    queue.release()
    assert queue.lost


def test_every_lease_is_in_its_table():
    assert set(LEASE_TRANSITIONS) == set(LeaseState)


def test_a_queue_is_located_once():
    with pytest.raises(LocalProtocolError):
        started().locate(3)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_any_order_of_finishing_commits_the_lowest_unfinished(gaps, rng):
    queue = started(at=0, messages=1000)
    offsets = [sum(gaps[: end + 1]) - 1 for end in range(len(gaps))]
    unfinished = {delivery.queue_offset: delivery for delivery in pulled(queue, *offsets)}
    rng.shuffle(offsets)
    for done in offsets:
        finish(unfinished.pop(done))
        assert queue.committable == min(unfinished, default=sum(gaps))
