"""The committed offset never passes an unfinished message, and the two state tables are complete."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rocketmq_lite.client.engine.failed_head import FailedHead
from rocketmq_lite.client.engine.process_queue import (
    DELIVERY_TRANSITIONS,
    LEASE_TRANSITIONS,
    DeliveryEvent,
    DeliveryState,
    LeaseState,
    ProcessQueue,
    QueueLimits,
)
from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.model import MessageQueue

QUEUE = MessageQueue("T", "broker-a", 0)


def started(at: int = 10, messages: int = 4, size: int = 1000, span: int = 100) -> ProcessQueue[str]:
    queue: ProcessQueue[str] = ProcessQueue(QUEUE, QueueLimits(messages, size, span))
    queue.locate(at)
    return queue


def finish(delivery) -> None:
    for event in (DeliveryEvent.HAND_OUT, DeliveryEvent.ENTER, DeliveryEvent.ACKNOWLEDGE):
        delivery.apply(event)


def test_nothing_is_committed_before_the_start_is_known():
    queue: ProcessQueue[str] = ProcessQueue(QUEUE, QueueLimits(4, 1000, 100))
    unknown = queue.committable
    queue.locate(7)
    assert (unknown, queue.committable, queue.next_offset) == (None, 7, 7)


def test_the_lowest_unfinished_offset_is_committed():
    queue = started()
    first, second, third = (queue.add(offset, 1, 1, "m") for offset in (10, 11, 12))
    finish(second)
    assert queue.committable == 10
    finish(first)
    assert queue.committable == 12
    finish(third)
    assert (queue.committable, queue.unfinished) == (13, 0)


def test_what_is_filtered_out_counts_as_finished():
    queue = started()
    delivery = queue.add(12, 1, 1, "m")
    queue.skip_to(20)
    assert (queue.committable, queue.next_offset) == (12, 20)
    finish(delivery)
    assert queue.committable == 20
    queue.skip_to(15)
    assert queue.next_offset == 20


def test_messages_and_bytes_take_room():
    queue = started(messages=2, size=100)
    assert queue.room == 2
    first = queue.add(10, 150, 1, "big")
    assert queue.room == 0
    finish(first)
    queue.add(11, 1, 1, "m")
    assert queue.room == 1
    queue.add(12, 1, 1, "m")
    assert queue.room == 0


def test_small_pulls_only_when_nothing_waits():
    queue = started(messages=4)
    assert queue.pull_size(batch=32) == 4
    pulled = [queue.add(offset, 1, 1, "m") for offset in range(10, 14)]
    assert queue.pull_size(batch=32) == 0
    finish(pulled[0])
    assert queue.pull_size(batch=32) == 0
    finish(pulled[1])
    assert queue.pull_size(batch=32) == 2
    queue.add(14, 1, 1, "m")
    for delivery in pulled[2:]:
        delivery.apply(DeliveryEvent.HAND_OUT)
    assert queue.pull_size(batch=32) == 0
    for delivery in queue._unfinished.values():
        if delivery.offset == 14:
            delivery.apply(DeliveryEvent.HAND_OUT)
    assert queue.pull_size(batch=32) == 1


def test_a_large_batch_is_asked_for_in_one_go():
    assert started(messages=100).pull_size(batch=32) == 32
    assert started(messages=1).pull_size(batch=32) == 1


def test_a_broker_that_goes_back_is_noticed():
    queue = started()
    queue.add(10, 1, 1, "m")
    with pytest.raises(LocalProtocolError, match="offset 10"):
        queue.add(10, 1, 1, "m")


def test_stuck_means_all_handed_out_and_none_entered():
    queue = started(messages=2)
    first, second = queue.add(10, 1, 1, "m"), queue.add(11, 1, 1, "m")
    first.apply(DeliveryEvent.HAND_OUT)
    assert not queue.is_stuck()
    second.apply(DeliveryEvent.HAND_OUT)
    assert queue.is_stuck()
    first.apply(DeliveryEvent.ENTER)
    assert not queue.is_stuck()
    first.apply(DeliveryEvent.LEAVE)
    assert queue.is_stuck()
    assert queue.committable == 10


def test_a_failure_counts_the_attempt_and_keeps_the_offset():
    queue = started()
    delivery = queue.add(10, 1, 1, "m")
    for event in (DeliveryEvent.HAND_OUT, DeliveryEvent.ENTER, DeliveryEvent.FAIL):
        delivery.apply(event)
    assert (delivery.attempt, delivery.state, queue.committable) == (2, DeliveryState.RETURNING, 10)
    delivery.apply(DeliveryEvent.KEEP)
    assert (delivery.attempt, delivery.state, queue.committable) == (2, DeliveryState.PAUSED, 10)


def test_a_lost_queue_takes_late_acknowledgements():
    queue = started()
    delivery = queue.add(10, 1, 1, "m")
    delivery.apply(DeliveryEvent.HAND_OUT)
    delivery.apply(DeliveryEvent.ENTER)
    queue.revoke()
    queue.revoke()
    assert queue.committable == 10
    delivery.apply(DeliveryEvent.ACKNOWLEDGE)
    assert queue.lost


def test_a_released_queue_is_finished_before_it_is_lost():
    queue = started()
    entered, failed, waiting = (queue.add(offset, 1, 1, "m") for offset in (10, 11, 12))
    for delivery in (entered, failed):
        delivery.apply(DeliveryEvent.HAND_OUT)
        delivery.apply(DeliveryEvent.ENTER)
    failed.apply(DeliveryEvent.FAIL)
    queue.release()
    assert (queue.is_ours, queue.lost, queue.in_hands) == (False, False, 2)
    entered.apply(DeliveryEvent.ACKNOWLEDGE)
    failed.apply(DeliveryEvent.SEND_BACK)
    assert (queue.in_hands, queue.committable, waiting.state) == (0, 12, DeliveryState.WAITING)
    queue.revoke()
    assert queue.lost
    assert queue.count_repeated(committed=12) == 0


def test_a_queue_that_is_released_before_its_start_is_known_is_lost():
    queue: ProcessQueue[str] = ProcessQueue(QUEUE, QueueLimits(4, 1000, 100))
    queue.release()
    assert queue.lost
    assert queue.count_repeated(committed=None) == 0


def test_what_comes_again_is_in_hands_or_done_behind_that_or_not_committed():
    queue = started()
    done, in_hands, behind, failed, _waiting = (queue.add(offset, 1, 1, "m") for offset in range(10, 15))
    finish(done)
    in_hands.apply(DeliveryEvent.HAND_OUT)
    finish(behind)
    for event in (DeliveryEvent.HAND_OUT, DeliveryEvent.ENTER, DeliveryEvent.FAIL, DeliveryEvent.KEEP):
        failed.apply(event)
    assert queue.count_repeated(committed=11) == 2
    assert queue.count_repeated(committed=10) == 3


def test_one_message_that_hangs_stops_the_pulling_when_the_span_is_reached():
    queue = started(messages=10, span=6)
    hangs = queue.add(10, 1, 1, "m")
    for offset in range(11, 16):
        finish(queue.add(offset, 1, 1, "m"))
    assert (queue.unfinished, queue.room) == (1, 0)
    finish(hangs)
    assert queue.room == 10


@pytest.mark.parametrize("event", [DeliveryEvent.ACKNOWLEDGE, DeliveryEvent.LEAVE])
def test_who_waits_for_the_work_is_told_when_it_is_left(event):
    queue = started()
    delivery = queue.add(10, 1, 1, "m")
    left: list[int] = []
    queue.on_idle = lambda: left.append(queue.in_work)
    delivery.apply(DeliveryEvent.HAND_OUT)
    left.clear()
    delivery.apply(DeliveryEvent.ENTER)
    assert (queue.in_work, left) == (1, [])
    delivery.apply(event)
    assert left == [0]


def test_a_message_on_its_way_back_is_in_work():
    queue = started()
    delivery = queue.add(10, 1, 1, "m")
    for event in (DeliveryEvent.HAND_OUT, DeliveryEvent.ENTER, DeliveryEvent.FAIL):
        delivery.apply(event)
    assert queue.in_work == 1
    delivery.apply(DeliveryEvent.SEND_BACK)
    assert queue.in_work == 0


def test_a_head_that_failed_is_forgotten_when_it_is_done():
    queue = started()
    head = queue.add(10, 1, 1, "m")
    queue.failed_head = FailedHead(offset=10, attempts=1, since_ms=0, error="ValueError", stands=False)
    finish(head)
    assert queue.failed_head is None


def test_a_queue_may_be_released_more_than_once():
    queue = started()
    queue.release()
    queue.release()
    assert not queue.lost
    queue.revoke()
    queue.release()
    assert queue.lost


def test_every_state_is_in_its_table():
    assert set(DELIVERY_TRANSITIONS) == set(DeliveryState)
    assert set(LEASE_TRANSITIONS) == set(LeaseState)


@pytest.mark.parametrize(
    ("state", "event"),
    [(s, e) for s in DeliveryState for e in DeliveryEvent if e not in DELIVERY_TRANSITIONS[s]],
)
def test_events_out_of_place_are_refused_and_change_nothing(state, event):
    queue = started()
    delivery = queue.add(10, 1, 1, "m")
    delivery.state = state
    with pytest.raises(LocalProtocolError):
        delivery.apply(event)
    assert delivery.state is state
    assert queue.committable == 10


def test_a_queue_is_located_once():
    with pytest.raises(LocalProtocolError):
        started().locate(3)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_any_order_of_finishing_commits_the_lowest_unfinished(gaps, rng):
    queue = started(at=0, messages=1000)
    offset, pulled = -1, {}
    for gap in gaps:
        offset += gap
        pulled[offset] = queue.add(offset, 1, 1, "m")
    order = list(pulled)
    rng.shuffle(order)
    for done in order:
        finish(pulled.pop(done))
        assert queue.committable == min(pulled, default=offset + 1)
