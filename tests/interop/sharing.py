"""Two members of one group, and what each of them gets of a topic with four queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.interop.messages import tagged
from tests.support.polling import poll_until

if TYPE_CHECKING:
    from tests.interop.judge import Consuming, Event, Judge
    from tests.interop.servers import Cluster

SHARED = tagged(["shared"] * 40)
_QUEUES = 4
_SETTLE_SECONDS = 90
_QUIET_SECONDS = 1.0


def shares(judge: Judge, single: Cluster, topic: str, *, style: str) -> list[list[Event]]:
    """What each of two members gets of ``SHARED`` once each of them has two queues."""
    group = f"{topic}-group"
    with (
        judge.consuming(single.namesrv, topic, group=group, style=style) as one,
        judge.consuming(single.namesrv, topic, group=group, style=style) as two,
    ):
        _settle(judge, single, topic, (one, two))
        judge.produce(single.namesrv, topic, SHARED, mode="sync", group=f"{topic}-producer")
        return [_take_shared(consumer, count=20) for consumer in (one, two)]


def _settle(judge: Judge, single: Cluster, topic: str, members: tuple[Consuming, Consuming]) -> None:
    """Send a message to each queue until either member gets those of two."""

    def queues() -> list[list[int]]:
        judge.produce(
            single.namesrv, topic, tagged(["settling"] * _QUEUES), mode="sync", group=f"{topic}-producer"
        )
        return [[event["queueId"] for event in _until_quiet(consumer)] for consumer in members]

    def is_even(got: list[list[int]]) -> bool:
        return [len(each) for each in got] == [2, 2] and sorted(got[0] + got[1]) == list(range(_QUEUES))

    poll_until(queues, is_even, within=_SETTLE_SECONDS)


def _until_quiet(consumer: Consuming) -> list[Event]:
    """What comes until nothing more does for a moment."""
    taken: list[Event] = []
    while True:
        try:
            taken += consumer.take(1, seconds=_QUIET_SECONDS)
        except TimeoutError:
            return taken


def _take_shared(consumer: Consuming, *, count: int) -> list[Event]:
    found: list[Event] = []
    while len(found) < count:
        found += [message for message in consumer.take(1) if message["tag"] == "shared"]
    return found
