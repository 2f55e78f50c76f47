"""Our client beside Apache's: each reads what the other sent, and a group may change hands between them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
from tests.interop.judge import Sending, sent_as
from tests.interop.messages import assorted, sorted_by_body, tagged
from tests.interop.servers import REQUEST_SECONDS

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.interop.judge import Event, Judge
    from tests.interop.servers import Cluster

pytestmark = pytest.mark.usefixtures("python_headers")

SECONDS = 60.0


@pytest.fixture
def judge(json_judge: Judge) -> Judge:
    """One of the clients: what each of them makes of a broker is shown elsewhere."""
    return json_judge


async def send_all(namesrv: str, topic: str, messages: Sequence[Sending]) -> list[rmq.SendReceipt]:
    async with rmq.connect(namesrv, request_timeout=REQUEST_SECONDS) as client:
        producer = client.producer(f"{topic}-producer")
        return [
            await producer.send(
                topic,
                message.body,
                tag=message.tag,
                keys=(message.keys or "").split(),
                properties=message.properties,
            )
            for message in messages
        ]


async def receive(
    namesrv: str, topic: str, count: int, *, group: str, tags: str = "*"
) -> list[rmq.ReceivedMessage]:
    received: list[rmq.ReceivedMessage] = []
    with trio.fail_after(SECONDS):
        async with (
            rmq.connect(namesrv, request_timeout=REQUEST_SECONDS) as client,
            client.consumer(group, topic, tags=tags, start="earliest") as messages,
        ):
            async for message in messages:
                async with message:
                    received.append(message)
                if len(received) == count:
                    break
    return received


def as_sent(message: rmq.ReceivedMessage) -> Sending:
    keys = " ".join(message.keys) or None
    return Sending(message.body, message.tag, keys, dict(message.properties))


async def java_sends(judge: Judge, cluster: Cluster, topic: str, messages: Sequence[Sending]) -> list[Event]:
    produce = partial(judge.produce, mode="sync", group=f"{topic}-producer")
    return await trio.to_thread.run_sync(produce, cluster.namesrv, topic, messages)


async def java_receives(judge: Judge, cluster: Cluster, topic: str, count: int, *, group: str) -> list[Event]:
    def take() -> list[Event]:
        with judge.consuming(cluster.namesrv, topic, group=group) as consumer:
            received = consumer.take(count)
            assert consumer.finish() == []
            return received

    return await trio.to_thread.run_sync(take)


async def test_java_reads_what_python_sent(judge: Judge, single: Cluster, topic: str) -> None:
    messages = assorted(40)
    receipts = await send_all(single.namesrv, topic, messages)
    received = await java_receives(judge, single, topic, len(messages), group=f"{topic}-group")

    by_id = {message["msgId"]: message for message in received}
    for receipt, message in zip(receipts, messages, strict=True):
        read = by_id[receipt.message_id]
        assert sent_as(read) == message
        assert read["offsetMsgId"] == receipt.offset_message_id
        assert (read["broker"], read["queueId"]) == (receipt.queue.broker_name, receipt.queue.queue_id)
        assert read["queueOffset"] == receipt.offset
    assert {receipt.queue.queue_id for receipt in receipts} == {0, 1, 2, 3}


async def test_java_reads_what_python_sent_in_batches(judge: Judge, single: Cluster, topic: str) -> None:
    """All in order within their queues, and where the receipts say."""
    messages = assorted(300)
    items = [
        rmq.Message(message.body, message.tag, (message.keys or "").split(), message.properties)
        for message in messages
    ]
    async with rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client:
        receipts = await client.producer(f"{topic}-producer").send_many(topic, items)
    received = await java_receives(judge, single, topic, len(messages), group=f"{topic}-group")

    by_id = {message["msgId"]: message for message in received}
    assert len(by_id) == 300
    last = dict.fromkeys(range(4), -1)
    for receipt, message in zip(receipts, messages, strict=True):
        read = by_id[receipt.message_id]
        assert sent_as(read) == message
        assert read["offsetMsgId"] == receipt.offset_message_id
        assert (read["queueId"], read["queueOffset"]) == (receipt.queue.queue_id, receipt.offset)
        assert receipt.offset == last[receipt.queue.queue_id] + 1
        last[receipt.queue.queue_id] = receipt.offset
    assert sum(last.values()) + len(last) == 300
    assert min(last.values()) > 0


async def test_python_reads_what_java_sent(judge: Judge, single: Cluster, topic: str) -> None:
    messages = assorted(40)
    sent = await java_sends(judge, single, topic, messages)
    received = await receive(single.namesrv, topic, len(messages), group=f"{topic}-group")

    by_id = {message.message_id: message for message in received}
    for event, message in zip(sent, messages, strict=True):
        read = by_id[event["msgId"]]
        assert as_sent(read) == message
        assert read.offset_message_id == event["offsetMsgId"]
        assert (read.queue.queue_id, read.offset) == (event["queueId"], event["queueOffset"])
        assert read.attempt == 1


async def test_one_way_messages_from_python_arrive(judge: Judge, single: Cluster, topic: str) -> None:
    messages = assorted(20)
    async with rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client:
        producer = client.producer(f"{topic}-producer")
        for message in messages:
            await producer.send_oneway(
                topic,
                message.body,
                tag=message.tag,
                keys=(message.keys or "").split(),
                properties=message.properties,
            )
    received = await java_receives(judge, single, topic, len(messages), group=f"{topic}-group")

    assert sorted_by_body(map(sent_as, received)) == sorted_by_body(messages)


async def test_python_filters_java_messages_by_tag(judge: Judge, single: Cluster, topic: str) -> None:
    # "Aa" and "BB" have one Java hash, so the broker lets both pass.
    await java_sends(judge, single, topic, tagged(["Aa", "BB", "paid", None] * 10))
    received = await receive(single.namesrv, topic, 20, group=f"{topic}-group", tags="BB || paid")

    assert {message.tag for message in received} == {"BB", "paid"}
    assert len({message.body for message in received}) == 20


async def test_java_goes_on_where_python_left_a_group(judge: Judge, single: Cluster, topic: str) -> None:
    await send_all(single.namesrv, topic, tagged(["first"] * 20))
    first = await receive(single.namesrv, topic, 20, group=f"{topic}-group")
    await send_all(single.namesrv, topic, tagged(["second"] * 20))
    second = await java_receives(judge, single, topic, 20, group=f"{topic}-group")

    assert {message.tag for message in first} == {"first"}
    assert {message["tag"] for message in second} == {"second"}


async def test_python_goes_on_where_java_left_a_group(judge: Judge, single: Cluster, topic: str) -> None:
    await java_sends(judge, single, topic, tagged(["first"] * 20))
    first = await java_receives(judge, single, topic, 20, group=f"{topic}-group")
    await java_sends(judge, single, topic, tagged(["second"] * 20))
    second = await receive(single.namesrv, topic, 20, group=f"{topic}-group")

    assert {message["tag"] for message in first} == {"first"}
    assert {message.tag for message in second} == {"second"}
