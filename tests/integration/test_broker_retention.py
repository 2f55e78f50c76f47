"""Old messages go, and a full disk refuses new ones until there is room again."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import trio

from rocketmq_lite.broker.services import retention
from rocketmq_lite.config import RetentionSettings
from rocketmq_lite.protocol.bodies import ConsumeStats
from rocketmq_lite.protocol.codes import RequestCode

if TYPE_CHECKING:
    import pytest
    from tests.integration.peer import Peer
    from tests.integration.world import World
    from trio.testing import MockClock

SMALL = 65_536
BODY = b"x" * 16_000
ALL_DAY = tuple(range(24))


async def bound(peer: Peer, code: RequestCode) -> int:
    """The first or the next offset of the queue."""
    return int((await peer.call(code, topic="orders", queueId=0)).fields["offset"])


async def test_files_that_are_old_enough_go(
    world: World, time: MockClock | None, caplog: pytest.LogCaptureFixture
) -> None:
    settings = RetentionSettings(reserved_hours=1, delete_hours=ALL_DAY, interval=0.05)
    async with (
        world.broker(on_disk=True, segment_size=SMALL, retention=settings) as address,
        world.peer(address) as peer,
    ):
        await peer.create_topic("orders", queues=1)
        for _ in range(20):
            assert (await peer.send("orders", BODY)).code == 0
        log = world.directory / "store" / "commitlog"
        files = sorted(log.iterdir())
        assert len(files) > 4
        for file in files[:3]:
            os.utime(file, (1, 1))
        for file in files[3:]:
            os.utime(file, (4e9, 4e9))
        with trio.fail_after(30):
            while (first := await bound(peer, RequestCode.GET_MIN_OFFSET)) == 0 or files[2].exists():  # noqa: ASYNC110
                await trio.sleep(0.01)  # a thread of the engine removes the files
        assert sorted(log.iterdir()) == files[3:]
        last = await bound(peer, RequestCode.GET_MAX_OFFSET)
        kept = await peer.pull("orders", first)
        assert [message.queue_offset for message in kept] == list(range(first, last))
        fallen_behind = {"consumerGroup": "G", "topic": "orders", "queueId": 0, "commitOffset": 1}
        await peer.heartbeat("c", consumer="G", topics=("orders",))
        await peer.call(RequestCode.UPDATE_CONSUMER_OFFSET, header=fallen_behind)
        for _ in range(2):
            missed = await peer.answer(await peer.post_pull("orders", 1))
            assert (missed.code, missed.fields["nextBeginOffset"]) == (21, str(first))
        told = [record for record in caplog.records if "fell behind" in record.message]
        assert [record.levelname for record in told] == ["WARNING"]
        assert f"it stood at offset 1 and is sent on to {first}" in told[0].message
        answer = await peer.call(RequestCode.GET_CONSUME_STATS, consumerGroup="G")
        [progress] = ConsumeStats.decode(answer.body).offset_table.values()
        assert progress.skipped is not None
        assert (progress.skipped.begin, progress.skipped.end) == (1, first)
        assert progress.skipped.timestamp > 0


async def test_a_full_disk_refuses_messages_and_recovers(
    world: World, time: MockClock | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SimpleNamespace(f_blocks=100, f_bfree=5, f_bavail=5)
    monkeypatch.setattr(retention, "disk_of", lambda _: disk)
    settings = RetentionSettings(interval=0.05)
    async with (
        world.broker(on_disk=True, retention=settings) as address,
        world.peer(address) as peer,
    ):
        await peer.create_topic("orders", queues=1)
        stored = 0

        async def until(code: int) -> None:
            nonlocal stored
            with trio.fail_after(30):
                while (answer := await peer.send("orders")).code != code:
                    stored += answer.code == 0
                    await trio.sleep(0.01)
            stored += code == 0

        await until(14)
        assert len(await peer.pull("orders")) == min(stored, 32), "reading goes on"
        disk.f_bfree = disk.f_bavail = 50
        await until(0)
        assert await bound(peer, RequestCode.GET_MAX_OFFSET) == stored


async def test_a_log_on_two_disks_grows_where_there_is_room(
    world: World, time: MockClock | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = (world.directory / "disk-1", world.directory / "disk-2")
    room = dict.fromkeys(logs, 50)
    for path in logs:
        path.mkdir(parents=True)
    monkeypatch.setattr(
        retention,
        "disk_of",
        lambda path: SimpleNamespace(f_blocks=100, f_bfree=room.get(path, 50), f_bavail=room.get(path, 50)),
    )
    settings = RetentionSettings(interval=0.05)
    async with (
        world.broker(on_disk=True, segment_size=SMALL, commit_log=logs, retention=settings) as address,
        world.peer(address) as peer,
    ):
        await peer.create_topic("orders", queues=1)

        def files() -> list[int]:
            return [len(list(path.iterdir())) for path in logs]

        for _ in range(9):
            assert (await peer.send("orders", BODY)).code == 0
        assert files() == [2, 1]
        room[logs[1]] = 1
        with trio.fail_after(30):
            while files()[0] < 5:
                assert (await peer.send("orders", BODY)).code == 0
                await trio.sleep(0.01)
        before = files()[1]
        for _ in range(8):
            assert (await peer.send("orders", BODY)).code == 0
        assert files()[1] == before
        last = await bound(peer, RequestCode.GET_MAX_OFFSET)
        assert [m.queue_offset for m in await peer.pull("orders", last - 10)] == list(range(last - 10, last))
