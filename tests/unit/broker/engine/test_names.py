"""The topics of a fresh broker, and the rules that names follow."""

import pytest

from rocketmq_lite.broker.engine import names

CLUSTER = "DefaultCluster"
BROKER = "broker-a"


def test_a_broker_starts_with_these_topics() -> None:
    found = {
        topic.name: (topic.queues, topic.perm)
        for topic in names.system_topics(cluster=CLUSTER, broker_name=BROKER, template_queues=8)
    }
    assert found == {
        "SELF_TEST_TOPIC": (1, 6),
        "TBW102": (8, 7),
        "BenchmarkTest": (1024, 6),
        "DefaultCluster": (16, 7),
        "broker-a": (1, 7),
        "OFFSET_MOVED_EVENT": (1, 6),
        "SCHEDULE_TOPIC_XXXX": (18, 6),
        "DefaultCluster_REPLY_TOPIC": (1, 6),
        "rmq_sys_REVIVE_LOG_DefaultCluster": (8, 6),
        "rmq_sys_SYNC_BROKER_MEMBER_broker-a": (1, 1),
        "RMQ_SYS_TRANS_HALF_TOPIC": (1, 6),
        "RMQ_SYS_TRANS_OP_HALF_TOPIC": (1, 6),
        "rmq_sys_wheel_timer": (1, 6),
    }


def test_without_auto_creation_there_is_no_template() -> None:
    found = names.system_topics(cluster=CLUSTER, broker_name=BROKER, template_queues=None)
    assert "TBW102" not in {topic.name for topic in found}


@pytest.mark.parametrize("name", ["orders", "a-b_c|d%e", "%RETRY%" + "g" * 248, "t" * 127])
def test_good_topic_names(name: str) -> None:
    assert names.topic_name_problem(name) is None


@pytest.mark.parametrize("name", ["", "  ", "a b", "a.b", "ünï", "a\n", "t" * 128, "%RETRY%" + "g" * 249])
def test_bad_topic_names(name: str) -> None:
    assert names.topic_name_problem(name) is not None


@pytest.mark.parametrize(
    ("name", "good"), [("g" * 120, True), ("g" * 121, False), ("", False), ("a b", False)]
)
def test_group_names(name: str, *, good: bool) -> None:
    assert (names.group_name_problem(name) is None) is good
