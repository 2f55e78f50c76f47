"""Apache's pull consumers: DefaultMQPullConsumer, DefaultLitePullConsumer since 4.6, and Go's PullConsumer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.interop.judge import sent_as
from tests.interop.messages import WOKEN_SECONDS, assorted, bodies, sorted_by_body, tagged
from tests.interop.sharing import SHARED, shares

if TYPE_CHECKING:
    from tests.interop.judge import Event, Judge
    from tests.interop.servers import Cluster

pull = pytest.mark.parametrize("judge", ["json_judge", "java_4_9", "java_4_4"], indirect=True)
lite_pull = pytest.mark.parametrize("judge", ["json_judge", "java_4_9", "go_judge"], indirect=True)


@pull
def test_pulling_goes_from_the_stored_offsets_to_the_ends(judge: Judge, single: Cluster, topic: str) -> None:
    group, producer = f"{topic}-group", f"{topic}-producer"
    first, second = assorted(100), tagged(["second"] * 20)
    judge.produce(single.namesrv, topic, first, mode="async", group=producer)
    read_first, ends_first = _pulled(judge, single, topic, group)
    judge.produce(single.namesrv, topic, second, mode="sync", group=producer)
    read_second, ends_second = _pulled(judge, single, topic, group)

    assert sorted_by_body(map(sent_as, read_first)) == sorted_by_body(first)
    assert bodies(read_second) == sorted(message.body for message in second)
    assert [ends_first[queue]["stored"] for queue in range(4)] == [0] * 4
    assert [ends_second[queue]["stored"] for queue in range(4)] == [
        ends_first[queue]["offset"] for queue in range(4)
    ]
    for end in (*ends_first.values(), *ends_second.values()):
        assert (end["min"], end["offset"]) == (0, end["max"])
    assert sum(end["max"] for end in ends_second.values()) == 120


@pull
def test_a_blocking_pull_is_woken_by_a_message(
    judge: Judge, single: Cluster, json_judge: Judge, name: str
) -> None:
    json_judge.create_topic(single.namesrv, single.name, name, queues=1)
    pulling = judge.pulling(single.namesrv, name, group=f"{name}-group", wait=True)
    waiting = pulling.next()
    before = time.monotonic()
    judge.produce(single.namesrv, name, tagged(["t"]), mode="sync", group=f"{name}-producer")
    message, end = pulling.rest()

    assert waiting is not None
    assert waiting["event"] == "waiting"
    assert time.monotonic() - before < WOKEN_SECONDS
    assert (message["tag"], message["queueOffset"]) == ("t", 0)
    assert end["offset"] == 1


@lite_pull
def test_a_lite_pull_consumer_goes_on_where_it_stopped(judge: Judge, single: Cluster, topic: str) -> None:
    producer = f"{topic}-producer"
    for messages in (assorted(60), tagged(["second"] * 20)):
        judge.produce(single.namesrv, topic, messages, mode="sync", group=producer)
        with judge.consuming(single.namesrv, topic, group=f"{topic}-group", style="lite-pull") as consumer:
            received = consumer.take(len(messages))
            late = consumer.finish()
        assert late == []
        assert sorted_by_body(map(sent_as, received)) == sorted_by_body(messages)


@lite_pull
def test_a_lite_pull_consumer_takes_its_tags_alone(judge: Judge, single: Cluster, topic: str) -> None:
    messages = tagged(["paid", "Aa", "BB", None] * 10)
    judge.produce(single.namesrv, topic, messages, mode="sync", group=f"{topic}-producer")
    with judge.consuming(
        single.namesrv, topic, group=f"{topic}-group", expression="BB || paid", style="lite-pull"
    ) as consumer:
        received = consumer.take(20)
        late = consumer.finish()

    assert late == []
    assert {message["tag"] for message in received} == {"BB", "paid"}


@lite_pull
def test_two_lite_pull_consumers_share_the_queues(judge: Judge, single: Cluster, topic: str) -> None:
    one, two = shares(judge, single, topic, style="lite-pull")
    assert [len({message["queueId"] for message in share}) for share in (one, two)] == [2, 2]
    assert bodies(one + two) == sorted(message.body for message in SHARED)


@pytest.mark.parametrize("judge", ["go_judge"], indirect=True)
def test_what_gos_pull_consumer_fails_comes_again(judge: Judge, single: Cluster, topic: str) -> None:
    with judge.consuming(
        single.namesrv, topic, group=f"{topic}-group", style="lite-pull", failures=1, maxAttempts=3
    ) as consumer:
        judge.produce(single.namesrv, topic, tagged(["t"]), mode="sync", group=f"{topic}-producer")
        # The broker chooses 10 s, and the client looks for the retry topic every 30 s, at its queues every 20 s.
        received = consumer.take(2, seconds=150)
        assert consumer.finish() == []
    assert [event["reconsumeTimes"] for event in received] == [0, 1]
    assert len({event["msgId"] for event in received}) == 1


@pull
def test_a_pull_consumer_takes_its_tags_alone(judge: Judge, single: Cluster, topic: str) -> None:
    messages = tagged(["paid", "Aa", "BB", None] * 10)
    judge.produce(single.namesrv, topic, messages, mode="sync", group=f"{topic}-producer")
    received, ends = _pulled(judge, single, topic, f"{topic}-group", expression="BB || paid")
    assert [message["tag"] for message in received].count("BB") == 10
    assert {message["tag"] for message in received} == {"BB", "paid"}
    assert sum(end["offset"] for end in ends.values()) == len(messages)


def _pulled(
    judge: Judge, single: Cluster, topic: str, group: str, **options: object
) -> tuple[list[Event], dict[int, Event]]:
    """The messages and, for each queue, where reading it ended."""
    events = judge.pulling(single.namesrv, topic, group=group, **options).rest()
    ends = {event["queueId"]: event for event in events if event["event"] == "offset"}
    return [event for event in events if event["event"] == "message"], ends
