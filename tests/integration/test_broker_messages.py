"""Messages through a whole broker: stored, pulled, held, and refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from rocketmq_lite.protocol.bodies import TopicConfig
from rocketmq_lite.protocol.codes import RequestCode

if TYPE_CHECKING:
    from tests.integration.world import World
    from trio.testing import MockClock

    from rocketmq_lite.protocol.command import Codec


async def test_what_is_sent_is_pulled_in_order(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        await peer.create_topic("orders")
        for number in range(20):
            answer = await peer.send("orders", str(number).encode(), queue=2)
            assert answer.code == 0
            assert answer.fields["queueOffset"] == str(number)
        messages = await peer.pull("orders", queue=2)
        assert [message.body for message in messages] == [str(number).encode() for number in range(20)]
        assert {message.store_host for message in messages} == {address}
        assert [message.body for message in await peer.pull("orders", 18, queue=2)] == [b"18", b"19"]


async def test_an_arrival_answers_a_held_pull_at_once(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as consumer, world.peer(address) as producer:
        await producer.create_topic("orders", queues=1)
        held = await consumer.post_pull("orders", 0, hold_ms=20_000)
        began = trio.current_time()
        assert (await producer.send("orders", b"now")).code == 0
        answer = await consumer.answer(held)
        assert answer.code == 0
        assert answer.fields["nextBeginOffset"] == "1"
        assert trio.current_time() - began < 5


async def test_unknown_topics_are_created_by_the_first_send(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        opaques = [await peer.post_message("fresh", str(number).encode()) for number in range(10)]
        offsets = [(await peer.answer(opaque)).fields["queueOffset"] for opaque in opaques]
        assert offsets == [str(number) for number in range(10)]
        answer = await peer.call(RequestCode.GET_TOPIC_CONFIG, topic="fresh")
        assert TopicConfig.decode(answer.body) == TopicConfig(
            topic_name="fresh", read_queue_nums=4, write_queue_nums=4, perm=6
        )


@pytest.mark.parametrize("default_topic", ["SELF_TEST_TOPIC", "nowhere"])
async def test_without_a_template_an_unknown_topic_is_refused(
    world: World, time: MockClock | None, default_topic: str
) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        for _ in range(2):
            answer = await peer.send("fresh", defaultTopic=default_topic)
            assert answer.code == 17
            assert answer.remark is not None
            assert "topic[fresh] not exist, apply first please!" in answer.remark


async def test_auto_creation_can_be_switched_off(world: World, time: MockClock | None) -> None:
    async with world.broker(auto_create_topic=False) as address, world.peer(address) as peer:
        assert (await peer.send("fresh")).code == 17
        assert (await peer.call(RequestCode.GET_TOPIC_CONFIG, topic="TBW102")).code == 17


async def test_a_pull_of_an_unknown_group_creates_it(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        await peer.create_topic("orders")
        answer = await peer.answer(await peer.post_pull("orders", 0, group="newcomers"))
        assert answer.code in {19, 21}
        groups = await peer.call(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG)
        assert b'"newcomers"' in groups.body


async def test_a_pull_of_a_group_that_may_not_be_is_refused(world: World, time: MockClock | None) -> None:
    async with world.broker(auto_create_group=False) as address, world.peer(address) as peer:
        await peer.create_topic("orders")
        assert (await peer.answer(await peer.post_pull("orders", 0))).code == 26


async def test_a_deleted_topic_is_gone_with_its_messages(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        await peer.create_topic("orders", queues=1)
        await peer.send("orders")
        assert (await peer.call(RequestCode.DELETE_TOPIC_IN_BROKER, topic="orders")).code == 0
        assert (await peer.answer(await peer.post_pull("orders", 0))).code == 17
        await peer.create_topic("orders", queues=1)
        assert (await peer.call(RequestCode.GET_MAX_OFFSET, topic="orders", queueId=0)).fields[
            "offset"
        ] == "0"


@pytest.mark.parametrize("code", [37, 99_999])
async def test_what_is_not_there_yet_is_said_to_be(world: World, time: MockClock | None, code: int) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        answer = await peer.call(code)
        assert (answer.code, answer.remark) == (3, f" request type {code} not supported")


async def test_both_header_encodings_are_answered_in_kind(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        codecs: tuple[Codec, ...] = ("JSON", "ROCKETMQ")
        for codec in codecs:
            peer.codec = codec
            for answer in (await peer.create_topic("orders"), await peer.send("orders")):
                assert (answer.code, answer.codec) == (0, codec)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x40\x00\x00\x00" + b"x" * 100,  # a length word of 1 GiB
        b"\xff\xff\xff\xff\x00\x00\x00\x00",  # a negative one
        b"\x00\x00\x00\x08\x00\x00\x00\x04nope",  # a header that is no header
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_garbage_closes_its_own_connection_only(
    world: World, time: MockClock | None, garbage: bytes
) -> None:
    async with world.broker() as address, world.peer(address) as good:
        await good.create_topic("orders", queues=1)
        held = await good.post_pull("orders", 0, hold_ms=20_000)
        async with world.peer(address) as bad, world.peer(address) as other:
            await bad.stream.send_all(garbage)
            with trio.fail_after(10):
                assert await bad.at_end()
            assert (await other.send("orders", b"still here")).code == 0
        assert (await good.answer(held)).code == 0


async def test_half_a_frame_waits_and_leaves_others_alone(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as good, world.peer(address) as slow:
        await good.create_topic("orders", queues=1)
        await slow.stream.send_all(b"\x00\x00\x10\x00\x00")
        assert (await good.send("orders")).code == 0
    # leaving closes the half frame's connection, which the broker has to survive as well
