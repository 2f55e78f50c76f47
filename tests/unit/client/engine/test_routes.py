"""Which queues a route gives, and what the table does with routes that come and go."""

from __future__ import annotations

import pytest

from rocketmq_lite.client.engine.routes import RouteTable, compile_route, queue_for_key, template_route
from rocketmq_lite.model import MessageQueue
from rocketmq_lite.protocol.bodies import BrokerData, QueueData, TopicRouteData


def broker(name: str, **addresses: str) -> BrokerData:
    return BrokerData("C", name, {int(key[1:]): value for key, value in addresses.items()})


def route(
    *queues: QueueData, brokers: tuple[BrokerData, ...] = (), order: str | None = None
) -> TopicRouteData:
    return TopicRouteData(queue_datas=queues, broker_datas=brokers, order_topic_conf=order)


TWO = route(
    QueueData("b", 2, 1, 6),
    QueueData("a", 1, 2, 6),
    brokers=(broker("b", i0="b:1", i1="b:2"), broker("a", i0="a:1")),
)


def test_queues_by_broker_name_whatever_order_the_name_server_uses():
    compiled = compile_route("T", TWO)
    assert compiled.writable == (
        MessageQueue("T", "a", 0),
        MessageQueue("T", "a", 1),
        MessageQueue("T", "b", 0),
    )
    assert compiled.readable == (
        MessageQueue("T", "a", 0),
        MessageQueue("T", "b", 0),
        MessageQueue("T", "b", 1),
    )
    turned = route(*reversed(TWO.queue_datas), brokers=tuple(reversed(TWO.broker_datas)))
    assert compile_route("T", turned) == compiled


@pytest.mark.parametrize(
    ("perm", "writable", "readable"), [(6, 1, 1), (4, 0, 1), (2, 1, 0), (7, 1, 1), (0, 0, 0)]
)
def test_permissions(perm, writable, readable):
    compiled = compile_route("T", route(QueueData("a", 1, 1, perm), brokers=(broker("a", i0="a:1"),)))
    assert (len(compiled.writable), len(compiled.readable)) == (writable, readable)


def test_without_a_master_a_group_can_only_be_read():
    compiled = compile_route("T", route(QueueData("a", 2, 2, 6), brokers=(broker("a", i1="a:2"),)))
    assert (len(compiled.writable), len(compiled.readable)) == (0, 2)


def test_an_order_configuration_is_the_list_of_queues():
    compiled = compile_route("T", route(QueueData("a", 4, 4, 6), brokers=(), order="b:1;a:2;;bad"))
    assert compiled.writable == (
        MessageQueue("T", "b", 0),
        MessageQueue("T", "a", 0),
        MessageQueue("T", "a", 1),
    )


def test_a_template_gives_at_most_four_queues_a_broker():
    template = route(
        QueueData("a", 8, 8, 7),
        QueueData("b", 2, 8, 7),
        brokers=(broker("a", i0="a:1"), broker("b", i0="b:1")),
    )
    compiled = template_route("new", template)
    assert compiled.from_template
    assert [queue.broker_name for queue in compiled.writable] == ["a"] * 4 + ["b"] * 2
    assert {queue.topic for queue in compiled.writable} == {"new"}


@pytest.mark.parametrize(
    ("key", "index"), [("", 0), ("a", 97 % 4), ("TagA", 2598919 % 4), ("polygenelubricants", 0)]
)
def test_the_queue_of_a_key_is_javas(key, index):
    queues = [MessageQueue("T", "a", i) for i in range(4)]
    assert queue_for_key(queues, key) == queues[index]


def test_the_smallest_hash_has_a_queue():
    queues = [MessageQueue("T", "a", i) for i in range(3)]  # "polygenelubricants" hashes to -2**31
    assert queue_for_key(queues, "polygenelubricants") == queues[2**31 % 3]


