"""Strict order: Apache's orderly consumers on our broker, ours on Apache's, and all of them in one group."""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pytest
import trio
from tests.interop import golang
from tests.interop import judge as judges
from tests.interop.judge import Sending, sent_as
from tests.interop.servers import REQUEST_SECONDS
from tests.interop.taking import delivered

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.interop.judge import Consuming, Event, Judge
    from tests.interop.servers import Cluster

orderly = pytest.mark.parametrize("judge", ["json_judge", "java_4_9", "go_judge"], indirect=True)
QUEUES = 8
# Members learn of each other at once, or when they next look: after 20 s. A lock that is held is asked for again then, too.
SETTLE_SECONDS = 120
KEYS = [f"customer-{number}" for number in range(16)]


class Delivery(NamedTuple):
    """A message as one of the members got it."""

    member: str
    queue: int
    body: bytes


def numbered(start: int, count: int = 10) -> list[Sending]:
    """So many messages of each key, numbered."""
    return [
        Sending(f"{key} {number}".encode(), order_key=key)
        for number in range(start, start + count)
        for key in KEYS
    ]


def in_order(bodies: list[bytes], start: int, count: int = 10, step: int = 1) -> bool:
    """Whether these are all (or every second) messages of `numbered`, each once and those of each key in order."""
    of_key = defaultdict(list)
    for body in bodies:
        key, number = body.decode().split()
        of_key[key].append(int(number))
    return dict(of_key) == {key: list(range(start, start + count, step)) for key in KEYS}


def bodies(events: list[Event]) -> list[bytes]:
    return [sent_as(event).body for event in events]


@pytest.fixture
def send(json_judge: Judge, single: Cluster, name: str) -> partial[list[Event]]:
    """A new topic, and what sends messages to it."""
    json_judge.create_topic(single.namesrv, single.name, name, queues=QUEUES)
    return partial(json_judge.produce, single.namesrv, name, mode="sync", group=f"{name}-producer")


@pytest.fixture
def all_judges(json_judge: Judge, java_4_9: Judge, go_judge: Judge) -> tuple[Judge, ...]:
    """Apache's clients that a group is mixed of."""
    return json_judge, java_4_9, go_judge


@orderly
def test_orderly_consumers_get_everything_in_order(
    judge: Judge, single: Cluster, name: str, send: partial[list[Event]]
) -> None:
    with judge.consuming(single.namesrv, name, group=f"{name}-group", orderly=True) as consumer:
        send(numbered(0))
        received = consumer.take(10 * len(KEYS))
        assert consumer.finish() == []
    assert in_order(bodies(received), 0)
    # The locks were given back: another member begins at once, behind what was done.
    with judge.consuming(single.namesrv, name, group=f"{name}-group", orderly=True) as consumer:
        send(numbered(10))
        received = consumer.take(10 * len(KEYS))
        assert consumer.finish() == []
    assert in_order(bodies(received), 10)


