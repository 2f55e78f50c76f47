"""A group whose members are of four kinds: Java 5.5.0, Java 4.9.8, Go and ours."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pytest
import trio
from tests.interop.judge import Sending, sent_as
from tests.interop.servers import REQUEST_SECONDS
from tests.interop.taking import delivered

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.interop.judge import Consuming, Judge
    from tests.interop.servers import Cluster

pytestmark = pytest.mark.usefixtures("python_headers")

MEMBERS = 4
QUEUES = 8
MESSAGES = 400
# Members learn of each other at once, or when they next look: after 20 s.
SETTLE_SECONDS = 120
ROUND_SECONDS = 5


class Delivery(NamedTuple):
    """A message as one of the members got it."""

    member: str
    queue: int
    tag: str | None
    body: bytes


async def test_members_share_the_queues_and_get_every_message_once(
    json_judge: Judge, java_4_9: Judge, go_judge: Judge, single: Cluster, name: str
) -> None:
    json_judge.create_topic(single.namesrv, single.name, name, queues=QUEUES)
    group = f"{name}-group"
    send = partial(json_judge.produce, single.namesrv, name, mode="sync", group=f"{name}-producer")
    writing, reading = trio.open_memory_channel[Delivery](0)
    with ExitStack() as consumers:
        async with trio.open_nursery() as nursery:
            for number, member in enumerate((json_judge, java_4_9, go_judge)):
                consumer = consumers.enter_context(member.consuming(single.namesrv, name, group=group))
                nursery.start_soon(_pass_on, consumer, f"judge-{number}", writing)
            nursery.start_soon(_consume, single.namesrv, name, group, writing)
            with trio.fail_after(SETTLE_SECONDS):
                # Twice: who still reads a queue that another has taken over may be the slower of the two, and shows then.
                while not (await _is_shared(send, reading) and await _is_shared(send, reading)):
                    pass
            shares = await _share(send, reading, "counted", MESSAGES)
            # Nothing of the messages above is left in a queue when these come out of it.
            late = await _share(send, reading, "last", QUEUES)
            nursery.cancel_scope.cancel()

    deliveries = [delivery for delivery in shares + late if delivery.tag == "counted"]
    assert Counter(delivery.body for delivery in deliveries) == Counter(_bodies("counted", MESSAGES))
    assert _queues(deliveries) == [QUEUES // MEMBERS] * MEMBERS
    assert len({(delivery.member, delivery.queue) for delivery in deliveries}) == QUEUES


async def _pass_on(consumer: Consuming, member: str, out: trio.MemorySendChannel[Delivery]) -> None:
    """The messages of a judge."""
    while True:
        event = await consumer.next_message()
        await out.send(Delivery(member, event["queueId"], event["tag"], sent_as(event).body))


async def _consume(namesrv: str, topic: str, group: str, out: trio.MemorySendChannel[Delivery]) -> None:
    """The messages of our own client."""
    async with (
        rmq.connect(namesrv, request_timeout=REQUEST_SECONDS) as client,
        client.consumer(group, topic, start="earliest") as messages,
    ):
        async for message in messages:
            async with message:
                await out.send(Delivery("ours", message.queue.queue_id, message.tag, message.body))


def _bodies(tag: str, count: int) -> list[bytes]:
    return [f"{tag} {number}".encode() for number in range(count)]


async def _share(
    send: Callable[[list[Sending]], object],
    reading: trio.MemoryReceiveChannel[Delivery],
    tag: str,
    count: int,
) -> list[Delivery]:
    """Send so many messages, spread over the queues, and collect deliveries until all have come."""
    messages = [Sending(body, tag=tag) for body in _bodies(tag, count)]
    return await delivered(send, messages, reading)


async def _is_shared(
    send: Callable[[list[Sending]], object], reading: trio.MemoryReceiveChannel[Delivery]
) -> bool:
    """Whether a message to each queue comes out evenly at all members."""
    with trio.move_on_after(ROUND_SECONDS):
        return _queues(await _share(send, reading, "settling", QUEUES)) == [QUEUES // MEMBERS] * MEMBERS
    return False


def _queues(deliveries: list[Delivery]) -> list[int]:
    """How many queues each member has messages of."""
    queues: defaultdict[str, set[int]] = defaultdict(set)
    for delivery in deliveries:
        queues[delivery.member].add(delivery.queue)
    return [len(own) for own in queues.values()]
