"""Bits flipped in a broker's tables: it starts with all that they said, from the backup if need be, or not at all."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING

import pytest
import trio

from rocketmq_lite.errors import StoreDamaged
from rocketmq_lite.protocol.bodies import ConsumerData, HeartbeatData, SubscriptionData
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.framing import json_loads

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.peer import Peer
    from tests.integration.world import World
    from trio.testing import MockClock

FILES = (
    "topics.json",
    "subscriptionGroup.json",
    "consumerOffset.json",
    "delayOffset.json",
    "consumerFilter.json",
)
FLIPS = int(os.environ.get("DAMAGE_FLIPS", "12"))
"""Starts of a broker for each file and kind of damage."""

Tables = dict[str, object]


@pytest.fixture
def chance() -> random.Random:
    """Prints its seed; ``DAMAGE_SEED`` repeats a run."""
    seed = int(os.environ.get("DAMAGE_SEED", random.randrange(1 << 32)))
    print(f"DAMAGE_SEED={seed}")
    return random.Random(seed)


async def fill(world: World) -> Path:
    """Something in each table; where the files are."""
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        await peer.create_topic("orders")
        wanted = SubscriptionData("orders", "price > 4", sub_version=1, expression_type="SQL92")
        body = HeartbeatData(
            "c", consumer_data_set=(ConsumerData("G", subscription_data_set=(wanted,)),)
        ).encode()
        assert (await peer.call(RequestCode.HEART_BEAT, body)).code == 0
        for queue in range(4):
            await peer.send("orders", queue=queue)
            await peer.call(
                RequestCode.UPDATE_CONSUMER_OFFSET,
                consumerGroup="G",
                topic="orders",
                queueId=queue,
                commitOffset=1,
            )
        await peer.send("orders", properties="DELAY\x011\x02")
        await trio.sleep(2)
    config = world.directory / "store" / "config"
    assert {path.name.removesuffix(".bak") for path in config.iterdir()} == set(FILES)
    return config


async def tables(peer: Peer) -> Tables:
    """What the broker has of each."""
    offsets = [
        (
            await peer.call(
                RequestCode.QUERY_CONSUMER_OFFSET, consumerGroup="G", topic="orders", queueId=queue
            )
        ).fields.get("offset")
        for queue in range(4)
    ]
    topics = json_loads((await peer.call(RequestCode.GET_ALL_TOPIC_CONFIG)).body)
    groups = json_loads((await peer.call(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG)).body)
    figures = json_loads((await peer.call(RequestCode.GET_BROKER_RUNTIME_INFO)).body)
    assert isinstance(topics, dict)
    assert isinstance(groups, dict)
    assert isinstance(figures, dict)
    assert isinstance(figures["table"], dict)
    return {
        "topics": topics["topicConfigTable"],
        "groups": groups["subscriptionGroupTable"],
        "offsets": offsets,
        "delays": figures["table"].get("scheduleMessageOffset_1"),
    }


async def started(world: World) -> Tables:
    """The tables of a broker that starts."""
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        return await tables(peer)


async def refused(world: World) -> str:
    """Why a broker does not start; empty if it does."""
    try:
        await started(world)
    except BaseExceptionGroup as errors:
        problem: BaseException = errors
        while isinstance(problem, BaseExceptionGroup):
            problem = problem.exceptions[0]
        assert isinstance(problem, StoreDamaged)
        return str(problem)
    return ""


def flip(path: Path, chance: random.Random) -> bytes:
    data = bytearray(path.read_bytes())
    bit = chance.randrange(len(data) * 8)
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)
    return bytes(data)


def condition(config: Path) -> object:
    """The condition that is kept, in whichever file the next start takes."""
    path = config / "consumerFilter.json"
    document = json_loads((path if path.exists() else path.with_name(f"{path.name}.bak")).read_bytes())
    assert isinstance(document, dict)
    return document["filterDataByTopic"]["orders"]["groupFilterData"]["G"]["expression"]


class Copies:
    """Files of a directory as they were, for every try."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._kept = {path.name: path.read_bytes() for path in config.iterdir()}

    def restore(self, *, backups: bool) -> None:
        """The files, and each of them as its own backup."""
        shutil.rmtree(self._config)
        self._config.mkdir()
        for name in FILES:
            (self._config / name).write_bytes(self._kept[name])
            if backups:
                (self._config / f"{name}.bak").write_bytes(self._kept[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
async def test_a_flipped_bit_costs_nothing_while_there_is_a_backup(
    pump_world: World,
    autojump_clock: MockClock,
    chance: random.Random,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    config = await fill(pump_world)
    copies = Copies(config)
    copies.restore(backups=True)
    whole, wanted = await started(pump_world), condition(config)
    noticed = 0
    for _ in range(FLIPS):
        copies.restore(backups=True)
        damaged = flip(config / name, chance)
        caplog.clear()
        assert await started(pump_world) == whole
        assert condition(config) == wanted
        if (config / f"{name}.damaged").exists():
            assert (config / f"{name}.damaged").read_bytes() == damaged
            assert f"{name}.damaged" in caplog.text
            assert "its backup was taken" in caplog.text
            noticed += 1
    assert noticed > 0


@pytest.mark.slow
@pytest.mark.parametrize("backup", ["missing", "damaged"])
@pytest.mark.parametrize("name", FILES)
async def test_without_a_good_backup_the_broker_does_not_start(
    pump_world: World, autojump_clock: MockClock, chance: random.Random, name: str, backup: str
) -> None:
    config = await fill(pump_world)
    copies = Copies(config)
    copies.restore(backups=True)
    whole = await started(pump_world)
    refusals = 0
    for _ in range(FLIPS):
        copies.restore(backups=backup == "damaged")
        files = {config / name: flip(config / name, chance)}
        if backup == "damaged":
            spare = config / f"{name}.bak"
            files[spare] = flip(spare, chance)
        reason = await refused(pump_world)
        if reason:
            assert str(config / name) in reason
            assert f"its backup {name}.bak" in reason
            assert {path: path.read_bytes() for path in files} == files, "as they were"
            assert await refused(pump_world) == reason, "the second time too"
            refusals += 1
        else:  # what was flipped is the name of a checksum, or lies behind all that counts
            assert await started(pump_world) == whole
    assert refusals > 0
