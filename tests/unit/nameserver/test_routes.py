"""The rules of registration, expiry and look-up, without a server."""

from __future__ import annotations

import pytest

from rocketmq_lite.nameserver.engine.routes import BrokerKey, RouteTable
from rocketmq_lite.protocol.bodies import DataVersion, QueueData, RegisterBrokerBody, TopicConfig
from rocketmq_lite.protocol.headers.route import RegisterBrokerRequestHeader

A0 = BrokerKey("C", "10.0.0.1:10911")


def header(**changes: object) -> RegisterBrokerRequestHeader:
    fields: dict[str, object] = {
        "broker_name": "a",
        "broker_addr": "10.0.0.1:10911",
        "cluster_name": "C",
        "ha_server_addr": "10.0.0.1:10912",
        "broker_id": 0,
        "enable_acting_master": False,
    }
    return RegisterBrokerRequestHeader(**(fields | changes))  # type: ignore[arg-type]


def body(*topics: str, counter: int = 1, perm: int = 6) -> RegisterBrokerBody:
    table = {name: TopicConfig(name, read_queue_nums=4, write_queue_nums=4, perm=perm) for name in topics}
    return RegisterBrokerBody(DataVersion(counter, 0, 7), table)


@pytest.fixture
def table() -> RouteTable:
    return RouteTable()


def register(
    table: RouteTable, *topics: str, now: float = 0.0, counter: int = 1, perm: int = 6, **changes: object
) -> bool:
    outcome = table.register(
        header(**changes), body(*topics, counter=counter, perm=perm), zone=None, connection=1, now=now
    )
    return outcome.accepted


def test_a_route_names_queues_and_addresses(table: RouteTable) -> None:
    assert register(table, "T", "U")
    route = table.route("T")
    assert route is not None
    assert [(q.broker_name, q.read_queue_nums, q.perm) for q in route.queue_datas] == [("a", 4, 6)]
    assert route.broker_datas[0].broker_addrs == {0: "10.0.0.1:10911"}
    assert table.route("unknown") is None


def test_a_first_registration_must_not_be_partial(table: RouteTable) -> None:
    assert not register(table, "only")
    assert table.cluster_info().broker_addr_table["a"].broker_addrs == {}
    assert register(table, "T", "U")
    assert register(table, "V", counter=2)
    assert set(table.topics()) == {"T", "U", "V"}


def test_topics_that_are_not_listed_any_more_stay(table: RouteTable) -> None:
    register(table, "T", "U")
    register(table, "U", "V", counter=2)
    assert set(table.topics()) == {"T", "U", "V"}


def test_an_equal_version_changes_nothing(table: RouteTable) -> None:
    register(table, "T", "U")
    register(table, "T", "U", perm=4)
    route = table.route("T")
    assert route is not None
    assert route.queue_datas[0].perm == 6


def test_a_silent_broker_expires_with_its_topics(table: RouteTable) -> None:
    register(table, "T", "U", now=10.0)
    assert table.expire(now=130.0) == []
    assert table.expire(now=130.1) == [A0]
    assert table.topics() == ()
    assert table.cluster_info().cluster_addr_table == {}


def test_a_broker_may_name_its_own_timeout(table: RouteTable) -> None:
    register(table, "T", "U", heartbeat_timeout_millis=10_000)
    assert table.expire(now=10.5) == [A0]


def test_a_closed_connection_removes_its_broker(table: RouteTable) -> None:
    register(table, "T", "U")
    assert table.connection_closed(2) == []
    assert table.connection_closed(1) == [A0]
    assert table.route("T") is None


