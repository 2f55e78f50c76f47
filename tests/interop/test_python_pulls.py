"""Our pull consumers and our way with dead letters, on Apache's broker and on ours, beside Apache's clients."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
from tests.interop.judge import Sending
from tests.interop.messages import tagged
from tests.interop.servers import REQUEST_SECONDS
from tests.interop.taking import ids, polled

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.interop.judge import Event, Judge
    from tests.interop.servers import Cluster

ONE_SECOND = 1  # the delay level
COUNT = 20


@pytest.fixture
def judge(json_judge: Judge) -> Judge:
    """One of the clients: what each of them makes of a broker is shown elsewhere."""
    return json_judge


@pytest.fixture
async def client(single: Cluster) -> AsyncIterator[rmq.Client]:
    """Our client."""
    async with rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as connected:
        yield connected


async def sent(
    judge: Judge, single: Cluster, topic: str, messages: list[Sending], *, queues: int | None = None
) -> list[Event]:
    """Messages that Java has sent, to a topic made for them if a number of queues is given."""
    if queues is not None:
        create = partial(judge.create_topic, single.namesrv, single.name, topic, queues=queues)
        await trio.to_thread.run_sync(create)
    produce = partial(judge.produce, single.namesrv, topic, messages, mode="sync", group=f"{topic}-producer")
    return await trio.to_thread.run_sync(produce)


async def test_a_puller_reads_the_queues_it_chose_from_where_it_says(
    judge: Judge, single: Cluster, name: str, client: rmq.Client
) -> None:
    await sent(judge, single, name, tagged(["t"] * COUNT), queues=2)
    half = COUNT // 2
    async with client.puller(f"{name}-group", start="earliest", auto_commit=False) as puller:
        first, second = await puller.queues_of(name)
        await puller.assign([first, second])
        everything = await polled(puller, COUNT)
        assert len(set(ids(everything))) == COUNT
        puller.pause(second)
        await puller.seek(first, 2)
        again = await polled(puller, half - 2)
        assert [(message.queue, message.offset) for message in again] == [
            (first, at) for at in range(2, half)
        ]
        await puller.seek(first, again[-1].stored_at)
        assert (await polled(puller, 1))[0].offset <= half - 1
        await puller.commit({first: 5, second: 7})
        assert [await puller.committed(queue) for queue in (first, second)] == [5, 7]
        puller.resume(second)
        await puller.seek(second, "earliest")
        await puller.assign([second])
        assert [message.offset for message in await polled(puller, half)] == list(range(half))
    async with client.puller(f"{name}-group", name) as puller:
        rest = await polled(puller, COUNT - 12)
        assert sorted((message.queue, message.offset) for message in rest) == [
            *((first, at) for at in range(5, half)),
            *((second, at) for at in range(7, half)),
        ]


@pytest.mark.parametrize("wanted", [{"tags": "a || c"}, {"where": "number > 4 AND number < 10"}])
async def test_a_puller_takes_what_it_wants_alone(
    judge: Judge, single: Cluster, name: str, *, client: rmq.Client, wanted: dict[str, str]
) -> None:
    messages = [
        Sending(b"%d" % number, tag="abcd"[number % 4], properties={"number": str(number)})
        for number in range(COUNT)
    ]
    await sent(judge, single, name, messages, queues=1)
    selected = range(0, COUNT, 2) if "tags" in wanted else range(5, 10)
    async with client.puller(f"{name}-group", name, start="earliest", **wanted) as puller:  # type: ignore[arg-type]
        got = await polled(puller, len(selected))
        assert [int(message.body) for message in got] == list(selected)
        assert await puller.poll(timeout=0.2) == []


async def test_a_puller_shares_a_group_with_javas(
    judge: Judge, single: Cluster, topic: str, client: rmq.Client
) -> None:
    group = f"{topic}-group"
    async with client.puller(group, topic, start="earliest") as puller:
        with judge.consuming(single.namesrv, topic, group=group, style="lite-pull") as consumer:
            while len(puller.queues) != 2:  # noqa: ASYNC110 - nothing tells of the other member
                await trio.sleep(0.1)
            events = await sent(judge, single, topic, tagged(["t"] * COUNT))
            ours = {queue.queue_id for queue in puller.queues}
            mine = [event for event in events if event["queueId"] in ours]
            here = await polled(puller, len(mine))
            there = await trio.to_thread.run_sync(consumer.take, len(events) - len(mine))
            await trio.to_thread.run_sync(consumer.finish)
    got = [*ids(here), *(str(event["msgId"]) for event in there)]
    assert sorted(got) == sorted(str(event["msgId"]) for event in events)


async def test_what_javas_consumer_gave_up_is_sent_again(
    judge: Judge, single: Cluster, topic: str, client: rmq.Client
) -> None:
    group, admin = f"{topic}-group", client.admin
    giving_up = judge.consuming(
        single.namesrv, topic, group=group, failures=9, delayLevel=ONE_SECOND, maxAttempts=1
    )
    with giving_up as consumer:
        message = Sending(b"x", tag="t", keys="k", properties={"p": "v"})
        (event,) = await sent(judge, single, topic, [message])
        await trio.to_thread.run_sync(consumer.take, 2)
        while (await admin.dead_letter_count(group)).kept != 1:  # noqa: ASYNC110 - nothing tells of it
            await trio.sleep(0.1)
    (letter,) = [each async for each in admin.dead_letters(group)]
    assert (letter.origin_topic, letter.attempts, letter.message.body) == (topic, 2, b"x")
    steps = [step async for step in admin.resend_dead_letters(group)]
    assert steps == [rmq.Resent(sent=1, skipped=0)]
    with judge.consuming(single.namesrv, topic, group=group) as consumer:
        (again,) = await trio.to_thread.run_sync(consumer.take, 1)
    assert (again["topic"], again["tag"], again["keys"], again["reconsumeTimes"]) == (topic, "t", "k", 0)
    assert (again["msgId"], again["properties"]["p"]) == (event["msgId"], "v")
    assert await admin.purge_dead_letters(group) == 1
    assert (await admin.dead_letter_count(group)).kept == 0