def test_addresses_of_brokers():
    table = RouteTable()
    assert table.learn(compile_route("T", TWO))
    assert not table.learn(compile_route("T", TWO))
    assert (table.master("b"), table.master("x")) == ("b:1", None)
    assert (table.reader("b"), table.reader("b", 1), table.reader("b", 7), table.reader("x")) == (
        "b:1",
        "b:2",
        "b:1",
        None,
    )
    assert table.addresses(slaves=False) == ("a:1", "b:1")
    assert table.addresses(slaves=True) == ("a:1", "b:1", "b:2")
    assert table.brokers_of("T") == ("a:1", "b:1")
    assert table.brokers_of("unknown") == ()


def test_a_group_without_a_master_is_read_from_its_lowest_member():
    table = RouteTable()
    table.learn(
        compile_route("T", route(QueueData("a", 1, 1, 6), brokers=(broker("a", i2="a:3", i1="a:2"),)))
    )
    assert (table.master("a"), table.reader("a"), table.brokers_of("T")) == (None, "a:2", ("a:2",))


def test_a_template_never_replaces_a_real_route():
    table = RouteTable()
    assert table.learn(template_route("T", TWO))
    assert table.learn(compile_route("T", TWO))
    assert not table.learn(template_route("T", TWO))
    known = table.get("T")
    assert known is not None
    assert not known.from_template


def test_stale_routes_are_refreshed_once_and_forgotten_ones_never():
    table = RouteTable()
    for topic in ("T", "U"):
        table.learn(compile_route(topic, TWO))
    table.mark_stale("T")
    table.mark_stale("unknown")
    assert table.plan_refresh(all_topics=False) == ("T",)
    assert table.plan_refresh(all_topics=False) == ()
    assert table.plan_refresh(all_topics=True) == ("T", "U")
    table.forget("T")
    table.forget("T")
    assert table.plan_refresh(all_topics=True) == ("U",)
    table.forget("U")
    assert table.addresses(slaves=True) == ()


def test_the_address_of_a_broker_that_moved_is_taken_from_the_newest_route():
    table = RouteTable()
    here, there = (
        route(QueueData("a", 1, 1, 6), brokers=(broker("a", i0=address),)) for address in ("a:1", "a:9")
    )
    table.learn(compile_route("T", here))
    table.learn(compile_route("U", here))
    table.learn(compile_route("T", there))
    assert table.master("a") == "a:9"


def test_a_topic_that_does_not_exist_yet_is_asked_for_in_each_round():
    table = RouteTable()
    table.learn(compile_route("T", TWO))
    table.expect("T")  # known
    table.expect("R")
    assert table.plan_refresh(all_topics=True) == ("T", "R")
    assert table.plan_refresh(all_topics=False) == ()
    table.learn(compile_route("R", TWO))
    assert table.plan_refresh(all_topics=True) == ("T", "R")
    table.expect("S")
    table.forget("S")
    table.forget("R")
    assert table.plan_refresh(all_topics=True) == ("T",)


def test_a_route_that_lost_brokers_is_incomplete_until_they_are_back():
    table = RouteTable()
    one = route(TWO.queue_datas[1], brokers=(TWO.broker_datas[1],))
    table.learn(compile_route("T", one))
    table.learn(compile_route("T", TWO))
    assert list(table.incomplete) == []
    table.learn(compile_route("T", one))
    assert list(table.incomplete) == ["T"]
    table.learn(compile_route("T", route()))
    assert list(table.incomplete) == ["T"]
    table.learn(compile_route("T", TWO))
    assert list(table.incomplete) == []
    table.learn(compile_route("T", one))
    table.forget("T")
    assert list(table.incomplete) == []


def test_a_real_route_has_lost_nothing_that_the_template_promised():
    table = RouteTable()
    table.learn(template_route("T", TWO))
    table.learn(compile_route("T", route(TWO.queue_datas[1], brokers=(TWO.broker_datas[1],))))
    assert list(table.incomplete) == []