def test_slaves_learn_their_master_and_keep_the_route(table: RouteTable) -> None:
    register(table, "T", "U")
    slave = {"broker_id": 1, "broker_addr": "10.0.0.2:10911", "ha_server_addr": "10.0.0.2:10912"}
    outcome = table.register(header(**slave), body("T", "U"), zone=None, connection=2, now=0.0)
    assert (outcome.master_address, outcome.ha_address) == ("10.0.0.1:10911", "10.0.0.1:10912")
    table.unregister(A0, "a")
    route = table.route("T")
    assert route is not None
    assert route.broker_datas[0].broker_addrs == {1: "10.0.0.2:10911"}


def test_a_promoted_slave_appears_once(table: RouteTable) -> None:
    register(table, "T", "U", broker_id=1)
    register(table, "T", "U", broker_id=0)
    assert table.member_group("a") == {0: "10.0.0.1:10911"}


def test_a_newer_epoch_holds_its_id(table: RouteTable) -> None:
    holder = RegisterBrokerBody(DataVersion(1, 5, 7), body("T", "U").topics)
    table.register(header(), holder, zone=None, connection=1, now=0.0)
    register(table, "T", "U", broker_addr="10.0.0.9:1")
    assert table.member_group("a") == {0: "10.0.0.1:10911"}


def test_write_permission_is_wiped_and_added(table: RouteTable) -> None:
    register(table, "T", "U")
    assert table.wipe_write_permission("a") == 2
    route = table.route("T")
    assert route is not None
    assert route.queue_datas[0].perm == 4
    assert table.add_write_permission("a") == 2
    assert table.wipe_write_permission("unknown") == 0


def test_zones_hide_each_other(table: RouteTable) -> None:
    table.register(header(), body("T", "U"), zone="z1", connection=1, now=0.0)
    table.register(
        header(broker_name="b", broker_addr="10.0.0.2:1"), body("T", "U"), zone=None, connection=2, now=0.0
    )
    near = table.route("T", zone="z1")
    assert near is not None
    assert [b.broker_name for b in near.broker_datas] == ["a"]
    nowhere = table.route("T", zone="z3")
    assert nowhere is not None
    assert nowhere.queue_datas == ()


def test_deleting_a_topic_for_one_cluster(table: RouteTable) -> None:
    register(table, "T", "U")
    register(table, "T", "U", broker_name="b", broker_addr="10.0.0.2:1", cluster_name="D")
    table.remove_topic("T", cluster="D")
    route = table.route("T")
    assert route is not None
    assert [b.broker_name for b in route.broker_datas] == ["a"]
    table.remove_topic("T")
    assert table.route("T") is None


def test_data_version_counts_as_a_sign_of_life(table: RouteTable) -> None:
    register(table, "T", "U")
    assert table.data_version(A0, now=100.0) == DataVersion(1, 0, 7)
    assert table.expire(now=150.0) == []
    assert table.data_version(BrokerKey("C", "nobody"), now=0.0) is None


def test_system_names(table: RouteTable) -> None:
    assert table.system_names() == ((), None)
    register(table, "T", "U")
    assert table.system_names() == (("C", "a"), "10.0.0.1:10911")


def test_a_refused_registration_has_given_up_its_former_id(table: RouteTable) -> None:
    register(table, "T", "U", broker_id=1)
    assert not register(table, "only", broker_id=0)
    assert table.member_group("a") == {}


def test_an_outdated_newcomer_leaves_the_live_table_and_is_told_nothing(table: RouteTable) -> None:
    register(table, "T", "U", broker_id=1, broker_addr="10.0.0.9:1")
    holder = RegisterBrokerBody(DataVersion(1, 5, 7), body("T", "U").topics)
    table.register(header(), holder, zone=None, connection=1, now=0.0)
    promoted = header(broker_id=0, broker_addr="10.0.0.9:1")
    outcome = table.register(promoted, body("T", "U"), zone=None, connection=2, now=0.0)
    assert (outcome.accepted, outcome.master_address) == (True, None)
    assert table.data_version(BrokerKey("C", "10.0.0.9:1"), now=0.0) is None
    assert table.member_group("a") == {0: "10.0.0.1:10911"}


