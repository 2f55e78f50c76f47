"""A broker and its directory: what survives a stop, and what a start refuses."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio

from rocketmq_lite.config import BrokerSettings
from rocketmq_lite.errors import ConfigError, PortInUse, StoreDamaged, StoreLocked
from rocketmq_lite.protocol.codes import RequestCode

if TYPE_CHECKING:
    from tests.integration.world import World
    from trio.testing import MockClock


async def test_a_restart_keeps_topics_offsets_and_messages(world: World, time: MockClock | None) -> None:
    commit = {"consumerGroup": "G", "topic": "orders", "queueId": 0}
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        await peer.create_topic("orders", queues=3, attributes="+message.type=FIFO")
        for number in range(5):
            await peer.send("orders", str(number).encode())
        await peer.pull("orders")
        assert (await peer.call(RequestCode.UPDATE_CONSUMER_OFFSET, header=commit, commitOffset=4)).code == 0
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        shown = await peer.call(RequestCode.GET_TOPIC_CONFIG, topic="orders")
        assert b'"message.type":"FIFO"' in shown.body
        answer = await peer.call(RequestCode.QUERY_CONSUMER_OFFSET, header=commit)
        assert (answer.code, answer.fields["offset"]) == (0, "4")
        assert [message.body for message in await peer.pull("orders")] == [b"0", b"1", b"2", b"3", b"4"]
        assert (await peer.send("orders")).fields["queueOffset"] == "5"
    config = world.directory / "store" / "config"
    assert json.loads((config / "consumerOffset.json").read_text())["offsetTable"] == {"orders@G": {"0": 4}}
    assert "orders" in json.loads((config / "topics.json").read_text())["topicConfigTable"]
    assert "G" in json.loads((config / "subscriptionGroup.json").read_text())["subscriptionGroupTable"]
    assert not (world.directory / "store" / "abort").exists()


async def test_a_broker_that_nobody_used_leaves_no_tables(world: World, time: MockClock | None) -> None:
    async with world.broker(on_disk=True):
        pass
    assert list((world.directory / "store" / "config").iterdir()) == []


async def test_a_lost_queue_is_made_again_and_reported(
    world: World, time: MockClock | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        await peer.create_topic("orders", queues=2)
        for number in range(3):
            await peer.send("orders", str(number).encode())
    shutil.rmtree(world.directory / "store" / "consumequeue" / "orders" / "0")
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        assert [message.body for message in await peer.pull("orders")] == [b"0", b"1", b"2"]
        assert (await peer.send("orders")).fields["queueOffset"] == "3"
        await peer.call(RequestCode.DELETE_TOPIC_IN_BROKER, topic="orders")
    assert (
        "these consume queues were gone; they were made again from what the log has: orders/0" in caplog.text
    )
    caplog.clear()
    async with world.broker(on_disk=True):
        pass
    assert "were gone" not in caplog.text, "removed is not lost"


async def test_files_of_apache_that_are_not_used_here_stay_as_they_are(
    world: World, time: MockClock | None
) -> None:
    store = world.directory / "store"
    names = [
        f"config/{name}{ending}"
        for name in (
            "consumerOrderInfo.json",
            "messageRequestMode.json",
            "topicQueueMapping.json",
            "lmqConsumerOffset.json",
            "transactionMetrics",
            "timermetrics",
            "timercheck",
            "broker.properties",
        )
        for ending in ("", ".bak")
    ]
    names += ["timerwheel", "timerlog/00000000000000000000", "rocksdbstore/CURRENT", "epochFileCheckpoint"]
    for name in names:
        path = store / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"the content of {name}")
    for _ in range(2):
        async with world.broker(on_disk=True) as address, world.peer(address) as peer:
            await peer.create_topic("orders", queues=1)
            assert (await peer.send("orders")).code == 0
    assert {name: (store / name).read_text() for name in names} == {
        name: f"the content of {name}" for name in names
    }


async def test_what_is_committed_while_the_broker_stops_is_kept(world: World, time: MockClock | None) -> None:
    """A commit that was answered counts, however late it came."""
    commit = {"consumerGroup": "G", "topic": "orders", "queueId": 0}
    answered = 0

    async def commit_until_refused(
        address: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        nonlocal answered
        async with world.peer(address) as peer:
            await peer.create_topic("orders")
            await peer.pull("orders")
            task_status.started()
            with suppress(EOFError, trio.BrokenResourceError):
                for offset in count(1):
                    header = commit | {"commitOffset": offset}
                    answer = await peer.call(RequestCode.UPDATE_CONSUMER_OFFSET, header=header)
                    if answer.code != 0:
                        break
                    answered = offset

    async with trio.open_nursery() as nursery, world.broker(on_disk=True) as address:
        await nursery.start(commit_until_refused, address)
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        answer = await peer.call(RequestCode.QUERY_CONSUMER_OFFSET, header=commit)
        assert answered > 0
        assert int(answer.fields["offset"]) in {answered, answered + 1}, "the last one's answer may be lost"


async def test_offsets_are_written_every_five_seconds(pump_world: World, autojump_clock: MockClock) -> None:
    path = pump_world.directory / "store" / "config" / "consumerOffset.json"
    commit = {"consumerGroup": "G", "topic": "orders", "queueId": 0}
    async with pump_world.broker(on_disk=True) as address, pump_world.peer(address) as peer:
        await peer.create_topic("orders")
        await peer.pull("orders")
        for offset in (1, 2):
            await peer.call(RequestCode.UPDATE_CONSUMER_OFFSET, header=commit, commitOffset=offset)
            await trio.sleep(BrokerSettings().offset_interval + 0.1)
            assert json.loads(path.read_text())["offsetTable"] == {"orders@G": {"0": offset}}
        written = path.stat().st_mtime_ns
        await trio.sleep(60)
        assert path.stat().st_mtime_ns == written  # nothing changed, nothing is written


async def test_a_directory_belongs_to_one_broker(world: World, time: MockClock | None) -> None:
    async with world.broker(on_disk=True):
        with pytest.RaisesGroup(StoreLocked, flatten_subgroups=True, allow_unwrapped=True):
            async with world.broker(on_disk=True, name="broker-b"):
                pass


async def test_a_port_belongs_to_one_server(world: World, time: MockClock | None) -> None:
    async with world.name_server() as address:
        port = int(address.rpartition(":")[2])
        with pytest.RaisesGroup(PortInUse, flatten_subgroups=True, allow_unwrapped=True):
            async with world.broker(port=port):
                pass


async def test_tables_that_are_damaged_twice_stop_the_start(world: World, time: MockClock | None) -> None:
    config = world.directory / "store" / "config"
    config.mkdir(parents=True)
    (config / "topics.json").write_text("{")
    (config / "topics.json.bak").write_text("{")
    with pytest.RaisesGroup(StoreDamaged, flatten_subgroups=True, allow_unwrapped=True):
        async with world.broker(on_disk=True):
            pass


async def test_listening_everywhere_needs_an_address_to_advertise(
    world: World, time: MockClock | None
) -> None:
    with pytest.RaisesGroup(ConfigError, flatten_subgroups=True, allow_unwrapped=True):
        async with world.broker(host="0.0.0.0"):
            pass
    async with world.broker(host="0.0.0.0", advertise="127.0.0.1") as address, world.peer(address) as peer:
        assert address.startswith("127.0.0.1:")
        assert (await peer.send("orders")).code == 0


async def test_an_apache_directory_is_taken_over(world: World, time: MockClock | None) -> None:
    config = world.directory / "store" / "config"
    config.mkdir(parents=True)
    (config / "consumerOffset.json").write_text('{"offsetTable":{"TopicTest@groupA":{0:120,1:117}}}')
    (config / "topics.json").write_text(
        '{"dataVersion":{"counter":2,"stateVersion":0,"timestamp":1700000000000},"topicConfigTable":{"TopicTest":{'
        '"attributes":{},"order":false,"perm":6,"readQueueNums":4,"topicFilterType":"SINGLE_TAG",'
        '"topicName":"TopicTest","topicSysFlag":0,"writeQueueNums":4}}}'
    )
    (config / "subscriptionGroup.json").write_text(
        '{"dataVersion":{"counter":1,"stateVersion":0,"timestamp":1},"forbiddenTable":{},'
        '"subscriptionGroupTable":{"groupA":{"groupName":"groupA","retryMaxTimes":7}}}'
    )
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        answer = await peer.call(
            RequestCode.QUERY_CONSUMER_OFFSET, consumerGroup="groupA", topic="TopicTest", queueId=1
        )
        assert answer.fields["offset"] == "117"
        shown = await peer.call(RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, group="groupA")
        assert b'"retryMaxTimes":7' in shown.body


@pytest.mark.parametrize("changes", [{"role": "slave"}, {"role": "sync-master"}, {"broker_id": 1}])
async def test_roles_that_are_not_there_yet_are_refused(
    world: World, time: MockClock | None, changes: dict[str, object]
) -> None:
    with pytest.RaisesGroup(ConfigError, flatten_subgroups=True, allow_unwrapped=True):
        async with world.broker(**changes):  # type: ignore[arg-type]
            pass


def belongings() -> tuple[int, int]:
    return len(list(Path("/proc/self/task").iterdir())), len(list(Path("/proc/self/fd").iterdir()))


async def test_a_stopped_broker_leaves_no_thread_and_no_file(world: World, time: MockClock | None) -> None:
    before: tuple[int, int] | None = None
    for _ in range(3):
        async with world.broker(on_disk=True) as address, world.peer(address) as peer:
            await peer.send("orders")
        if before is None:
            before = belongings()  # Trio's own worker thread, if any, has been started by now
        assert belongings() <= before


@pytest.mark.parametrize("flush", ["async", "sync"])
async def test_both_ways_of_flushing(world: World, time: MockClock | None, flush: str) -> None:
    async with world.broker(on_disk=True, flush=flush) as address, world.peer(address) as peer:
        assert (await peer.send("orders")).code == 0
        assert len(await peer.pull("orders")) == 1


@pytest.mark.parametrize(
    ("code", "settings"),
    [
        (RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {"groupName": "G", "retryMaxTimes": 2**31}),
        (RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {"groupName": "G", "groupSysFlag": -(2**40)}),
        (RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {"groupName": "G", "retryQueueNums": 10**6}),
        (
            RequestCode.UPDATE_AND_CREATE_TOPIC_LIST,
            {"topicConfigList": [{"topicName": "T", "topicSysFlag": 2**31}]},
        ),
    ],
)
async def test_a_number_that_java_has_no_room_for_is_refused_and_not_kept(
    world: World, time: MockClock | None, code: RequestCode, settings: dict[str, object]
) -> None:
    """It once got into the table, from there into the file, and the broker could not start any more."""
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        assert (await peer.call(code, body=json.dumps(settings).encode())).code != 0
        assert (await peer.create_topic("orders")).code == 0
        fine = json.dumps({"groupName": "fine"}).encode()
        assert (await peer.call(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, body=fine)).code == 0
    config = world.directory / "store" / "config"
    assert "T" not in json.loads((config / "topics.json").read_text())["topicConfigTable"]
    groups = json.loads((config / "subscriptionGroup.json").read_text())["subscriptionGroupTable"]
    assert ("G" in groups, "fine" in groups) == (False, True)
    async with world.broker(on_disk=True) as address, world.peer(address) as peer:
        assert (await peer.send("orders")).code == 0
