"""Apache's push consumers: what it gets, when it gets it, and where it goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.interop.messages import WOKEN_SECONDS, bodies, tagged
from tests.interop.sharing import SHARED, shares

if TYPE_CHECKING:
    from tests.interop.judge import Judge
    from tests.interop.servers import Cluster


def test_a_tag_expression_lets_through_its_tags_alone(judge: Judge, single: Cluster, topic: str) -> None:
    messages = tagged(["paid", "refunded", "open", None, "paid || refunded"] * 12)
    wanted = sorted(message.body for message in messages if message.tag in {"paid", "refunded"})
    expression = "paid || refunded"
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group", expression=expression) as consumer:
        judge.produce(single.namesrv, topic, messages, mode="async", group=f"{topic}-producer")
        received = consumer.take(len(wanted))
        late = consumer.finish()

    assert bodies(received) == wanted
    assert late == []


def test_tags_of_the_same_hash_are_told_apart(judge: Judge, single: Cluster, topic: str) -> None:
    # "Aa" and "BB" have one Java hash: the broker lets both pass, the client takes its own.
    messages = tagged(["Aa", "BB"] * 10)
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group", expression="BB") as consumer:
        judge.produce(single.namesrv, topic, messages, mode="sync", group=f"{topic}-producer")
        received = consumer.take(10)
        late = consumer.finish()

    assert {message["tag"] for message in received} == {"BB"}
    assert late == []


def test_a_message_wakes_a_waiting_consumer(judge: Judge, single: Cluster, topic: str) -> None:
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group") as consumer:
        for round_number in range(3):
            before = time.monotonic()
            # One for each queue, so that every held pull has to answer.
            judge.produce(single.namesrv, topic, tagged(["t"] * 4), mode="sync", group=f"{topic}-producer")
            received = consumer.take(4)
            took = time.monotonic() - before
            assert {message["queueId"] for message in received} == {0, 1, 2, 3}
            # The first round includes the consumer's own start.
            assert round_number == 0 or took < WOKEN_SECONDS


def test_a_group_goes_on_where_it_was_left(judge: Judge, single: Cluster, topic: str) -> None:
    group = f"{topic}-group"
    first, second = tagged(["first"] * 20), tagged(["second"] * 20)
    judge.produce(single.namesrv, topic, first, mode="sync", group=f"{topic}-producer")
    with judge.consuming(single.namesrv, topic, group=group) as consumer:
        received_first = consumer.take(20)
        assert consumer.finish() == []
    judge.produce(single.namesrv, topic, second, mode="sync", group=f"{topic}-producer")
    with judge.consuming(single.namesrv, topic, group=group) as consumer:
        received_second = consumer.take(20)
        assert consumer.finish() == []

    assert {message["tag"] for message in received_first} == {"first"}
    assert {message["tag"] for message in received_second} == {"second"}


def test_groups_do_not_take_from_each_other(judge: Judge, single: Cluster, topic: str) -> None:
    messages = tagged(["t"] * 20)
    wanted = sorted(message.body for message in messages)
    with (
        judge.consuming(single.namesrv, topic, group=f"{topic}-one") as one,
        judge.consuming(single.namesrv, topic, group=f"{topic}-two") as two,
    ):
        judge.produce(single.namesrv, topic, messages, mode="sync", group=f"{topic}-producer")
        assert bodies(one.take(20)) == wanted
        assert bodies(two.take(20)) == wanted


def test_two_members_share_the_queues(judge: Judge, single: Cluster, topic: str) -> None:
    one, two = shares(judge, single, topic, style="consume")
    # Four queues, two members: two each, and no message to both.
    assert [len({message["queueId"] for message in share}) for share in (one, two)] == [2, 2]
    assert bodies(one + two) == sorted(message.body for message in SHARED)
