"""What is wrong with a group, and what is not."""

from __future__ import annotations

from rocketmq_lite.client.engine.diagnosis import (
    STRATEGY_PROPERTY,
    behind_retention,
    different_subscriptions,
    disputed_queues,
    duplicate_client_ids,
)
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import Connection, ConsumerRunningInfo, ProcessQueueInfo, SubscriptionData

QUEUES = [MessageQueue("T", "b", number) for number in range(5)]


def connection(client_id: str, address: str) -> Connection:
    return Connection(client_id, address, "JAVA", 1)


def reading(*numbers: int, strategy: str | None = None) -> ConsumerRunningInfo:
    return ConsumerRunningInfo(
        properties={} if strategy is None else {STRATEGY_PROPERTY: strategy},
        mq_table={QUEUES[number]: ProcessQueueInfo() for number in numbers},
    )


def wanting(**topics: str) -> ConsumerRunningInfo:
    return ConsumerRunningInfo(
        subscription_set=tuple(
            SubscriptionData(topic=topic, sub_string=text) for topic, text in topics.items()
        )
    )


def test_one_client_at_each_of_two_brokers_is_one_client():
    brokers = [[connection("a", "h:1"), connection("b", "h:2")], [connection("a", "h:3")]]
    assert duplicate_client_ids("g", brokers) == []


def test_an_id_at_two_addresses_of_one_broker():
    [problem] = duplicate_client_ids("g", [[connection("a", "h:1"), connection("a", "h:2")]])
    assert (problem.kind, problem.subject) == ("duplicate-client-id", "g")
    assert "client id a is used by more than one client: h:1, h:2" in problem.text


def test_the_same_subscriptions_written_differently():
    members = {"a": wanting(T="x || y", U="*"), "b": wanting(U="*", T="y||x")}
    assert different_subscriptions("g", members) == []
    assert different_subscriptions("g", {}) == []


def test_different_subscriptions_are_told_without_what_they_have_in_common():
    members = {"a": wanting(T="x", U="*"), "b": wanting(T="y", U="*"), "c": wanting(U="*")}
    [problem] = different_subscriptions("g", members)
    assert problem.kind == "different-subscriptions"
    assert "(a: T TAG x | b: T TAG y | c: nothing more)" in problem.text


def test_each_queue_has_one_reader():
    assert disputed_queues("g", QUEUES, {"a": reading(0, 1, 2), "b": reading(3, 4)}) == []


def test_queues_with_two_readers_and_with_none():
    members = {"a": reading(0, 1, 2, strategy="AVG"), "b": reading(0, 2, 4, strategy="AVG_BY_CIRCLE")}
    [problem] = disputed_queues("g", QUEUES, members)
    assert problem.kind == "disputed-queues"
    assert problem.text == (
        "of its 5 queues 2 read by more than one member (T b/0, T b/2); 1 read by no member (T b/3)"
    )
    assert "those that say use AVG, AVG_BY_CIRCLE" in problem.hint


def test_long_lists_are_cut():
    [problem] = disputed_queues("g", QUEUES, {"a": reading()})
    assert "5 read by no member (T b/0, T b/1, T b/2, …)" in problem.text


def test_positions_below_what_is_kept():
    positions = {QUEUES[0]: 10, QUEUES[1]: 20, QUEUES[2]: 5}
    assert behind_retention("g", positions, {QUEUES[0]: 10, QUEUES[1]: 3}) == []
    [problem] = behind_retention("g", positions, dict.fromkeys(QUEUES, 15))
    assert problem.kind == "behind-retention"
    assert "15 messages were removed before it consumed them (T b/0, T b/2)" in problem.text
