"""Our pull consumers and our way with dead letters, on Apache's broker and on ours, beside Apache's clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
from tests.interop.judge import Sending
from tests.interop.messages import tagged

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from tests.interop.judge import Judge
    from tests.interop.servers import Cluster

pytestmark = pytest.mark.usefixtures("python_headers")

SECONDS = 60.0
# Apache's broker may take a second for its first answers.
REQUEST_SECONDS = 10.0
ONE_SECOND = 1  # the delay level


@pytest.fixture
def judge(json_judge: Judge) -> Judge:
    """One of the clients: what each of them makes of a broker is shown elsewhere."""
    return json_judge


async def polled(puller: rmq.Puller, count: int) -> list[rmq.StoredMessage]:
    messages: list[rmq.StoredMessage] = []
    while len(messages) < count:
        messages += await puller.poll(count - len(messages))
    return messages


async def test_a_puller_reads_the_queues_it_chose(judge: Judge, single: Cluster, topic: str) -> None:
    judge.produce(single.namesrv, topic, tagged(["a", "b"] * 20), mode="sync", group=f"{topic}-producer")
    with trio.fail_after(SECONDS):
        async with rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client:
            async with client.puller(topic, start="earliest", auto_commit=False) as puller:
                queues = await puller.queues_of(topic)
                await puller.assign(queues)
                assert len({message.message_id for message in await polled(puller, 40)}) == 40
                first, *others = queues
                await puller.seek(first, 2)
                puller.pause(*others)
                again = await polled(puller, 3)
                assert [message.offset for message in again] == [2, 3, 4]
                await puller.commit({first: 5})
                assert await puller.committed(first) == 5
                assert await puller.committed(others[0]) is None
                await puller.seek(first, again[1].stored_at)
                assert (await polled(puller, 1))[0].offset <= 3
            async with client.puller(topic, topic, tags="a") as puller:
                rest = await polled(puller, 1)
                assert {message.tag for message in rest} == {"a"}


async def test_a_puller_shares_a_group_with_javas(judge: Judge, single: Cluster, topic: str) -> None:
    with trio.fail_after(SECONDS):
        async with (
            rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client,
            client.puller(f"{topic}-group", topic, start="earliest") as puller,
        ):
            with judge.consuming(
                single.namesrv, topic, group=f"{topic}-group", style="lite-pull"
            ) as consumer:
                while len(puller.queues) != 2:  # noqa: ASYNC110 - nothing tells of the other member
                    await trio.sleep(0.1)
                sent = await trio.to_thread.run_sync(
                    lambda: judge.produce(
                        single.namesrv, topic, tagged(["t"] * 20), mode="sync", group=f"{topic}-producer"
                    )
                )
                ours = {queue.queue_id for queue in puller.queues}
                mine = [event for event in sent if event["queueId"] in ours]
                here = await polled(puller, len(mine))
                there = await trio.to_thread.run_sync(consumer.take, len(sent) - len(mine))
                await trio.to_thread.run_sync(consumer.finish)
    got = [message.message_id for message in here] + [str(event["msgId"]) for event in there]
    assert sorted(got) == sorted(str(event["msgId"]) for event in sent)


async def test_what_javas_consumer_gave_up_is_sent_again(judge: Judge, single: Cluster, topic: str) -> None:
    group = f"{topic}-group"
    with judge.consuming(
        single.namesrv, topic, group=group, failures=9, delayLevel=ONE_SECOND, maxAttempts=1
    ) as consumer:
        message = Sending(b"x", tag="t", keys="k", properties={"p": "v"})
        [sent] = judge.produce(single.namesrv, topic, [message], mode="sync", group=f"{topic}-producer")
        await trio.to_thread.run_sync(consumer.take, 2)
        with trio.fail_after(SECONDS):
            async with rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client:
                while (await client.admin.dead_letter_count(group)).kept != 1:  # noqa: ASYNC110 - no event
                    await trio.sleep(0.1)
    with trio.fail_after(SECONDS):
        async with rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client:
            [letter] = [each async for each in client.admin.dead_letters(group)]
            assert (letter.origin_topic, letter.attempts, letter.message.body) == (topic, 2, b"x")
            steps = [step async for step in client.admin.resend_dead_letters(group)]
            assert steps == [rmq.Resent(sent=1, skipped=0)]
            assert (await client.admin.dead_letter_count(group)).waiting == 0
            with judge.consuming(single.namesrv, topic, group=group) as consumer:
                [again] = await trio.to_thread.run_sync(consumer.take, 1)
            assert (again["topic"], again["tag"], again["keys"], again["reconsumeTimes"]) == (
                topic,
                "t",
                "k",
                0,
            )
            assert (again["msgId"], again["properties"]["p"]) == (sent["msgId"], "v")
            assert await client.admin.purge_dead_letters(group) == 1
            assert (await client.admin.dead_letter_count(group)).kept == 0
