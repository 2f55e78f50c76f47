"""Strict order under random schedules: members that lock, pull, work, fail, renew late, lose answers, leave and die, and a
broker that restarts. Members are our client's pure parts, the broker's locks are our broker's; time is a number.

Within the time that a lock is good for, nobody else works on the queue; what is handled and counts is in order and without
gaps; the group's position never passes what was not handled.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.support import records

from rocketmq_lite.broker.engine.locks import LockTable
from rocketmq_lite.client.engine.ordered_inbox import OrderedInbox
from rocketmq_lite.client.engine.process_queue import Delivery, ProcessQueue, QueueLimits
from rocketmq_lite.client.engine.queue_locks import LockState, LockTimings, QueueLocks
from rocketmq_lite.model import MessageQueue

pytestmark = pytest.mark.slow

QUEUES = tuple(MessageQueue("T", "a", number) for number in range(2))
TIMINGS = LockTimings(renew=20, valid=30, retry=3)
LOCK_SECONDS = 60.0
SCHEDULES = int(os.environ.get("ORDERED_SCHEDULES", "200"))

queues = st.sampled_from(QUEUES)
names = st.sampled_from("abc")


@dataclass
class Asking:
    """A request for locks on its way: not yet at the broker while ``granted`` is None."""

    member: Member
    wanted: tuple[MessageQueue, ...]
    at: float
    granted: tuple[MessageQueue, ...] | None = None


@dataclass(eq=False)
class Member:
    """A client, as far as order is concerned."""

    client_id: str
    locks: QueueLocks = field(default_factory=lambda: QueueLocks(TIMINGS))
    inbox: OrderedInbox = field(default_factory=lambda: OrderedInbox(lambda: None))
    reading: dict[MessageQueue, ProcessQueue] = field(default_factory=dict)
    in_work: list[Delivery] = field(default_factory=list)

    def drop(self, ended: tuple[MessageQueue, ...]) -> None:
        """Locks have ended."""
        for queue in ended:
            if queue in self.reading:
                self.reading.pop(queue).revoke()
        self.drain()

    def drain(self) -> list[MessageQueue]:
        """Go on with what waited for work to be over; the queues that were being given up."""
        busy = {delivery.queue.queue for delivery in self.in_work}
        released = []
        for queue in QUEUES:
            state = self.locks.state(queue)
            if state in {LockState.LAPSED, LockState.YIELDING} and queue not in busy:
                self.locks.drained(queue, 0.0)
                released += [queue] if state is LockState.YIELDING else []
        return released


class Schedules(RuleBasedStateMachine):
    """One group, one broker."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.table = LockTable(LOCK_SECONDS)
        self.stored = dict.fromkeys(QUEUES, 0)
        self.position = dict.fromkeys(QUEUES, 0)
        self.handled: dict[MessageQueue, list[int]] = {queue: [] for queue in QUEUES}
        self.asking: list[Asking] = []
        self.members: dict[str, Member] = {}
        self.incarnation = 0

    def member(self, name: str) -> Member:
        """The one of that name; a new client when there is none."""
        if name not in self.members:
            self.incarnation += 1
            self.members[name] = Member(f"{name}{self.incarnation}")
            for queue in QUEUES:
                self.members[name].locks.want(queue, self.now)
        member = self.members[name]
        member.drop(member.locks.expire(self.now))
        return member

    @rule(seconds=st.sampled_from([1.0, 5.0, 20.0, 29.9, 31.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(queue=queues, count=st.integers(1, 5))
    def messages_come(self, queue: MessageQueue, count: int) -> None:
        self.stored[queue] += count

    @rule(name=names, queue=queues)
    def queue_is_assigned(self, name: str, queue: MessageQueue) -> None:
        member = self.member(name)
        if member.locks.state(queue) is LockState.RELEASED:
            member.locks.want(queue, self.now)

    @rule(name=names, late=st.integers(0, 3))
    def locks_are_asked_for(self, name: str, late: int) -> None:
        """One time in four the request stays on its way, one time in four the answer."""
        member = self.member(name)
        if any(asking.member is member for asking in self.asking):
            return  # they take turns
        for wanted in member.locks.plan(self.now).values():
            asking = Asking(member, wanted, self.now)
            self.asking.append(asking)
            for _ in range(min(late, 2)):
                self.go_on(asking)

    @rule(name=names)
    def locks_are_taken_as_soon_as_they_are_free(self, name: str) -> None:
        """Nobody renews until the broker gives the locks to who asks: the worst for a member that believes in its own."""
        self.now += LOCK_SECONDS + 0.1
        self.locks_are_asked_for(name, late=2)

    @precondition(lambda self: self.asking)
    @rule(data=st.data())
    def request_goes_on(self, data: st.DataObject) -> None:
        self.go_on(data.draw(st.sampled_from(self.asking)))

    def go_on(self, asking: Asking) -> None:
        """To the broker, or back."""
        if asking.granted is None:
            asking.granted = self.table.lock("G", asking.member.client_id, asking.wanted, now=self.now)
            return
        self.asking.remove(asking)
        ended = asking.member.locks.record_answer(
            asking.wanted, asking.granted, asked_at=asking.at, now=self.now
        )
        asking.member.drop(ended)

    @precondition(lambda self: self.asking)
    @rule(data=st.data())
    def request_is_lost(self, data: st.DataObject) -> None:
        asking = data.draw(st.sampled_from(self.asking))
        self.asking.remove(asking)
        asking.member.locks.record_silence(asking.wanted, self.now)

    @rule(name=names, queue=queues)
    def messages_are_pulled(self, name: str, queue: MessageQueue) -> None:
        member = self.member(name)
        if member.locks.state(queue) is not LockState.HELD:
            return
        reading = member.reading.get(queue)
        if reading is None:
            reading = member.reading[queue] = ProcessQueue(queue, QueueLimits(8, 10_000, 8))
            reading.locate(self.position[queue])
        offsets = range(reading.next_offset, min(self.stored[queue], reading.next_offset + 2))
        member.inbox.put(reading.take_in(records.at(*offsets), ())[0])

    @rule(name=names)
    def work_begins(self, name: str) -> None:
        member = self.member(name)
        delivery = member.inbox.take(self.now)
        if delivery is not None:
            delivery.enter()
            member.in_work.append(delivery)
            busy = [each.queue.queue for each in member.in_work]
            assert len(set(busy)) == len(busy), "one message of a queue at a time"

    @rule(name=names, fails=st.booleans(), first=st.booleans())
    def work_ends(self, name: str, fails: bool, first: bool) -> None:
        member = self.member(name)
        if not member.in_work:
            return
        delivery = member.in_work.pop(0 if first else -1)
        queue = delivery.queue.queue
        counts = not delivery.queue.lost
        if fails:
            delivery.fail()
            delivery.keep()
            member.inbox.pause(delivery, self.now + 1)
        else:
            delivery.acknowledge()
            member.inbox.finished(delivery)
            if counts:
                self.handled[queue].append(delivery.queue_offset)
        self.release(member, commit=True)

    @rule(name=names, queue=queues)
    def position_is_committed(self, name: str, queue: MessageQueue) -> None:
        member = self.member(name)
        if queue in member.reading:
            self.commit(member, queue)

    @rule(name=names, queue=queues)
    def queue_goes_to_another_member(self, name: str, queue: MessageQueue) -> None:
        member = self.member(name)
        if member.locks.state(queue) not in {LockState.RELEASED, LockState.YIELDING}:
            was_held = member.locks.state(queue) is LockState.HELD
            member.locks.give_up(queue)
            if queue in member.reading:
                member.reading[queue].release()
            if not was_held:
                self.unlock(member, queue)
            self.release(member, commit=True)

    @rule(name=names)
    def member_dies(self, name: str) -> None:
        member = self.members.pop(name, None)
        self.asking = [asking for asking in self.asking if asking.member is not member]

    @rule()
    def broker_restarts(self) -> None:
        """Connections break first; then it is there again, and knows of no lock."""
        self.asking.clear()
        for name in list(self.members):
            member = self.member(name)
            member.drop(member.locks.disconnected("a", self.now))
        self.table = LockTable(LOCK_SECONDS)

    def release(self, member: Member, *, commit: bool) -> None:
        for queue in member.drain():
            if queue in member.reading:
                if commit:
                    self.commit(member, queue)
                member.reading.pop(queue).revoke()
            self.unlock(member, queue)

    def commit(self, member: Member, queue: MessageQueue) -> None:
        position = member.reading[queue].committable
        assert position is not None
        assert position >= self.position[queue], "nobody who may commit is behind"
        self.position[queue] = position

    def unlock(self, member: Member, queue: MessageQueue) -> None:
        """After what was asked before: requests to one broker take turns."""
        self.asking = [asking for asking in self.asking if asking.member is not member]
        self.table.unlock("G", member.client_id, (queue,))

    @invariant()
    def one_owner_at_most(self) -> None:
        for queue in QUEUES:
            owners = [
                member.client_id
                for member in self.members.values()
                if member.locks.state(queue) in {LockState.HELD, LockState.YIELDING}
                and member.locks.valid_until(queue) > self.now
            ]
            assert len(owners) <= 1, (queue, owners)

    @invariant()
    def order_is_kept(self) -> None:
        for queue in QUEUES:
            seen: list[int] = []
            for offset in self.handled[queue]:
                if offset not in seen:  # a redelivery otherwise
                    seen.append(offset)
            assert seen == list(range(len(seen)))
            assert self.position[queue] <= len(seen)


TestSchedules = Schedules.TestCase
TestSchedules.settings = settings(max_examples=SCHEDULES, stateful_step_count=60, deadline=None)
