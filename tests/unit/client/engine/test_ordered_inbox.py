"""One message of each queue at a time, in order; a failed one holds its queue and no other."""

from __future__ import annotations

from rocketmq_lite.client.engine.ordered_inbox import OrderedInbox
from rocketmq_lite.client.engine.process_queue import Delivery, DeliveryEvent, ProcessQueue, QueueLimits
from rocketmq_lite.model import MessageQueue


def filled(inbox: OrderedInbox[str], queue_id: int, text: str) -> ProcessQueue[str]:
    """A queue with a message for each letter."""
    queue: ProcessQueue[str] = ProcessQueue(MessageQueue("T", "a", queue_id), QueueLimits(10, 1000, 10))
    queue.locate(0)
    for offset, letter in enumerate(text):
        inbox.put(queue.add(offset, 1, 1, letter))
    return queue


def take(inbox: OrderedInbox[str], now: float = 0.0) -> Delivery[str]:
    delivery = inbox.take(now)
    assert delivery is not None
    delivery.apply(DeliveryEvent.ENTER)
    return delivery


def acknowledge(inbox: OrderedInbox[str], delivery: Delivery[str]) -> bool:
    delivery.apply(DeliveryEvent.ACKNOWLEDGE)
    return inbox.finished(delivery)


def fail(inbox: OrderedInbox[str], delivery: Delivery[str], until: float) -> None:
    delivery.apply(DeliveryEvent.FAIL)
    delivery.apply(DeliveryEvent.KEEP)
    inbox.pause(delivery, until)


def test_the_next_message_of_a_queue_waits_for_the_one_before():
    inbox: OrderedInbox[str] = OrderedInbox()
    filled(inbox, 0, "abc")
    seen = []
    for more in (True, True, False):
        delivery = take(inbox)
        seen.append(delivery.payload)
        assert inbox.take(0.0) is None
        assert acknowledge(inbox, delivery) is more
    assert seen == ["a", "b", "c"]
    assert (inbox.take(0.0), len(inbox)) == (None, 0)


def test_queues_take_turns():
    inbox: OrderedInbox[str] = OrderedInbox()
    filled(inbox, 0, "abc")
    filled(inbox, 1, "xy")
    first, second = take(inbox), take(inbox)
    assert (first.payload, second.payload, inbox.take(0.0)) == ("a", "x", None)
    acknowledge(inbox, second)
    acknowledge(inbox, first)
    assert [take(inbox).payload for _ in range(2)] == ["y", "b"]


def test_a_message_that_comes_while_another_is_in_hands_waits():
    inbox: OrderedInbox[str] = OrderedInbox()
    queue = filled(inbox, 0, "a")
    first = take(inbox)
    inbox.put(queue.add(1, 1, 1, "b"))
    assert inbox.take(0.0) is None
    acknowledge(inbox, first)
    inbox.put(queue.add(2, 1, 1, "c"))
    assert take(inbox).payload == "b"
    assert inbox.take(0.0) is None


def test_a_failed_message_holds_its_queue_and_no_other():
    inbox: OrderedInbox[str] = OrderedInbox()
    filled(inbox, 0, "ab")
    fail(inbox, take(inbox), until=5.0)
    filled(inbox, 1, "x")
    assert (inbox.next_due(), len(inbox)) == (5.0, 3)
    assert take(inbox, 4.9).payload == "x"
    assert inbox.take(4.9) is None
    again = take(inbox, 5.0)
    assert (again.payload, again.attempt, inbox.next_due()) == ("a", 2, None)
    assert inbox.take(5.0) is None
    acknowledge(inbox, again)
    assert take(inbox, 5.0).payload == "b"


def test_what_is_left_of_a_lost_queue_is_dropped():
    inbox: OrderedInbox[str] = OrderedInbox()
    lost = filled(inbox, 0, "ab")
    paused = filled(inbox, 1, "mn")
    waiting = filled(inbox, 2, "xy")
    held = take(inbox)
    fail(inbox, take(inbox), until=1.0)
    for queue in (lost, paused, waiting):
        queue.revoke()
    assert (len(inbox), inbox.next_due(), inbox.take(9.0)) == (0, None, None)
    held.apply(DeliveryEvent.ACKNOWLEDGE)
    assert not inbox.finished(held)
    filled(inbox, 0, "a")  # ours again
    assert take(inbox, 9.0).payload == "a"
    assert not inbox.finished(held)
    assert inbox.take(9.0) is None
