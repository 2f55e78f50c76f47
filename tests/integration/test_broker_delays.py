"""Delay levels: what a producer delays is delivered when its time has come, whatever happens to the broker meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import trio

from rocketmq_lite.broker.services.schedule import SNAPSHOT_SECONDS

if TYPE_CHECKING:
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
            await trio.sleep(SNAPSHOT_SECONDS + 2)
            assert json.loads(path.read_text())["offsetTable"] == {"1": count}
        written = path.stat().st_mtime_ns
        await trio.sleep(60)
        assert path.stat().st_mtime_ns == written  # nothing changed, nothing is written