def test_unregistering_goes_by_address_not_by_id(table: RouteTable) -> None:
    register(table, "T", "U")
    slave = BrokerKey("C", "10.0.0.2:10911")
    register(table, "T", "U", broker_id=1, broker_addr=slave.address)
    table.unregister(slave, "a")
    assert table.member_group("a") == {0: "10.0.0.1:10911"}


def test_a_slave_speaks_for_its_topics_only_in_a_new_group_without_master(table: RouteTable) -> None:
    register(table, "T", "U", broker_id=1, enable_acting_master=None)
    assert table.topics() == ()
    register(table, "T", "U", broker_id=1, counter=2, enable_acting_master=True)
    route = table.route("T")
    assert route is not None
    assert route.queue_datas[0].perm == 4


def test_a_group_with_acting_master_loses_the_write_bit_with_its_master(table: RouteTable) -> None:
    register(table, "T", "U", enable_acting_master=True)
    register(table, "T", "U", broker_id=1, broker_addr="10.0.0.2:1", enable_acting_master=True)
    table.unregister(A0, "a")
    route = table.route("T")
    assert route is not None
    assert route.queue_datas[0].perm == 4


def test_unlisted_topics_go_where_that_is_asked_for(table: RouteTable) -> None:
    register(table, "T", "U")
    register(table, "T", "U", broker_name="b", broker_addr="10.0.0.2:1")
    table.register(header(), body("U", "V", counter=2), zone=None, connection=1, now=0.0, drop_unlisted=True)
    route = table.route("T")
    assert route is not None
    assert [queues.broker_name for queues in route.queue_datas] == ["b"]


def test_a_zone_compares_without_case_and_is_ignored_without_a_master(table: RouteTable) -> None:
    table.register(header(), body("T", "U"), zone="Z1", connection=1, now=0.0)
    register(table, "T", "U", broker_name="b", broker_addr="10.0.0.2:1")
    register(table, "T", "U", broker_name="b", broker_addr="10.0.0.3:1", broker_id=1)
    table.unregister(BrokerKey("C", "10.0.0.2:1"), "b")
    near = table.route("T", zone="z1")
    assert near is not None
    assert [broker.broker_name for broker in near.broker_datas] == ["a", "b"]


def test_a_new_connection_outlives_the_old_one(table: RouteTable) -> None:
    register(table, "T", "U")
    table.register(header(), body("T", "U"), zone=None, connection=7, now=1.0)
    assert table.connection_closed(1) == []
    assert table.connection_closed(7) == [A0]


def test_single_topics_are_merged_for_known_brokers(table: RouteTable) -> None:
    register(table, "T", "U")
    table.add_queues("N", [QueueData("a", 2, 2, 6), QueueData("nobody", 2, 2, 6)])
    route = table.route("N")
    assert route is not None
    assert [queues.broker_name for queues in route.queue_datas] == ["a"]
    table.add_queues("M", [QueueData("nobody", 2, 2, 6)])
    assert "M" not in table.topics()


def test_topics_by_their_unit_flags(table: RouteTable) -> None:
    register(table, "T", "U")
    table.add_queues("unit", [QueueData("a", 2, 2, 6, topic_sys_flag=1)])
    table.add_queues("both", [QueueData("a", 2, 2, 6, topic_sys_flag=3)])
    table.add_queues("sub", [QueueData("a", 2, 2, 6, topic_sys_flag=2)])
    assert table.topics_by_flags(1, 1) == ("both", "unit")
    assert table.topics_by_flags(2, 2) == ("both", "sub")
    assert table.topics_by_flags(3, 2) == ("sub",)


def test_a_heartbeat_keeps_a_broker_alive(table: RouteTable) -> None:
    register(table, "T", "U")
    table.heard_of(A0, now=100.0)
    table.heard_of(BrokerKey("C", "nobody"), now=100.0)
    assert table.expire(now=220.0) == []
    assert table.expire(now=220.5) == [A0]
