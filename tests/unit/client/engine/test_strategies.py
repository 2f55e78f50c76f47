"""How queues are shared out; that Java does the same is for tests/interop/test_allocation.py to say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rocketmq_lite.client.engine.balance import allocate
from rocketmq_lite.client.engine.hashed_strategies import AllocateByConsistentHash, AllocateByRendezvous
from rocketmq_lite.client.engine.strategies import (
    AllocateAveragely,
    AllocateAveragelyByCircle,
    AllocateByConfig,
    AllocateByMachineRoom,
    AllocateNearby,
)
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.model import MessageQueue


def queues(count: int, broker: str = "broker-a", *, topic: str = "T") -> list[MessageQueue]:
    return [MessageQueue(topic, broker, index) for index in range(count)]


def shares(strategy, everything, members) -> dict[str, list[MessageQueue]]:
    return {member: list(allocate(strategy, everything, members, member)) for member in members}


def ids(shared: dict[str, list[MessageQueue]]) -> dict[str, list[int]]:
    return {member: [queue.queue_id for queue in own] for member, own in shared.items()}


COMPLETE = [
    AllocateAveragely(),
    AllocateAveragelyByCircle(),
    AllocateByConsistentHash(),
    AllocateByConsistentHash(virtual_nodes=1),
    AllocateByRendezvous(),
    AllocateByMachineRoom({"r1", "r2"}),
    AllocateNearby(room_of_member=lambda member: member[:1]),
    AllocateNearby(room_of_member=lambda _member: "r1", inner=AllocateAveragelyByCircle()),
]


@pytest.mark.parametrize("strategy", COMPLETE, ids=lambda strategy: strategy.name)
@given(
    counts=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    members=st.sets(st.text(min_size=1, max_size=3), min_size=1, max_size=9),
)
def test_every_queue_belongs_to_exactly_one_member(strategy, counts, members):
    everything = queues(counts[0], "r1@a") + queues(counts[1], "r2@b")
    taken = [queue for own in shares(strategy, everything, members).values() for queue in own]
    assert sorted(taken) == everything


@pytest.mark.parametrize(
    ("count", "members", "expected"),
    [
        (4, ["a"], {"a": [0, 1, 2, 3]}),
        (4, ["a", "b"], {"a": [0, 1], "b": [2, 3]}),
        (5, ["a", "b"], {"a": [0, 1, 2], "b": [3, 4]}),
        (8, ["a", "b", "c"], {"a": [0, 1, 2], "b": [3, 4, 5], "c": [6, 7]}),
        (2, ["a", "b", "c"], {"a": [0], "b": [1], "c": []}),
        (0, ["a", "b"], {"a": [], "b": []}),
    ],
)
def test_averagely_gives_neighbours_and_the_first_members_take_the_rest(count, members, expected):
    assert ids(shares(AllocateAveragely(), queues(count), members)) == expected


def test_queues_of_several_brokers_are_split_as_one_list():
    shared = shares(AllocateAveragely(), queues(2, "broker-b") + queues(2, "broker-a"), ["x", "y"])
    assert shared == {"x": queues(2, "broker-a"), "y": queues(2, "broker-b")}


def test_by_circle_deals_them_out():
    shared = shares(AllocateAveragelyByCircle(), queues(5), ["a", "b"])
    assert ids(shared) == {"a": [0, 2, 4], "b": [1, 3]}


def test_by_config_reads_what_is_listed_and_a_share_of_the_retry_topic():
    listed = AllocateByConfig([MessageQueue("T", "broker-a", 2), MessageQueue("other", "broker-a", 0)])
    assert allocate(listed, queues(4), ["a", "b"], "b") == (MessageQueue("T", "broker-a", 2),)
    retries = queues(2, topic="%RETRY%g")
    assert [allocate(listed, retries, ["a", "b"], member) for member in "ab"] == [
        (queue,) for queue in retries
    ]


def test_by_machine_room_leaves_other_rooms_and_names_without_a_room_alone():
    strategy = AllocateByMachineRoom(["r1"])
    everything = (
        queues(5, "r1@a") + queues(2, "r2@a") + queues(1, "r1") + queues(1, "r1@") + queues(1, "r1@a@b")
    )
    shared = shares(strategy, everything, ["x", "y"])
    assert ids(shared) == {"x": [0, 1, 4], "y": [2, 3]}
    assert {queue.broker_name for own in shared.values() for queue in own} == {"r1@a"}


def test_nearby_keeps_to_the_room_unless_nobody_is_there():
    strategy = AllocateNearby(room_of_member=lambda member: member.split("/")[0])
    everything = queues(2, "r1@a") + queues(2, "r2@b") + queues(2, "r3@c")
    shared = shares(strategy, everything, ["r1/x", "r2/y", "r2/z"])
    assert {member: [queue.broker_name for queue in own] for member, own in shared.items()} == {
        "r1/x": ["r1@a", "r1@a", "r3@c"],
        "r2/y": ["r2@b", "r3@c"],
        "r2/z": ["r2@b"],
    }


@given(members=st.sets(st.text(min_size=1, max_size=5), min_size=2, max_size=8))
def test_by_rendezvous_nothing_moves_but_what_has_to(members):
    everything = queues(40)
    gone = min(members)
    before = shares(AllocateByRendezvous(), everything, members)
    after = shares(AllocateByRendezvous(), everything, members - {gone})
    for member in members - {gone}:
        assert set(before[member]) <= set(after[member])


def test_by_consistent_hash_most_stays_where_it_is():
    everything = queues(100)
    before = shares(AllocateByConsistentHash(), everything, list("abcde"))
    after = shares(AllocateByConsistentHash(), everything, list("abcd"))
    stayed = sum(len(set(before[member]) & set(after[member])) for member in "abcd")
    assert stayed == 100 - len(before["e"])


def test_a_ring_without_places_is_refused():
    with pytest.raises(ConfigError, match="virtual_nodes is 0"):
        AllocateByConsistentHash(virtual_nodes=0)
