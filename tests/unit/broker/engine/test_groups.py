"""The group table and the shape of ``subscriptionGroup.json``."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rocketmq_lite.broker.engine.groups import GroupTable
from rocketmq_lite.errors import BrokerError, LocalProtocolError
from rocketmq_lite.protocol.bodies import SubscriptionGroupConfig
from rocketmq_lite.protocol.framing import json_loads
from rocketmq_lite.protocol.reserved import SYSTEM_GROUPS


def table(*, auto_create: bool = True) -> GroupTable:
    return GroupTable(auto_create=auto_create, now_ms=1000)


def test_system_groups_are_there_from_the_start() -> None:
    assert table().all().keys() == set(SYSTEM_GROUPS)


def test_auto_creation_gives_apaches_defaults() -> None:
    group = table().plan_auto_create("g")
    assert (group.retry_max_times, group.retry_queue_nums, group.consume_timeout_minute) == (16, 1, 15)
    assert group.consume_enable
    assert group.notify_consumer_ids_changed_enable


@pytest.mark.parametrize(("auto_create", "name"), [(False, "g"), (True, "a b"), (True, "g" * 121)])
def test_auto_creation_is_refused_with_26(*, auto_create: bool, name: str) -> None:
    with pytest.raises(BrokerError) as caught:
        table(auto_create=auto_create).plan_auto_create(name)
    assert caught.value.code == 26


def test_system_consumers_are_created_even_where_others_are_not() -> None:
    assert table(auto_create=False).plan_auto_create("CID_RMQ_SYS_x").group_name == "CID_RMQ_SYS_x"


def test_updates_step_the_version_only_when_they_change_something() -> None:
    groups = table()
    wanted = SubscriptionGroupConfig(group_name="g", retry_max_times=3)
    assert groups.plan_update(wanted) == wanted
    groups.put(wanted, now_ms=2000)
    assert groups.plan_update(wanted) is None
    assert (groups.version.counter, groups.version.timestamp) == (1, 2000)
    with pytest.raises(BrokerError) as caught:
        groups.plan_update(replace(wanted, group_name=""))
    assert caught.value.code == 29


def test_removal() -> None:
    groups = table()
    groups.put(SubscriptionGroupConfig(group_name="g"), now_ms=1)
    assert groups.remove("g", now_ms=2)
    assert not groups.remove("g", now_ms=3)


def test_an_apache_file_is_read_with_its_forbidden_topics_and_written_back() -> None:
    text = b"""{"dataVersion":{"counter":4,"stateVersion":0,"timestamp":5},"forbiddenTable":{"groupA":{"T":4}},
      "subscriptionGroupTable":{"groupA":{"attributes":{},"brokerId":0,"consumeBroadcastEnable":true,
      "consumeEnable":false,"consumeFromMinEnable":true,"consumeMessageOrderly":false,"consumeTimeoutMinute":15,
      "groupName":"groupA","groupRetryPolicy":{"type":"CUSTOMIZED"},"groupSysFlag":0,
      "notifyConsumerIdsChangedEnable":true,"retryMaxTimes":7,"retryQueueNums":2,"whichBrokerWhenConsumeSlowly":1}}}"""
    groups = table()
    groups.restore(json_loads(text))
    group = groups.get("groupA")
    assert group is not None
    assert (group.consume_enable, group.retry_max_times, group.retry_queue_nums) == (False, 7, 2)
    again = table()
    again.restore(json_loads(json.dumps(groups.picture()).encode()))
    assert again.picture() == groups.picture()
    assert groups.picture()["forbiddenTable"] == {"groupA": {"T": 4}}


def test_what_is_no_group_table_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        table().restore({"subscriptionGroupTable": {}})
