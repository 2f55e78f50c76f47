"""What a consumer tells the application of beside messages: queues that come and go, positions that jump."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from rocketmq_lite.client.engine.diagnosis import Problem
    from rocketmq_lite.model import MessageQueue

__all__ = ["ConsumerEvent", "GroupProblem", "OffsetMoved", "QueueGained", "QueueLost"]


@dataclass(frozen=True, slots=True)
class ConsumerEvent:
    """Everything that ``on_event=`` of a consumer may be called with; later versions may add kinds."""


@dataclass(frozen=True, slots=True)
class QueueGained(ConsumerEvent):
    """A queue is ours, and its messages will come.

    Attributes:
        queue: Which one.
        offset: The first offset that is read.
    """

    queue: MessageQueue
    offset: int


@dataclass(frozen=True, slots=True)
class QueueLost(ConsumerEvent):
    """A queue is another member's, and nothing that we still do with its messages counts.

    Attributes:
        queue: Which one.
        duplicates: Messages that were handed out here, at most, and that the next owner gets again, because they were not
            done, or stood behind one that was not, when the time to finish was over.
    """

    queue: MessageQueue
    duplicates: int


@dataclass(frozen=True, slots=True)
class OffsetMoved(ConsumerEvent):
    """A queue goes on elsewhere than where we were, as its broker says.

    The broker no longer keeps what we wanted (the group fell behind its retention), or does not have it yet, or
    somebody has reset the group's position. Messages in hands no longer count.

    Attributes:
        queue: Which one.
        expected: The offset that would have been next.
        offset: The offset that is next.
    """

    queue: MessageQueue
    expected: int
    offset: int

    @property
    def skipped(self) -> int:
        """How many offsets were passed over; 0 when the queue went back."""
        return max(0, self.offset - self.expected)


@dataclass(frozen=True, slots=True)
class GroupProblem(ConsumerEvent):
    """The members of the group contradict each other: in subscriptions, client ids, or allocation strategies.

    Attributes:
        problem: What is wrong; it is told once as long as it lasts.
    """

    problem: Problem
