"""What administrators ask and change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import trio

from rocketmq_lite.protocol.bodies import (
    BrokerConsumeStats,
    ConsumeTimeSpans,
    KVTable,
    ResetOffsets,
    SubscriptionGroupConfig,
    SubscriptionGroupList,
    TopicConfig,
    TopicConfigList,
    TopicList,
)
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.framing import json_loads
from rocketmq_lite.protocol.properties_text import load_properties

if TYPE_CHECKING:
    from tests.integration.world import World
    from trio.testing import MockClock

    from rocketmq_lite.protocol.command import Command


def body(answer: Command) -> dict[object, object]:
    assert answer.code == 0, answer.remark
    found = json_loads(answer.body)
    assert isinstance(found, dict)
    return found


def queue(topic: str, number: int) -> tuple[tuple[str, object], ...]:
    return (("brokerName", "broker-a"), ("queueId", number), ("topic", topic))


async def test_topics_are_created_changed_listed_and_deleted(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        assert (await peer.create_topic("orders", attributes="+message.type=FIFO")).code == 0
        assert (await peer.create_topic("orders", queues=6, perm=4, attributes="-message.type")).code == 0
        shown = await peer.call(RequestCode.GET_TOPIC_CONFIG, topic="orders")
        assert TopicConfig.decode(shown.body) == TopicConfig(
            topic_name="orders", read_queue_nums=6, write_queue_nums=6, perm=4
        )
        table = body(await peer.call(RequestCode.GET_ALL_TOPIC_CONFIG))
        assert isinstance(table["topicConfigTable"], dict)
        assert {"orders", "TBW102", "BenchmarkTest"} <= table["topicConfigTable"].keys()
        assert (await peer.call(RequestCode.DELETE_TOPIC_IN_BROKER, topic="orders")).code == 0
        assert (await peer.call(RequestCode.GET_TOPIC_CONFIG, topic="orders")).code == 17


@pytest.mark.parametrize(
    ("topic", "queues", "attributes", "code"),
    [
        ("TBW102", 4, "", 29),
        ("a b", 4, "", 29),
        ("", 4, "", 29),
        ("orders", -1, "", 29),
        ("orders", 4, "message.type=FIFO", 1),
        ("orders", 4, "+queue.type=BatchCQ", 1),
    ],
)
async def test_topics_that_cannot_be_are_refused(
    world: World, time: MockClock | None, *, topic: str, queues: int, attributes: str, code: int
) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        answer = await peer.create_topic(topic, queues=queues, attributes=attributes)
        assert answer.code == code
        assert answer.remark


async def test_permission_bits_are_taken_as_they_come(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        assert (await peer.create_topic("orders", perm=77)).code == 0
        shown = await peer.call(RequestCode.GET_TOPIC_CONFIG, topic="orders")
        assert TopicConfig.decode(shown.body).perm == 77


async def test_several_topics_at_once_or_none(world: World, time: MockClock | None) -> None:
    put = RequestCode.UPDATE_AND_CREATE_TOPIC_LIST
    first, second = TopicConfig("A", 2, 2), TopicConfig("B", 3, 3, attributes={"+message.type": "FIFO"})
    async with world.broker() as address, world.peer(address) as peer:
        refused = await peer.call(put, TopicConfigList((first, TopicConfig("a b"))).encode())
        assert refused.code == 29
        assert (await peer.call(RequestCode.GET_TOPIC_CONFIG, topic="A")).code == 17
        assert (await peer.call(put, TopicConfigList((first, second)).encode())).code == 0
        shown = [await peer.call(RequestCode.GET_TOPIC_CONFIG, topic=name) for name in "AB"]
        assert [TopicConfig.decode(each.body) for each in shown] == [
            first,
            replace(second, attributes={"message.type": "FIFO"}),
        ]
        without_sign = TopicConfig("C", attributes={"message.type": "FIFO"})
        assert (await peer.call(put, TopicConfigList((without_sign,)).encode())).code == 1
        assert (await peer.call(put)).code == 1


async def test_several_groups_at_once_or_none(world: World, time: MockClock | None) -> None:
    put = RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST
    first, second = SubscriptionGroupConfig("A", retry_max_times=3), SubscriptionGroupConfig("B")
    async with world.broker() as address, world.peer(address) as peer:
        bad = SubscriptionGroupList((first, SubscriptionGroupConfig("a b")))
        assert (await peer.call(put, bad.encode())).code == 29
        assert (await peer.call(put, SubscriptionGroupList((first, second)).encode())).code == 0
        listed = body(await peer.call(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG))
        table = listed["subscriptionGroupTable"]
        assert isinstance(table, dict)
        assert [table[name] for name in "AB"] == [first.to_json(), second.to_json()]


async def test_a_request_without_its_fields_is_answered_1(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        answer = await peer.call(RequestCode.UPDATE_AND_CREATE_TOPIC, topic="orders")
        assert answer.code == 1
        assert "defaultTopic" in (answer.remark or "")


async def test_groups_are_created_changed_listed_and_deleted(world: World, time: MockClock | None) -> None:
    group = SubscriptionGroupConfig(group_name="G", retry_max_times=3, consume_enable=False)
    async with world.broker() as address, world.peer(address) as peer:
        put = RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP
        assert (await peer.call(put, group.encode())).code == 0
        shown = await peer.call(RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, group="G")
        assert SubscriptionGroupConfig.decode(shown.body) == group
        await peer.create_topic("orders")
        assert (await peer.answer(await peer.post_pull("orders", 0))).code == 16  # consuming is disabled
        listed = body(await peer.call(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG))
        assert isinstance(listed["subscriptionGroupTable"], dict)
        assert {"G", "TOOLS_CONSUMER"} <= listed["subscriptionGroupTable"].keys()
        removed = await peer.call(RequestCode.DELETE_SUBSCRIPTIONGROUP, groupName="G", cleanOffset=True)
        assert removed.code == 0
        listed = body(await peer.call(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG))
        assert isinstance(listed["subscriptionGroupTable"], dict)
        assert "G" not in listed["subscriptionGroupTable"]
        assert (await peer.call(put, SubscriptionGroupConfig(group_name="a b").encode())).code == 29


async def test_progress_of_topics_and_groups(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        await peer.create_topic("orders", queues=2)
        await peer.pull("orders")
        for _ in range(3):
            await peer.send("orders", queue=1)
        commit = {"consumerGroup": "G", "topic": "orders", "queueId": 1, "commitOffset": 2}
        assert (await peer.call(RequestCode.UPDATE_CONSUMER_OFFSET, header=commit)).code == 0
        table = body(await peer.call(RequestCode.GET_TOPIC_STATS_INFO, topic="orders"))["offsetTable"]
        assert isinstance(table, dict)
        assert table[queue("orders", 0)] == {"lastUpdateTimestamp": 0, "maxOffset": 0, "minOffset": 0}
        times = [each.store_timestamp for each in await peer.pull("orders", queue=1)]
        last = table[queue("orders", 1)]
        assert last == {"lastUpdateTimestamp": times[2], "maxOffset": 3, "minOffset": 0}
        readers = body(await peer.call(RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, topic="orders"))
        assert readers == {"groupList": ["G"]}
        stats = body(await peer.call(RequestCode.GET_CONSUME_STATS, consumerGroup="G"))["offsetTable"]
        assert isinstance(stats, dict)
        assert stats[queue("orders", 1)] == {
            "brokerOffset": 3, "consumerOffset": 2, "lastTimestamp": times[1], "pullOffset": 2
        }  # fmt: skip
        assert stats[queue("orders", 0)] == {
            "brokerOffset": 0, "consumerOffset": 0, "lastTimestamp": 0, "pullOffset": 0
        }  # fmt: skip
        read = await peer.call(RequestCode.QUERY_TOPICS_BY_CONSUMER, group="G")
        assert TopicList.decode(read.body) == TopicList(("orders",), address)
        assert (
            body(await peer.call(RequestCode.GET_CONSUME_STATS, consumerGroup="nobody"))["offsetTable"] == {}
        )
        assert (await peer.call(RequestCode.GET_TOPIC_STATS_INFO, topic="unknown")).code == 17


async def test_the_time_that_a_group_is_behind(pump_world: World, autojump_clock: MockClock) -> None:
    ask = RequestCode.QUERY_CONSUME_TIME_SPAN
    async with pump_world.broker() as address, pump_world.peer(address) as peer:
        assert (await peer.call(ask, topic="orders", group="G")).code == 17
        await peer.create_topic("orders", queues=2)
        await peer.pull("orders")
        for _ in range(3):
            await peer.send("orders")
            await trio.sleep(10)
        commit = {"consumerGroup": "G", "topic": "orders", "queueId": 0, "commitOffset": 2}
        await peer.call(RequestCode.UPDATE_CONSUMER_OFFSET, header=commit)
        times = [each.store_timestamp for each in await peer.pull("orders")]
        found = ConsumeTimeSpans.decode((await peer.call(ask, topic="orders", group="G")).body)
        behind, empty = found.consume_time_span_set
        assert (behind.min_time_stamp, behind.max_time_stamp) == (times[0], times[2])
        assert (behind.consume_time_stamp, behind.delay_time) == (times[1], 10_000)
        text = datetime.fromtimestamp(times[0] / 1000, tz=UTC).astimezone()
        assert behind.min_time_stamp_str == f"{text:%Y-%m-%d#%H:%M:%S}:{times[0] % 1000:03}"
        assert (empty.min_time_stamp, empty.max_time_stamp, empty.consume_time_stamp) == (-1, -1, -1)


async def test_a_groups_position_is_set_and_its_consumers_hear_of_it(
    world: World, time: MockClock | None
) -> None:
    ask = RequestCode.INVOKE_BROKER_TO_RESET_OFFSET
    async with world.broker() as address, world.peer(address) as peer:
        assert (await peer.call(ask, topic="orders", group="G", timestamp=0, isForce=True)).code == 17
        await peer.create_topic("orders", queues=2)
        assert (await peer.call(ask, topic="orders", group="G", timestamp=0, isForce=True)).code == 26
        await peer.pull("orders")  # makes the group
        for _ in range(3):
            await peer.send("orders", queue=1)

        async def reset(**where: int) -> dict[int, int]:
            header = {"topic": "orders", "group": "G", "isForce": True, **where}
            answer = await peer.call(ask, header=header)
            table = ResetOffsets.decode(answer.body).offset_table
            return {queue.queue_id: offset for queue, offset in table.items()}

        assert await reset(timestamp=-1) == {0: 0, 1: 3}
        assert await reset(timestamp=0) == {0: 0, 1: 0}
        assert await reset(timestamp=0, queueId=1) == {1: 0}
        assert await reset(timestamp=0, queueId=1, offset=2) == {1: 2}
        out = await peer.call(ask, topic="orders", group="G", timestamp=0, isForce=True, queueId=1, offset=4)
        assert (out.code, out.remark) == (1, "Target offset 4 not in consume queue range [0-3]")
        told = await peer.answer(await peer.post_pull("orders", 3, queue=1))
        assert (told.code, told.remark, told.fields["nextBeginOffset"]) == (21, "OFFSET_RESET", "2")
        assert len(await peer.pull("orders", 2, queue=1)) == 1


async def test_the_broker_about_itself(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        await peer.send("orders")
        figures = KVTable.decode((await peer.call(RequestCode.GET_BROKER_RUNTIME_INFO)).body).table
        assert figures["brokerVersionDesc"] == "V5_3_3"
        assert figures["msgPutTotalTodayNow"] == "1"
        for name in ("putTps", "getTransferredTps", "getTransferedTps"):
            assert len([float(rate) for rate in figures[name].split(" ")]) == 3
        for name in ("commitLogDiskRatio", "consumeQueueDiskRatio"):
            assert 0 <= float(figures[name]) <= 1
        for name in ("commitLogMinOffset", "dispatchBehindBytes"):
            assert figures[name] == "0"
        assert int(figures["commitLogMaxOffset"]) > 0
        assert int(figures["earliestMessageTimeStamp"]) >= int(figures["bootTimestamp"])
        settings = await peer.call(RequestCode.GET_BROKER_CONFIG)
        assert b"brokerName=broker-a\n" in settings.body
        assert b"enablePropertyFilter=true\n" in settings.body
        assert f"listenPort={address.rpartition(':')[2]}\n".encode() in settings.body
        assert b'"counter"' in settings.fields["version"].encode()
        system = TopicList.decode((await peer.call(RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER)).body)
        assert {"TBW102", "SCHEDULE_TOPIC_XXXX", "broker-a", "DefaultCluster"} <= set(system.topic_list)


async def test_settings_that_may_change_do_so_at_once(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:

        async def settings() -> dict[str, str]:
            return load_properties((await peer.call(RequestCode.GET_BROKER_CONFIG)).body)

        before = await settings()
        changed = await peer.call(
            RequestCode.UPDATE_BROKER_CONFIG, b"fileReservedTime=12\nautoCreateSubscriptionGroup=false\n"
        )
        assert changed.code == 0
        assert await settings() == before | {"fileReservedTime": "12", "autoCreateSubscriptionGroup": "false"}
        await peer.create_topic("orders")
        refused = await peer.answer(await peer.post_pull("orders", 0, group="new"))
        assert refused.code == 26
        for body, code in ((b"deleteWhen=5\nbrokerName=b\n", 16), (b"fileReservedTime=soon", 29)):
            assert (await peer.call(RequestCode.UPDATE_BROKER_CONFIG, body)).code == code
        assert (await settings())["deleteWhen"] == before["deleteWhen"]


async def test_how_far_all_groups_are(world: World, time: MockClock | None) -> None:
    async with world.broker() as address, world.peer(address) as peer:
        for topic in ("orders", "returns"):
            await peer.create_topic(topic, queues=1)
            for _ in range(3):
                await peer.send(topic)
        for group, topic, offset in (("G", "orders", 1), ("G", "returns", 3), ("H", "orders", 0)):
            await peer.pull(topic, group=group)  # makes the group
            commit = {"consumerGroup": group, "topic": topic, "queueId": 0, "commitOffset": offset}
            assert (await peer.call(RequestCode.UPDATE_CONSUMER_OFFSET, header=commit)).code == 0
        answer = await peer.call(RequestCode.GET_BROKER_CONSUME_STATS, isOrder=False)
        found = BrokerConsumeStats.decode(answer.body)
        waiting = {
            group: [
                each.broker_offset - each.consumer_offset
                for table in tables
                for each in table.offset_table.values()
            ]
            for entry in found.consume_stats_list
            for group, tables in entry.items()
        }
        assert waiting == {"G": [2, 0], "H": [3]}
        assert (found.broker_addr, found.total_diff) == (address, 5)
        ordered = await peer.call(RequestCode.GET_BROKER_CONSUME_STATS, isOrder=True)
        assert BrokerConsumeStats.decode(ordered.body).consume_stats_list == ()
