"""Conditions over properties through a whole broker: registered by heartbeats, checked, evaluated, refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import trio

from rocketmq_lite.broker.services.conditions import SNAPSHOT_SECONDS
from rocketmq_lite.protocol.bodies import ConsumerData, HeartbeatData, SubscriptionData
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.framing import decode_messages, encode_properties

if TYPE_CHECKING:
    from tests.integration.peer import Peer
    from tests.integration.world import World
    from trio.testing import MockClock

    from rocketmq_lite.protocol.command import Command


async def _subscribe(peer: Peer, condition: str, *, version: int) -> None:
    wanted = SubscriptionData("orders", condition, sub_version=version, expression_type="SQL92")
    group = ConsumerData("G", subscription_data_set=(wanted,))
    body = HeartbeatData(client_id="c1", consumer_data_set=(group,)).encode()
    assert (await peer.call(RequestCode.HEART_BEAT, body)).code == 0


async def _send(peer: Peer, *prices: int) -> None:
    for price in prices:
        properties = encode_properties({"price": str(price)})
        assert (await peer.send("orders", str(price).encode(), properties=properties)).code == 0


async def _post_pull(peer: Peer, offset: int, *, version: int, hold_ms: int = 0) -> int:
    return await peer.post(
        RequestCode.PULL_MESSAGE,
        consumerGroup="G",
        topic="orders",
        queueId=0,
        queueOffset=offset,
        maxMsgNums=32,
        sysFlag=2 if hold_ms else 0,
        commitOffset=0,
        suspendTimeoutMillis=hold_ms,
        subVersion=version,
    )


async def _pull(peer: Peer, offset: int, *, version: int) -> Command:
    return await peer.answer(await _post_pull(peer, offset, version=version))


def _bodies(answer: Command) -> list[bytes]:
    return [message.body for message in decode_messages(answer.body)]


async def test_what_heartbeats_register_chooses_messages(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        await peer.create_topic("orders", queues=1)
        await _send(peer, 1, 5, 10)
        await _subscribe(peer, "price > 4", version=1)
        assert _bodies(await _pull(peer, 0, version=1)) == [b"5", b"10"]
        await _subscribe(peer, "price < 4", version=2)
        assert _bodies(await _pull(peer, 0, version=2)) == [b"1"]
        assert (await _pull(peer, 0, version=3)).code == 25


async def test_a_registered_mistake_is_refused_with_each_pull(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        await peer.create_topic("orders", queues=1)
        await _subscribe(peer, "price >", version=1)
        answer = await _pull(peer, 0, version=1)
        assert answer.code == 27
        await _subscribe(peer, "price > 1", version=2)
        assert (await _pull(peer, 0, version=2)).code == 19


async def test_a_held_pull_waits_for_a_message_that_matches(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as consumer, world.peer(address) as producer:
        await producer.create_topic("orders", queues=1)
        await _subscribe(consumer, "price > 4", version=1)
        held = await _post_pull(consumer, 0, version=1, hold_ms=20_000)
        began = trio.current_time()
        await _send(producer, 1, 2, 7)
        answer = await consumer.answer(held)
        assert (answer.code, _bodies(answer), answer.fields["nextBeginOffset"]) == (0, [b"7"], "3")
        assert trio.current_time() - began < 5


async def test_conditions_are_in_apaches_file_and_survive_a_restart(
    pump_world: World, autojump_clock: MockClock
) -> None:
    async def saved() -> dict[str, Any]:
        await trio.sleep(SNAPSHOT_SECONDS + 1)
        document: dict[str, Any] = json.loads(
            (pump_world.directory / "store" / "config" / "consumerFilter.json").read_text()
        )
        found: dict[str, Any] = document["filterDataByTopic"]["orders"]["groupFilterData"]["G"]
        return found

    async with pump_world.broker(on_disk=True) as address, pump_world.peer(address) as peer:
        await peer.create_topic("orders", queues=1)
        await _subscribe(peer, "price > 4", version=1)
        await _subscribe(peer, "price < 4", version=2)
        await _subscribe(peer, "price >", version=3)
        first = await saved()
    assert (first["expression"], first["clientVersion"], first["deadTime"]) == ("price < 4", 2, 0)
    async with pump_world.broker(on_disk=True) as address:
        assert (await saved())["deadTime"] >= first["bornTime"], "nobody has come back"
        async with pump_world.peer(address) as peer:
            await _subscribe(peer, "price < 4", version=4)
            assert await saved() == first | {"clientVersion": 4}