@orderly
def test_an_orderly_consumer_gets_the_messages_of_its_tags_in_order(
    judge: Judge, single: Cluster, name: str, send: partial[list[Event]]
) -> None:
    with judge.consuming(
        single.namesrv, name, group=f"{name}-group", expression="even || none", orderly=True
    ) as consumer:
        send(
            [
                replace(each, tag="odd" if number // len(KEYS) % 2 else "even")
                for number, each in enumerate(numbered(0))
            ]
        )
        received = consumer.take(5 * len(KEYS))
        assert consumer.finish() == []
    assert in_order(bodies(received), 0, step=2)


@pytest.mark.parametrize("judge", ["json_judge", "java_4_9"], indirect=True)
def test_what_an_orderly_consumer_fails_too_often_is_a_dead_letter(
    judge: Judge, single: Cluster, name: str, json_judge: Judge
) -> None:
    json_judge.create_topic(single.namesrv, single.name, name, queues=1)
    group = f"{name}-group"
    with judge.consuming(
        single.namesrv, name, group=group, orderly=True, failures=9, maxAttempts=1
    ) as consumer:
        messages = [Sending(b"first"), Sending(b"second")]
        json_judge.produce(single.namesrv, name, messages, mode="sync", group=f"{name}-producer")
        received = consumer.take(4)
        undertaker = json_judge.consuming(single.namesrv, f"%DLQ%{group}", group=f"{name}-undertaker")
        with undertaker as burying:
            dead = burying.take(2)
    assert bodies(received) == [b"first", b"first", b"second", b"second"]
    assert sorted(sent_as(event).body for event in dead) == [b"first", b"second"]


@pytest.mark.parametrize("single", ["lite"], indirect=True)
def test_the_queues_of_a_killed_member_pass_on_when_its_locks_end(
    go_judge: Judge, single: Cluster, name: str, send: partial[list[Event]], tmp_path: Path
) -> None:
    group = f"{name}-group"
    with ExitStack() as stack:
        victim = stack.enter_context(judges.running([str(golang.build())], tmp_path))
        dying = stack.enter_context(victim.consuming(single.namesrv, name, group=group, orderly=True))
        send(numbered(0, 1))
        assert in_order(bodies(dying.take(len(KEYS))), 0, 1)
        victim.kill()
        stays = stack.enter_context(go_judge.consuming(single.namesrv, name, group=group, orderly=True))
        send(numbered(1, 1))
        seen: set[bytes] = set()
        # What the dead had not committed comes again.
        while not {message.body for message in numbered(1, 1)} <= seen:
            seen |= set(bodies(stays.take(1, SETTLE_SECONDS)))


async def test_a_group_of_all_clients_keeps_order(
    all_judges: tuple[Judge, ...], single: Cluster, name: str, send: partial[list[Event]]
) -> None:
    group, members = f"{name}-group", 4
    writing, reading = trio.open_memory_channel[Delivery](0)
    with ExitStack() as consumers:
        async with trio.open_nursery() as nursery:
            for number, member in enumerate(all_judges):
                joined = member.consuming(single.namesrv, name, group=group, orderly=True)
                nursery.start_soon(pass_on, consumers.enter_context(joined), f"judge-{number}", writing)
            nursery.start_soon(consume, single.namesrv, name, group, writing)
            with trio.fail_after(SETTLE_SECONDS):
                start = 0
                while not is_even(await delivered(send, numbered(start, 1), reading), members):
                    start += 1
            shares = [
                delivery
                for turn in range(3)
                for delivery in await delivered(send, numbered(start + 1 + turn, 1), reading)
            ]
            nursery.cancel_scope.cancel()
    assert in_order([delivery.body for delivery in shares], start + 1, 3)
    assert is_even(shares, members)


async def pass_on(consumer: Consuming, member: str, out: trio.MemorySendChannel[Delivery]) -> None:
    """The messages of a judge."""
    while True:
        event = await consumer.next_message()
        await out.send(Delivery(member, event["queueId"], sent_as(event).body))


async def consume(namesrv: str, topic: str, group: str, out: trio.MemorySendChannel[Delivery]) -> None:
    """The messages of our own client."""
    async with (
        rmq.connect(namesrv, request_timeout=REQUEST_SECONDS) as client,
        client.consumer(group, topic, start="earliest", ordered=True) as messages,
    ):
        async for message in messages:
            async with message:
                await out.send(Delivery("ours", message.queue.queue_id, message.body))


def is_even(deliveries: list[Delivery], members: int) -> bool:
    """Whether each queue with messages came out at one member, and all members had some."""
    owners = defaultdict(set)
    for delivery in deliveries:
        owners[delivery.queue].add(delivery.member)
    return all(len(each) == 1 for each in owners.values()) and (
        len({next(iter(each)) for each in owners.values()}) == members
    )


@pytest.fixture
async def client(single: Cluster) -> AsyncIterator[rmq.Client]:
    async with rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as connected:
        yield connected


async def test_our_consumer_retries_in_place_and_parks(
    json_judge: Judge, single: Cluster, name: str, client: rmq.Client
) -> None:
    await trio.to_thread.run_sync(
        partial(json_judge.create_topic, single.namesrv, single.name, name, queues=1)
    )
    producer, group = client.producer(f"{name}-producer"), f"{name}-group"
    for number in range(3):
        await producer.send(name, b"%d" % number, order_key="k")
    seen: list[tuple[bytes, int]] = []
    with trio.fail_after(SETTLE_SECONDS):
        async with client.consumer(group, name, start="earliest", ordered=True, park_after=3) as messages:
            async for message in messages:
                async with message:
                    seen.append((message.body, message.attempt))
                    if message.body == b"1":
                        raise rmq.RetryLater(0.2)
                if message.body == b"2":
                    break
        assert seen == [(b"0", 1), (b"1", 1), (b"1", 2), (b"1", 3), (b"2", 1)]
        assert await dead_letters(client, group) == [b"1"]
        async with client.consumer(group, name, ordered=True) as messages:
            await producer.send(name, b"3", order_key="k")
            assert (await anext(messages)).body == b"3"  # the rest was done


async def dead_letters(client: rmq.Client, group: str) -> list[bytes]:
    topic = f"%DLQ%{group}"
    while topic not in await client.admin.topics():  # noqa: ASYNC110
        await trio.sleep(0.1)  # the broker makes it for the first of them, and tells the name server then
    async with client.consumer(f"{group}-undertaker", topic, start="earliest") as messages:
        return [(await anext(messages)).body]


async def test_our_members_hand_queues_over_in_order(
    single: Cluster, name: str, client: rmq.Client, send: partial[list[Event]]
) -> None:
    group = f"{name}-group"
    handled: list[bytes] = []

    async def work(messages: rmq.Consumer) -> None:
        async for message in messages:
            async with message:
                handled.append(message.body)

    with trio.fail_after(SETTLE_SECONDS):
        async with (
            client.consumer(group, name, start="earliest", ordered=True) as first,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(work, first)
            nursery.start_soon(trio.to_thread.run_sync, send, numbered(0))
            async with (
                rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as other,
                other.consumer(group, name, ordered=True) as second,
            ):
                nursery.start_soon(work, second)
                while len(handled) < 10 * len(KEYS) or not (first.queues and second.queues):  # noqa: ASYNC110
                    await trio.sleep(0.1)  # two clients and a broker: there is no one thing to wait for
                nursery.cancel_scope.cancel()
    assert in_order(handled, 0)


async def test_what_our_consumer_fails_comes_again_and_then_is_a_dead_letter(
    single: Cluster, topic: str, client: rmq.Client
) -> None:
    """Without order: send-back (36), the retry topic, the dead letters."""
    group, attempts = f"{topic}-group", []
    await client.producer(f"{topic}-producer").send(topic, b"x", tag="t", keys="k")
    with trio.fail_after(SETTLE_SECONDS):
        async with client.consumer(group, topic, start="earliest", max_attempts=2) as messages:
            for _ in range(2):
                async with await anext(messages) as message:
                    attempts.append((message.topic, message.attempt, message.tag))
                    raise rmq.RetryLater(1)
            assert attempts == [(topic, 1, "t"), (topic, 2, "t")]
            assert await dead_letters(client, group) == [b"x"]
