"""The loads of `rmq bench`: sending, consuming, and both at a steady rate."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from rocketmq_lite.cli.bench_figures import Goal, Meter
    from rocketmq_lite.client.consumer import Consumer
    from rocketmq_lite.client.producer import Producer

STAMP: Final = struct.Struct(">d")
"""The moment of sending at the front of an end-to-end body; less than this a body cannot be."""
_FILLING: Final = b"0123456789abcdefghijklmnopqrstuvwxyz"


def body(size: int) -> bytes:
    """A body that compresses like text."""
    return (_FILLING * (size // len(_FILLING) + 1))[:size]


async def produce(
    producer: Producer, topic: str, *, size: int, outstanding: int, batch: int, goal: Goal, meter: Meter
) -> None:
    """Keep `outstanding` requests under way, each of one message or of a batch."""
    content = body(size)

    async def one_after_the_other() -> None:
        begun = trio.current_time()
        meter.begin(begun)
        while messages := goal.take(begun, batch):
            if batch == 1:
                await producer.send(topic, content)
            else:
                await producer.send_many(topic, [content] * messages)
            answered = trio.current_time()
            meter.count(answered, messages)
            meter.latencies.add(answered - begun)
            begun = answered

    async with trio.open_nursery() as nursery:
        for _ in range(outstanding):
            nursery.start_soon(one_after_the_other)


async def consume(messages: Consumer, *, goal: Goal, meter: Meter) -> None:
    """Take and acknowledge; time runs from the first message on."""
    with trio.move_on_at(goal.deadline):
        async for message in messages:
            meter.begin(trio.current_time())
            async with message:
                meter.count(trio.current_time())
            if meter.messages == goal.count:
                break


async def end_to_end(
    producer: Producer, messages: Consumer, topic: str, *, size: int, rate: float, goal: Goal, meter: Meter
) -> None:
    """Send at a steady rate and see how long each message takes to its consumer's hands."""
    filling = body(size)[STAMP.size :]
    sent = 0
    sending = True

    async def send_one() -> None:
        await producer.send(topic, STAMP.pack(trio.current_time()) + filling)

    async def send_paced() -> None:
        nonlocal sent, sending
        start = trio.current_time()
        meter.begin(start)
        async with trio.open_nursery() as sends:
            while goal.take(trio.current_time()):
                sends.start_soon(send_one)
                sent += 1
                await trio.sleep_until(start + sent / rate)
        sending = False
        if meter.messages >= sent:
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_paced)
        async for message in messages:
            now = trio.current_time()
            async with message:
                meter.latencies.add(now - STAMP.unpack_from(message.body)[0])
                meter.count(now)
            if not sending and meter.messages >= sent:
                break
