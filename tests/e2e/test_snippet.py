"""The public Python API as its design shows it, from nothing but the installed package and pytest-trio.

Copied next to an installed wheel it runs as it is, so it imports nothing else of this repository.
"""

from __future__ import annotations

import pytest
import trio

import rocketmq_lite as rmq


async def book(messages: rmq.Consumer, count: int) -> list[rmq.ReceivedMessage]:
    """Acknowledge the next ``count`` messages."""
    booked: list[rmq.ReceivedMessage] = []
    async for message in messages:
        async with message:
            booked.append(message)
        if len(booked) == count:
            break
    return booked


async def test_the_snippet() -> None:
    with trio.fail_after(50):
        async with rmq.embedded() as cluster:
            await cluster.create_topic("orders", queues=4)
            async with rmq.connect(cluster.namesrv, request_timeout=3.0) as client:
                producer = client.producer("order-service")
                receipt = await producer.send(
                    "orders", b"first", tag="paid", keys="42", properties={"amount": "12"}
                )
                assert receipt.message_id
                assert receipt.queue.topic == "orders"
                assert receipt.offset == 0
                assert receipt.status is rmq.SendStatus.OK

                ordered = [await producer.send("orders", b"x", order_key="42", tag="paid") for _ in range(3)]
                assert len({receipt.queue for receipt in ordered}) == 1
                assert [receipt.offset for receipt in ordered] == sorted(
                    receipt.offset for receipt in ordered
                )
                await producer.send("orders", b"unwanted", tag="cancelled", keys=["43", "44"])
                await producer.send_oneway("orders", b"last", tag="refunded")

                subscription = client.consumer("billing", "orders", tags="paid || refunded", start="earliest")
                async with subscription as messages:
                    booked = await book(messages, 3)
                async with client.consumer("billing", {"orders": rmq.Tags("paid || refunded")}) as messages:
                    booked += await book(messages, 2)

                assert sorted(message.body for message in booked) == [b"first", b"last", b"x", b"x", b"x"]
                [first] = [message for message in booked if message.body == b"first"]
                assert (first.topic, first.tag, first.keys) == ("orders", "paid", ("42",))
                assert first.properties == {"amount": "12"}
                assert (first.message_id, first.queue, first.offset, first.attempt) == (
                    receipt.message_id,
                    receipt.queue,
                    receipt.offset,
                    1,
                )
                assert first.born_at <= first.stored_at


async def test_errors_tell_code_hint_and_whether_to_retry() -> None:
    with trio.fail_after(50):
        async with rmq.embedded() as cluster, rmq.connect(cluster.namesrv) as client:
            with pytest.raises(rmq.TopicNotFound) as missing:
                await client.admin.route("nowhere")
            assert (missing.value.code, missing.value.retryable) == (17, True)
            assert missing.value.hint
            with pytest.raises(rmq.RocketMQError):
                await client.producer("order-service").send("orders", b"")
        with pytest.raises(rmq.NoNameServer) as gone:
            async with rmq.connect(cluster.namesrv):
                pass
        assert gone.value.hint
