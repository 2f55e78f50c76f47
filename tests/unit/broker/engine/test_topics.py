"""The topic table: auto-creation, updates, attributes, and the shape of ``topics.json``."""

from __future__ import annotations

import json

import pytest

from rocketmq_lite.broker.engine.topics import TopicTable, plan_attributes
from rocketmq_lite.errors import BrokerError, LocalProtocolError
from rocketmq_lite.protocol.bodies import TopicConfig
from rocketmq_lite.protocol.framing import json_loads


def table(*, template_queues: int | None = 8) -> TopicTable:
    return TopicTable(cluster="C", broker_name="B", template_queues=template_queues, now_ms=1000)


def topic(name: str = "orders", *, queues: int = 4, perm: int = 6) -> TopicConfig:
    return TopicConfig(topic_name=name, read_queue_nums=queues, write_queue_nums=queues, perm=perm)


@pytest.mark.parametrize(("wanted", "made"), [(4, 4), (8, 8), (100, 8), (0, 0), (-3, 0)])
def test_auto_creation_takes_the_smaller_number_of_queues(wanted: int, made: int) -> None:
    created = table().plan_auto_create("orders", default_topic="TBW102", queue_nums=wanted, unit=False)
    assert (created.read_queue_nums, created.write_queue_nums, created.perm) == (made, made, 6)
    assert created.attributes == {}


def test_cluster_and_broker_names_are_templates_too() -> None:
    assert table().plan_auto_create("t", default_topic="C", queue_nums=99, unit=True).write_queue_nums == 16
    assert table().plan_auto_create("t", default_topic="B", queue_nums=99, unit=True).topic_sys_flag == 1


@pytest.mark.parametrize("template", ["nowhere", "SELF_TEST_TOPIC"])
def test_no_template_or_one_that_may_not_be_inherited_is_refused_with_17(template: str) -> None:
    with pytest.raises(BrokerError, match="not exist") as caught:
        table().plan_auto_create("orders", default_topic=template, queue_nums=4, unit=False)
    assert caught.value.code == 17


def test_without_auto_creation_the_template_is_gone_or_powerless() -> None:
    topics = table(template_queues=None)
    assert topics.get("TBW102") is None
    topics.restore({"dataVersion": {}, "topicConfigTable": {"TBW102": topic("TBW102", perm=7).to_json()}})
    template = topics.get("TBW102")
    assert template is not None
    assert template.perm == 6


def test_a_retry_topic_needs_no_template() -> None:
    created = table().plan_auto_create("%RETRY%g", default_topic="none", queue_nums=4, unit=False)
    assert (created.read_queue_nums, created.perm) == (1, 6)


def test_the_broker_wants_a_groups_own_topics_without_a_template() -> None:
    for name, queues in (("%RETRY%g", 3), ("%DLQ%g", 1)):
        created = table().plan_auto_create(name, default_topic="", queue_nums=queues, unit=False)
        assert (created.read_queue_nums, created.write_queue_nums, created.perm) == (queues, queues, 6)
    with pytest.raises(BrokerError):
        table().plan_auto_create("%DLQ%g", default_topic="none", queue_nums=1, unit=False)


def test_a_bad_name_is_refused_with_29() -> None:
    with pytest.raises(BrokerError) as caught:
        table().plan_auto_create("a b", default_topic="TBW102", queue_nums=4, unit=False)
    assert caught.value.code == 29


def test_an_update_that_changes_nothing_plans_nothing() -> None:
    topics = table()
    planned = topics.plan_update(topic(), "+message.type=FIFO")
    assert planned is not None
    topics.put(planned, now_ms=2000)
    assert (topics.version.counter, topics.version.timestamp) == (1, 2000)
    assert topics.plan_update(topic(), "+message.type=FIFO") is None
    assert topics.plan_update(topic(), "") is None
    assert topics.plan_update(topic(queues=5), "") is not None


@pytest.mark.parametrize(
    "wanted", [topic("TBW102"), topic("rmq_sys_x"), topic("C"), topic(""), topic(queues=-1)]
)
def test_updates_that_cannot_be_are_refused_with_29(wanted: TopicConfig) -> None:
    with pytest.raises(BrokerError) as caught:
        table().plan_update(wanted, "")
    assert caught.value.code == 29


def test_removal() -> None:
    topics = table()
    topics.put(topic(), now_ms=1)
    assert topics.plan_removal("orders") == topic()
    assert topics.plan_removal("unknown") is None
    assert topics.remove("orders", now_ms=2)
    assert not topics.remove("orders", now_ms=3)
    with pytest.raises(BrokerError):
        topics.plan_removal("TBW102")


@pytest.mark.parametrize(
    ("known", "changes", "after"),
    [
        (None, "", {}),
        (
            None,
            "+message.type=FIFO,+cleanup.policy=DELETE",
            {"message.type": "FIFO", "cleanup.policy": "DELETE"},
        ),
        ({"message.type": "FIFO"}, "+message.type=NORMAL", {"message.type": "NORMAL"}),
        ({"message.type": "FIFO"}, "-message.type", {}),
        ({"queue.type": "SimpleCQ"}, "+queue.type=SimpleCQ", {"queue.type": "SimpleCQ"}),
        ({}, "+reserve.time=3600", {"reserve.time": "3600"}),
    ],
)
def test_attribute_changes(known: dict[str, str] | None, changes: str, after: dict[str, str]) -> None:
    assert plan_attributes(known, changes) == after


@pytest.mark.parametrize(
    ("known", "changes"),
    [
        (None, "message.type=FIFO"),
        (None, "-message.type"),
        (None, "+message.type=ODD"),
        (None, "+color=red"),
        (None, "+message.type=FIFO,+message.type=NORMAL"),
        (None, "+queue.type=BatchCQ"),
        (None, "+cleanup.policy=COMPACTION"),
        ({"queue.type": "SimpleCQ"}, "-queue.type"),
        ({}, "+cleanup.policy=DELETE"),
    ],
)
def test_attribute_changes_that_are_refused(known: dict[str, str] | None, changes: str) -> None:
    with pytest.raises(BrokerError) as caught:
        plan_attributes(known, changes)
    assert caught.value.code == 1


def test_the_picture_is_read_back() -> None:
    topics = table()
    planned = topics.plan_update(topic(), "+message.type=FIFO")
    assert planned is not None
    topics.put(planned, now_ms=2000)
    restored = table()
    restored.restore(json_loads(json.dumps(topics.picture()).encode()))
    assert restored.all() == topics.all()
    assert restored.version == topics.version


def test_an_apache_file_is_read_and_system_topics_stay() -> None:
    text = b"""{"dataVersion":{"counter":2,"stateVersion":0,"timestamp":1700000000000},
      "topicConfigTable":{"TopicTest":{"attributes":{},"order":false,"perm":6,"readQueueNums":4,"unknownMember":[1],
      "topicFilterType":"SINGLE_TAG","topicName":"TopicTest","topicSysFlag":0,"writeQueueNums":4}}}"""
    topics = table()
    topics.restore(json_loads(text))
    assert topics.get("TopicTest") == topic("TopicTest")
    assert topics.get("SELF_TEST_TOPIC") is not None
    assert topics.version.counter == 2


@pytest.mark.parametrize("document", [None, [], {}, {"dataVersion": {}, "topicConfigTable": 3}])
def test_what_is_no_topic_table_is_refused_and_changes_nothing(document: object) -> None:
    topics = table()
    with pytest.raises(LocalProtocolError):
        topics.restore(document)
    assert topics.all() == table().all()
