"""The main road: send, consume, acknowledge, resume."""

from __future__ import annotations

import trio

from rocketmq_lite.model import SendStatus


async def take(messages, count):
    """Acknowledge the next ``count`` messages and return them."""
    taken = []
    with trio.fail_after(60):
        async for message in messages:
            async with message:
                taken.append(message)
            if len(taken) == count:
                return taken
    raise AssertionError


async def test_a_message_arrives_with_all_that_was_sent(client):
    await client.admin.create_topic("orders", queues=4)
    producer = client.producer("order-service")
    receipt = await producer.send(
        "orders", b"hello", tag="paid", keys=["42", "43"], properties={"amount": "12"}, order_key="42"
    )
    assert receipt.status is SendStatus.OK
    async with client.consumer("billing", "orders", start="earliest") as messages:
        [message] = await take(messages, 1)
    assert (message.body, message.topic, message.tag, message.keys) == (
        b"hello",
        "orders",
        "paid",
        ("42", "43"),
    )
    assert message.properties == {"amount": "12"}
    assert message.message_id == receipt.message_id
    assert message.offset_message_id == receipt.offset_message_id
    assert (message.queue, message.offset, message.attempt) == (receipt.queue, receipt.offset, 1)
    assert message.stored_at >= message.born_at
