"""Delay levels: what a producer delays is delivered when its time has come, whatever happens to the broker meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import trio

from rocketmq_lite.config import BrokerSettings
from rocketmq_lite.protocol.codes import RequestCode

if TYPE_CHECKING:
    import pytest
    from tests.integration.peer import Peer
    from tests.integration.world import World
    from trio.testing import MockClock


def level(number: int) -> str:
    return f"DELAY\x01{number}\x02"


async def received(peer: Peer, offset: int = 0) -> list[bytes]:
    """What the next answer brings; it is waited for."""
    while True:
        answer = await peer.answer(await peer.post_pull("orders", offset, hold_ms=15_000))
        if answer.code == 0:
            return [message.body for message in await peer.pull("orders", offset)]


async def test_a_delayed_message_arrives(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        await peer.create_topic("orders")
        await peer.send("orders", b"later", properties=level(1))
        assert (await peer.send("orders", b"now")).fields["queueOffset"] == "0"
        sent = world.clock.wall_ms()
        assert await received(peer, 1) == [b"later"]
        assert world.clock.wall_ms() - sent > 900
        assert [message.body for message in await peer.pull("orders")] == [b"now", b"later"]


async def test_hours_pass_in_no_time(pump_world: World, autojump_clock: MockClock) -> None:
    async with pump_world.broker() as address, pump_world.peer(address) as peer:
        await peer.create_topic("orders")
        for number, seconds in ((18, 7_200), (17, 3_600), (5, 60), (2, 5)):
            await peer.send("orders", str(seconds).encode(), properties=level(number))
        start = pump_world.clock.wall_ms()
        for offset, seconds in enumerate((5, 60, 3_600, 7_200)):
            assert await received(peer, offset) == [str(seconds).encode()]
            late = pump_world.clock.wall_ms() - start - seconds * 1_000
            assert 0 <= late < 100


async def test_a_restart_goes_on_where_it_was(world: World, time: MockClock | None) -> None:
    path = world.directory / "store" / "config" / "delayOffset.json"
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        await peer.create_topic("orders")
        await peer.send("orders", b"first", properties=level(1))
        assert await received(peer) == [b"first"]
        await peer.send("orders", b"second", properties=level(1))
    assert json.loads(path.read_text())["offsetTable"] == {"1": 1}
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        assert await received(peer, 1) == [b"second"]
        assert [message.body for message in await peer.pull("orders")] == [b"first", b"second"]


async def test_without_its_file_everything_is_delivered_again(world: World, time: MockClock | None) -> None:
    """At least once: a crash before the first snapshot."""
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        await peer.create_topic("orders")
        await peer.send("orders", b"x", properties=level(1))
        assert await received(peer) == [b"x"]
    (world.directory / "store" / "config" / "delayOffset.json").unlink()
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        assert await received(peer, 1) == [b"x"]


async def test_progress_is_written_every_ten_seconds(pump_world: World, autojump_clock: MockClock) -> None:
    path = pump_world.directory / "store" / "config" / "delayOffset.json"
    async with pump_world.broker(on_disk=True) as address, pump_world.peer(address) as peer:
        await peer.create_topic("orders")
        for count in (1, 2):
            await peer.send("orders", properties=level(1))
            await trio.sleep(BrokerSettings().delay_interval + 2)
            assert json.loads(path.read_text())["offsetTable"] == {"1": count}
        written = path.stat().st_mtime_ns
        await trio.sleep(60)
        assert path.stat().st_mtime_ns == written  # nothing changed, nothing is written


async def test_levels_may_be_others_than_apaches(pump_world: World, autojump_clock: MockClock) -> None:
    levels = tuple(f"{number}m" for number in range(20, 0, -1))
    async with pump_world.broker(delay_levels=levels) as address, pump_world.peer(address) as peer:
        await peer.create_topic("orders")
        start = pump_world.clock.wall_ms()
        for number in (1, 20, 19):
            await peer.send("orders", str(number).encode(), properties=level(number))
        for offset, (number, minutes) in enumerate(((20, 1), (19, 2), (1, 20))):
            assert await received(peer, offset) == [str(number).encode()]
            assert 0 <= pump_world.clock.wall_ms() - start - minutes * 60_000 < 100
        figures = await runtime(peer)
    assert {figures[f"scheduleMessageOffset_{number}"] for number in (1, 19, 20)} == {"1,1"}
    assert "scheduleMessageOffset_2" not in figures


async def test_messages_of_a_level_that_is_gone_come_when_they_were_to(
    pump_world: World, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    path = pump_world.directory / "store" / "config" / "delayOffset.json"
    async with pump_world.broker(on_disk=True) as address, pump_world.peer(address) as peer:
        await peer.create_topic("orders")
        start = pump_world.clock.wall_ms()
        for _ in range(2):
            await peer.send("orders", properties=level(17))
    async with (
        pump_world.broker(on_disk=True, delay_levels=("1s", "5s")) as address,
        pump_world.peer(address) as peer,
    ):
        assert "no level 17 any more, but 2 messages wait" in caplog.text
        assert len(await received(peer)) == 2
        assert 0 <= pump_world.clock.wall_ms() - start - 3_600_000 < 10_000
    assert json.loads(path.read_text())["offsetTable"] == {"17": 2}
    caplog.clear()
    async with pump_world.broker(on_disk=True, delay_levels=("1s", "5s")):
        assert "any more" not in caplog.text


async def runtime(peer: Peer) -> dict[str, str]:
    answer = await peer.call(RequestCode.GET_BROKER_RUNTIME_INFO)
    table: dict[str, str] = json.loads(answer.body)["table"]
    return table


async def test_a_broker_tells_how_long_it_takes(world: World, time: MockClock | None) -> None:
    async with world.broker(max_message=4) as address, world.peer(address) as peer:
        await peer.create_topic("orders")
        before = await runtime(peer)
        assert (await peer.send("orders", b"1234")).code == 0
        assert (await peer.send("orders", b"12345")).code == 13
        await peer.pull("orders")
        after = await runtime(peer)
    groups = after["putMessageDistributeTime"].split()
    assert [group.partition(":")[0] for group in groups[:2]] == ["[<=0ms]", "[0~10ms]"]
    assert sum(int(group.rpartition(":")[2]) for group in groups) == 1
    assert float(after["putLatency999"]) >= float(after["putLatency99"]) > 0
    assert float(before["putLatency99"]) == 0
    assert int(after["putMessageEntireTimeMax"]) >= 0
    assert int(after["getMessageEntireTimeMax"]) >= 0
    assert len(after["getMissTps"].split()) == 3
