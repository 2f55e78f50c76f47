from __future__ import annotations

from tests.support import records

from rocketmq_lite.client.engine.inbox import Inbox
from rocketmq_lite.client.engine.process_queue import ProcessQueue, QueueLimits
from rocketmq_lite.model import MessageQueue


def started(queue_id: int = 0) -> ProcessQueue:
    queue = ProcessQueue(MessageQueue("T", "a", queue_id), QueueLimits(10, 10_000, 100))
    queue.locate(0)
    return queue


def put(inbox: Inbox, queue: ProcessQueue, text: str) -> None:
    """A message for each letter."""
    start = queue.next_offset
    brought = [records.record(offset, letter.encode()) for offset, letter in enumerate(text, start)]
    inbox.put(queue.take_in(records.batch(brought), ())[0])


def taken(inbox: Inbox, now: float) -> str | None:
    delivery = inbox.take(now)
    return delivery.body.decode() if delivery else None


def take_and_pause(inbox: Inbox, until: float) -> str:
    delivery = inbox.take(0.0)
    assert delivery is not None
    delivery.enter()
    delivery.fail()
    delivery.keep()
    inbox.pause(delivery, until)
    return delivery.body.decode()


def test_messages_come_out_in_the_order_they_came_in():
    inbox = Inbox()
    one, other = started(0), started(1)
    put(inbox, one, "ab")
    put(inbox, other, "x")
    put(inbox, one, "c")
    assert len(inbox) == 4
    assert [taken(inbox, 0.0) for _ in range(5)] == ["a", "b", "x", "c", None]


def test_a_failed_message_comes_back_after_its_pause_and_before_the_others():
    inbox = Inbox()
    queue = started()
    put(inbox, queue, "bg")
    assert take_and_pause(inbox, until=5.0) == "b"
    assert inbox.next_due() == 5.0
    put(inbox, queue, "l")
    assert taken(inbox, 4.9) == "g"
    assert taken(inbox, 5.0) == "b"
    assert taken(inbox, 5.0) == "l"
    assert inbox.next_due() is None


def test_messages_of_a_lost_queue_are_dropped():
    inbox = Inbox()
    lost, kept = started(0), started(1)
    put(inbox, lost, "fg")
    put(inbox, kept, "h")
    assert take_and_pause(inbox, until=1.0) == "f"
    lost.revoke()
    assert inbox.next_due() is None
    assert taken(inbox, 9.0) == "h"
    assert taken(inbox, 9.0) is None


def test_a_paused_message_of_a_lost_queue_is_dropped_when_it_is_due():
    inbox = Inbox()
    lost, kept = started(0), started(1)
    put(inbox, lost, "f")
    assert take_and_pause(inbox, until=1.0) == "f"
    put(inbox, kept, "h")
    lost.revoke()
    assert taken(inbox, 9.0) == "h"
