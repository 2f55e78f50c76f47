"""One message of each queue at a time, in order; a failed one holds its queue and no other."""

from __future__ import annotations

from tests.support import records

from rocketmq_lite.client.engine.failed_head import FailedHead
from rocketmq_lite.client.engine.ordered_inbox import OrderedInbox
from rocketmq_lite.client.engine.process_queue import Delivery, ProcessQueue, QueueLimits
from rocketmq_lite.model import MessageQueue


def ordered() -> OrderedInbox:
    return OrderedInbox(lambda: None)


def filled(inbox: OrderedInbox, queue_id: int, text: str) -> ProcessQueue:
    """A queue with a message for each letter."""
    queue = ProcessQueue(MessageQueue("T", "a", queue_id), QueueLimits(10, 10_000, 10))
    queue.locate(0)
    put(inbox, queue, text)
    return queue


def put(inbox: OrderedInbox, queue: ProcessQueue, text: str) -> None:
    start = queue.next_offset
    brought = [records.record(offset, letter.encode()) for offset, letter in enumerate(text, start)]
    inbox.put(queue.take_in(records.batch(brought), ())[0])


def take(inbox: OrderedInbox, now: float = 0.0) -> Delivery:
    delivery = inbox.take(now)
    assert delivery is not None
    delivery.enter()
    return delivery


def text(delivery: Delivery) -> str:
    return delivery.body.decode()


def acknowledge(inbox: OrderedInbox, delivery: Delivery) -> bool:
    delivery.acknowledge()
    return inbox.finished(delivery)


def fail(inbox: OrderedInbox, delivery: Delivery, until: float) -> None:
    delivery.fail()
    delivery.keep()
    inbox.pause(delivery, until)


def test_the_next_message_of_a_queue_waits_for_the_one_before():
    inbox = ordered()
    filled(inbox, 0, "abc")
    seen = []
    for more in (True, True, False):
        delivery = take(inbox)
        seen.append(text(delivery))
        assert inbox.take(0.0) is None
        assert acknowledge(inbox, delivery) is more
    assert seen == ["a", "b", "c"]
    assert (inbox.take(0.0), len(inbox)) == (None, 0)


def test_queues_take_turns():
    inbox = ordered()
    filled(inbox, 0, "abc")
    filled(inbox, 1, "xy")
    first, second = take(inbox), take(inbox)
    assert (text(first), text(second), inbox.take(0.0)) == ("a", "x", None)
    acknowledge(inbox, second)
    acknowledge(inbox, first)
    assert [text(take(inbox)) for _ in range(2)] == ["y", "b"]


def test_a_message_that_comes_while_another_is_in_hands_waits():
    inbox = ordered()
    queue = filled(inbox, 0, "a")
    first = take(inbox)
    put(inbox, queue, "b")
    assert inbox.take(0.0) is None
    acknowledge(inbox, first)
    put(inbox, queue, "c")
    assert text(take(inbox)) == "b"
    assert inbox.take(0.0) is None


def test_a_failed_message_holds_its_queue_and_no_other():
    inbox = ordered()
    filled(inbox, 0, "ab")
    fail(inbox, take(inbox), until=5.0)
    filled(inbox, 1, "x")
    assert (inbox.next_due(), len(inbox)) == (5.0, 3)
    assert text(take(inbox, 4.9)) == "x"
    assert inbox.take(4.9) is None
    again = take(inbox, 5.0)
    assert (text(again), again.attempt, inbox.next_due()) == ("a", 2, None)
    assert inbox.take(5.0) is None
    acknowledge(inbox, again)
    assert text(take(inbox, 5.0)) == "b"


def test_what_is_left_of_a_lost_queue_is_dropped():
    inbox = ordered()
    lost = filled(inbox, 0, "ab")
    paused = filled(inbox, 1, "mn")
    waiting = filled(inbox, 2, "xy")
    held = take(inbox)
    fail(inbox, take(inbox), until=1.0)
    for queue in (lost, paused, waiting):
        queue.revoke()
    assert (len(inbox), inbox.next_due(), inbox.take(9.0)) == (0, None, None)
    held.acknowledge()
    assert not inbox.finished(held)
    filled(inbox, 0, "a")  # ours again
    assert text(take(inbox, 9.0)) == "a"
    assert not inbox.finished(held)
    assert inbox.take(9.0) is None


def test_a_queue_is_held_up_by_a_failed_head_until_that_is_done():
    inbox = ordered()
    queue = filled(inbox, 0, "ab")
    fail(inbox, take(inbox), until=5.0)
    queue.failed_head = FailedHead(offset=0, attempts=1, since_ms=0, error="ValueError", stands=False)
    acknowledge(inbox, take(inbox, 5.0))
    assert queue.failed_head is None


def test_locks_whose_time_is_over_end_before_anything_is_made_of_a_message():
    def lapse() -> None:
        queue.revoke()

    inbox = OrderedInbox(lapse)
    queue = filled(inbox, 0, "ab")
    assert inbox.take(0.0) is None
