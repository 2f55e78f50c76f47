"""Batches through a whole broker: one record a message, all of them or none."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from tests.support.raw_client import send_fields

from rocketmq_lite.protocol.codes import RequestCode

if TYPE_CHECKING:
    from tests.integration.peer import Peer
    from tests.integration.world import World
    from trio.testing import MockClock

    from rocketmq_lite.protocol.command import Command


def item(body: bytes, properties: str = "", flag: int = 0) -> bytes:
    """One message of a batch, as the protocol's description draws it."""
    text = properties.encode()
    total = 22 + len(body) + len(text)
    return struct.pack(f">5i{len(body)}sh", total, 0, 0, flag, len(body), body, len(text)) + text


async def send_batch(peer: Peer, topic: str, body: bytes, *, queue: int = 0) -> Command:
    """Send items with the short header, as Apache's clients do."""
    header = send_fields(topic, queue=queue, properties="UNIQ_KEY\x01BATCH\x02WAIT\x01true\x02")
    return await peer.call(RequestCode.SEND_BATCH_MESSAGE, body, header={**header, "m": "true"})


@pytest.mark.parametrize("flush", ["async", "sync"])
async def test_each_message_of_a_batch_is_pulled(world: World, time: MockClock | None, flush: str) -> None:
    async with world.broker(flush=flush) as address, world.peer(address) as peer:
        await peer.create_topic("orders")
        assert (await peer.send("orders", b"before", queue=1)).code == 0
        items = [item(str(number).encode(), f"TAGS\x01t{number % 2}\x02", number) for number in range(20)]
        answer = await send_batch(peer, "orders", b"".join(items), queue=1)
        assert answer.code == 0, answer.remark
        assert answer.fields["queueOffset"] == "1"
        assert answer.fields["transactionId"] == "BATCH"
        messages = await peer.pull("orders", 1, queue=1)
        assert [message.body for message in messages] == [str(number).encode() for number in range(20)]
        assert [message.flag for message in messages] == list(range(20))
        assert [message.offset_message_id for message in messages] == answer.fields["msgId"].split(",")
        assert messages[7].properties == {"TAGS": "t1"}
        tagged = await peer.pull("orders", queue=1, tags="t1")
        assert [message.body for message in tagged] == [str(number).encode() for number in range(1, 20, 2)]


async def test_a_batch_creates_its_topic(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        assert (await send_batch(peer, "fresh", item(b"one") + item(b"two"))).code == 0
        assert [message.body for message in await peer.pull("fresh")] == [b"one", b"two"]


@pytest.mark.parametrize(
    "bad",
    [
        item(b"two")[:-1],
        item(b"two") + b"\0",
        item(b"two", "DELAY\x013\x02"),
        item(b"two", "TRAN_MSG\x01true\x02"),
        b"\xff" * 64,
        bytes(4 * 1024 * 1024),
    ],
    ids=["cut", "more", "delayed", "transaction", "noise", "too large"],
)
async def test_a_bad_batch_leaves_nothing_behind(world: World, time: MockClock | None, bad: bytes) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        await peer.create_topic("orders")
        answer = await send_batch(peer, "orders", item(b"one") + bad)
        assert answer.code == 13
        assert answer.remark is not None
        assert "the batch is refused as a whole" in answer.remark
        assert (await peer.send("orders", b"next")).fields["queueOffset"] == "0"
        assert [message.body for message in await peer.pull("orders")] == [b"next"]


async def test_a_large_batch_reopens_whole(world: World, time: MockClock | None) -> None:
    """Of several segments' worth, so that batches lie across the ends of files."""
    body = b"".join(item(bytes(1000) + b"%d" % number) for number in range(4000))
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        await peer.create_topic("orders")
        for _ in range(3):
            assert (await send_batch(peer, "orders", body)).code == 0
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        answer = await peer.call(RequestCode.GET_MAX_OFFSET, topic="orders", queueId=0)
        assert answer.fields["offset"] == "12000"
        (last, *_) = await peer.pull("orders", 11_999)
        assert last.body.endswith(b"3999")
