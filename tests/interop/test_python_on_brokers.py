"""Our client's promises on Apache's broker and on ours: order and cancellation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
from tests.interop.judge import sent_as
from tests.interop.messages import tagged
from tests.interop.servers import REQUEST_SECONDS

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from tests.interop.judge import Judge
    from tests.interop.servers import Cluster

pytestmark = pytest.mark.usefixtures("python_headers")

SECONDS = 60.0


@pytest.fixture
def judge(json_judge: Judge) -> Judge:
    """One of the clients: what each of them makes of a broker is shown elsewhere."""
    return json_judge


@pytest.mark.parametrize("many", [False, True], ids=["send", "send_many"])
async def test_messages_of_one_order_key_stay_in_order(
    judge: Judge, single: Cluster, topic: str, many: bool
) -> None:
    keys = [f"customer-{number}" for number in range(8)]
    async with rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client:
        producer = client.producer(f"{topic}-producer")
        if many:
            for key in keys:
                bodies = [b"%s %d" % (key.encode(), turn) for turn in range(10)]
                await producer.send_many(topic, bodies, order_key=key)
        else:
            for turn in range(10):
                for key in keys:
                    await producer.send(topic, b"%s %d" % (key.encode(), turn), order_key=key)

    with judge.consuming(single.namesrv, topic, group=f"{topic}-group") as consumer:
        received = await trio.to_thread.run_sync(consumer.take, 80)
    stored = sorted(received, key=lambda message: int(message["queueOffset"]))
    assert len({message["queueId"] for message in stored}) > 1
    for key in keys:
        own = [message for message in stored if sent_as(message).body.split()[0] == key.encode()]
        assert len({message["queueId"] for message in own}) == 1
        assert [sent_as(message).body.split()[1] for message in own] == [b"%d" % turn for turn in range(10)]


async def test_what_was_cancelled_is_delivered_again(judge: Judge, single: Cluster, name: str) -> None:
    await trio.to_thread.run_sync(partial(judge.create_topic, single.namesrv, single.name, name, queues=1))
    messages = tagged(["t"] * 5)
    produce = partial(judge.produce, mode="sync", group=f"{name}-producer")
    await trio.to_thread.run_sync(produce, single.namesrv, name, messages)

    first = await _consumed_until_cancelled_at(single, name, stop_at=2)
    second = await _consumed_until_cancelled_at(single, name, stop_at=2)

    assert [message.body for message in first] == [message.body for message in messages[:3]]
    # The third was under way when its consumer was cancelled: neither acknowledged nor sent back.
    assert [message.body for message in second] == [message.body for message in messages[2:]]
    assert {message.attempt for message in first + second} == {1}


async def test_a_cancelled_send_leaves_a_working_producer(judge: Judge, single: Cluster, topic: str) -> None:
    async with rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client:
        producer = client.producer(f"{topic}-producer")
        await producer.send(topic, b"before")
        for _ in range(20):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(producer.send, topic, b"cancelled")
                await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
        after = [await producer.send(topic, b"after %d" % number) for number in range(8)]

    wanted = {receipt.message_id for receipt in after}
    seen: set[str] = set()
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group") as consumer:
        # How many of the cancelled ones were stored is open.
        while not wanted <= seen:
            (message,) = await trio.to_thread.run_sync(consumer.take, 1)
            seen.add(message["msgId"])
    assert len(wanted) == 8


async def _consumed_until_cancelled_at(
    single: Cluster, topic: str, *, stop_at: int
) -> list[rmq.ReceivedMessage]:
    """Consume, and be cancelled inside the message of that number, counted from this consumer's first."""
    entered: list[rmq.ReceivedMessage] = []
    with trio.fail_after(SECONDS):
        with trio.CancelScope() as scope:
            async with (
                rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client,
                client.consumer(f"{topic}-group", topic, start="earliest") as messages,
            ):
                async for message in messages:
                    async with message:
                        entered.append(message)
                        if len(entered) > stop_at:
                            scope.cancel()
                            await trio.sleep_forever()
    return entered
