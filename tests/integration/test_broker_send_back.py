"""Send-back: what a consumer could not handle comes again by its group's retry topic, or is kept as a dead letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.protocol.bodies import TopicConfig
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.framing import json_loads

if TYPE_CHECKING:
    from tests.integration.peer import Peer
    from tests.integration.world import World
    from trio.testing import MockClock

    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.protocol.framing import RawMessage

GROUP = "G"
RETRY = "%RETRY%G"
DEAD = "%DLQ%G"


async def send_back(peer: Peer, message: RawMessage, *, level: int = 0, group: str = GROUP) -> Command:
    return await peer.call(
        RequestCode.CONSUMER_SEND_MSG_BACK,
        offset=message.physical_offset,
        group=group,
        delayLevel=level,
        originMsgId="",
        originTopic=message.topic,
        unitMode=False,
        maxReconsumeTimes=16,
    )


async def stored(peer: Peer) -> RawMessage:
    await peer.create_topic("orders")
    await peer.send("orders", b"x", properties="TAGS\x01a\x02")
    return (await peer.pull("orders"))[0]


async def settings_of(peer: Peer, topic: str) -> TopicConfig:
    answer = await peer.call(RequestCode.GET_TOPIC_CONFIG, topic=topic)
    assert answer.code == 0
    return TopicConfig.from_json(json_loads(answer.body))


async def test_it_comes_back_after_the_level(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        message = await stored(peer)
        answer = await send_back(peer, message, level=1)
        assert (answer.code, dict(answer.fields), answer.body) == (0, {}, b"")
        again = await peer.answer(await peer.post_pull(RETRY, 0, hold_ms=15_000))
        assert again.code == 0
        (again_message,) = await peer.pull(RETRY)
        assert (again_message.body, again_message.reconsume_times) == (b"x", 1)
        retry = await settings_of(peer, RETRY)
        assert (retry.read_queue_nums, retry.write_queue_nums, retry.perm) == (1, 1, 6)


async def test_all_sixteen_attempts_take_nearly_five_hours(
    pump_world: World, autojump_clock: MockClock
) -> None:
    async with pump_world.broker() as address, pump_world.peer(address) as peer:
        message = await stored(peer)
        start = pump_world.clock.wall_ms()
        for attempt in range(16):
            assert (await send_back(peer, message)).code == 0
            while (await peer.answer(await peer.post_pull(RETRY, attempt, hold_ms=15_000))).code != 0:
                pass
            (message,) = await peer.pull(RETRY, attempt)
            assert message.reconsume_times == attempt + 1
        assert (pump_world.clock.wall_ms() - start) // 60_000 == 285  # 10 s + 30 s + 1 m + … + 2 h
        assert await peer.pull(DEAD) == []
        assert (await send_back(peer, message)).code == 0
        (dead,) = await peer.pull(DEAD)
        assert (dead.body, dead.reconsume_times) == (b"x", 17)


async def test_a_message_that_is_given_up_is_a_dead_letter(world: World, time: MockClock | None) -> None:
    async with world.broker(auto_create_topic=False) as address, world.peer(address) as peer:
        message = await stored(peer)
        assert (await send_back(peer, message, level=-1)).code == 0
        (dead,) = await peer.pull(DEAD)
        assert (dead.body, dead.topic, dead.queue_id) == (b"x", DEAD, 0)
        topic = await settings_of(peer, DEAD)
        assert (topic.read_queue_nums, topic.write_queue_nums, topic.perm) == (1, 1, 6)


async def test_a_group_that_may_not_be_created_gets_26(world: World, time: MockClock | None) -> None:
    async with world.broker(auto_create_group=False) as address, world.peer(address) as peer:
        await peer.create_topic("orders")
        await peer.send("orders")
        found = await peer.pull("orders", group="TOOLS_CONSUMER")
        assert (await send_back(peer, found[0], group="unknown")).code == 26


async def test_what_waits_to_come_back_survives_a_restart(world: World, time: MockClock | None) -> None:
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        assert (await send_back(peer, await stored(peer), level=2)).code == 0
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        again = await peer.answer(await peer.post_pull(RETRY, 0, hold_ms=15_000))
        assert again.code == 0
        assert [message.body for message in await peer.pull(RETRY)] == [b"x"]
