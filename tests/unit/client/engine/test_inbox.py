from __future__ import annotations

from rocketmq_lite.client.engine.inbox import Inbox
from rocketmq_lite.client.engine.process_queue import DeliveryEvent, DeliveryState, ProcessQueue, QueueLimits
from rocketmq_lite.model import MessageQueue


def started(queue_id: int = 0) -> ProcessQueue[str]:
    queue: ProcessQueue[str] = ProcessQueue(MessageQueue("T", "a", queue_id), QueueLimits(10, 1000, 100))
    queue.locate(0)
    return queue


def taken(inbox: Inbox[str], now: float) -> str | None:
    delivery = inbox.take(now)
    return delivery.payload if delivery else None


def test_messages_come_out_in_the_order_they_came_in():
    inbox: Inbox[str] = Inbox()
    queue = started()
    for offset, text in enumerate("abc"):
        inbox.put(queue.add(offset, 1, 1, text))
    assert len(inbox) == 3
    assert [taken(inbox, 0.0) for _ in range(4)] == ["a", "b", "c", None]


def test_a_failed_message_comes_back_after_its_pause_and_before_the_others():
    inbox: Inbox[str] = Inbox()
    queue = started()
    inbox.put(queue.add(0, 1, 1, "bad"))
    inbox.put(queue.add(1, 1, 1, "good"))
    bad = inbox.take(0.0)
    assert bad is not None
    bad.apply(DeliveryEvent.ENTER)
    bad.apply(DeliveryEvent.FAIL)
    bad.apply(DeliveryEvent.KEEP)
    inbox.pause(bad, until=5.0)
    assert inbox.next_due() == 5.0
    inbox.put(queue.add(2, 1, 1, "late"))
    assert taken(inbox, 4.9) == "good"
    assert taken(inbox, 5.0) == "bad"
    assert bad.state is DeliveryState.HANDED
    assert taken(inbox, 5.0) == "late"
    assert inbox.next_due() is None


def test_messages_of_a_lost_queue_are_dropped():
    inbox: Inbox[str] = Inbox()
    lost, kept = started(0), started(1)
    failed = lost.add(0, 1, 1, "failed")
    for event in (DeliveryEvent.HAND_OUT, DeliveryEvent.ENTER, DeliveryEvent.FAIL, DeliveryEvent.KEEP):
        failed.apply(event)
    inbox.pause(failed, until=1.0)
    inbox.put(lost.add(1, 1, 1, "gone"))
    inbox.put(kept.add(0, 1, 1, "here"))
    lost.revoke()
    assert inbox.next_due() is None
    assert taken(inbox, 9.0) == "here"
    assert taken(inbox, 9.0) is None
