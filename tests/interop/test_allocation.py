"""Sharing out queues: Apache's classes say who reads what, and we have to agree, or a mixed group breaks."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from rocketmq_lite.client.engine.balance import allocate, java_sorted
from rocketmq_lite.client.engine.hashed_strategies import AllocateByConsistentHash
from rocketmq_lite.client.engine.strategies import (
    AllocateAveragely,
    AllocateAveragelyByCircle,
    AllocateByMachineRoom,
    AllocateNearby,
)
from rocketmq_lite.model import MessageQueue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.interop.judge import Judge

    from rocketmq_lite.client.engine.balance import AllocationStrategy

# Every run asks the same; change it to ask something else.
SEED = 20261127
CASES = 400
ROOMS = ("r1", "r2")
# Java sorts the last before the one ahead of it, Python behind.
MEMBER_ROOMS = ("r1", "r2", "r4", "\uffee", "\U0001f600")
BROKERS = ("broker-a", "broker-b", "r1@a", "r1@b", "r2@c", "r3@d", "r1@", "@e", "r2@f@g")

STRATEGIES: list[tuple[AllocationStrategy, Mapping[str, object]]] = [
    (AllocateAveragely(), {}),
    (AllocateAveragelyByCircle(), {}),
    (AllocateByConsistentHash(), {"virtualNodes": 10}),
    (AllocateByConsistentHash(virtual_nodes=3), {"virtualNodes": 3}),
    (AllocateByMachineRoom(ROOMS), {"rooms": ROOMS}),
    (AllocateNearby(room_of_member=lambda member: member.split("/")[0]), {}),
]


@pytest.mark.parametrize(("strategy", "options"), STRATEGIES, ids=lambda each: getattr(each, "name", ""))
def test_shares_on_inputs_made_by_chance(
    json_judge: Judge, strategy: AllocationStrategy, options: Mapping[str, object]
) -> None:
    chance = random.Random(SEED)
    inputs = [(some_queues(chance, strategy), some_members(chance)) for _ in range(CASES)]
    apache = json_judge.shares(
        [
            {
                "strategy": strategy.name,
                "queues": [[queue.topic, queue.broker_name, queue.queue_id] for queue in queues],
                "members": members,
                **options,
            }
            for queues, members in inputs
        ]
    )
    for (queues, members), theirs in zip(inputs, apache, strict=True):
        ours = [
            [queues.index(queue) for queue in allocate(strategy, queues, members, own)] for own in members
        ]
        assert ours == [sorted(share) for share in theirs], (SEED, queues, members)
    assert sum(bool(share) for shares in apache for share in shares) > CASES


def some_queues(chance: random.Random, strategy: AllocationStrategy) -> list[MessageQueue]:
    # A broker without a room is an error to Java's nearby strategy.
    brokers = [broker for broker in BROKERS if "NEARBY" not in strategy.name or broker != "@e"]
    return sorted(
        MessageQueue("topic", broker, number)
        for broker in chance.sample(brokers, chance.randint(1, len(brokers)))
        for number in range(chance.randint(1, 9))
    )


def some_members(chance: random.Random) -> list[str]:
    members = {
        f"{chance.choice(MEMBER_ROOMS)}/10.0.0.{chance.randint(1, 9)}@{chance.randint(1, 99)}"
        for _ in range(chance.randint(1, 9))
    }
    return java_sorted(members)
