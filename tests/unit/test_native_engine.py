"""The engine without threads, from Python: conversions, and every error that it raises.

What the engine decides is tested in Rust; what is tested here is what crosses the boundary.
"""

import pytest
from tests.support.native_engine import (
    HEARTBEAT,
    NOW,
    SEND_FIELDS,
    SEND_MESSAGE,
    STORE_HOST,
    WALL_MS,
    Now,
    answers,
    engine,
    request,
    result,
    with_topic,
)

from rocketmq_lite import _native
from rocketmq_lite._native import Control


def test_a_send_is_stored_and_answered() -> None:
    opened = engine()
    conn = with_topic(opened)
    opened.receive(conn, request(SEND_MESSAGE, SEND_FIELDS, b"hello"), **NOW)
    [answer] = answers(opened)
    assert (answer.code, answer.opaque, answer.fields["queueOffset"]) == (0, 1, "0")
    assert opened.statistics()["messages_in"] == 1
    assert opened.recovery == {
        "clean": True,
        "scanned_from": 0,
        "records": 0,
        "redispatched": 0,
        "end": 0,
        "cut_bytes": 0,
        "cut_to": None,
        "index_files_removed": 0,
        "lost_queues": [],
        "lost_units": [],
        "unreadable": 0,
    }


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_received_bytes_may_be_any_buffer(kind: type[bytes] | type[bytearray] | type[memoryview]) -> None:
    opened = engine()
    opened.receive(with_topic(opened), kind(request(SEND_MESSAGE, SEND_FIELDS)), **NOW)
    assert [answer.code for answer in answers(opened)] == [0]


def test_text_is_no_buffer() -> None:
    opened = engine()
    with pytest.raises(TypeError):
        opened.receive(1, "text", **NOW)  # type: ignore[arg-type]


def test_a_malformed_frame_closes_its_stream() -> None:
    opened = engine()
    conn = with_topic(opened)
    opened.receive(conn, b"\x40\0\0\0" + bytes(32), **NOW)
    assert [(action, to) for action, to, _ in opened.poll(**NOW)] == [("close", conn)]


def test_a_cold_request_waits_for_its_answer() -> None:
    opened = engine()
    conn = with_topic(opened)
    opened.receive(conn, request(HEARTBEAT, {"k": "v"}, b"{}", opaque=9), **NOW)
    assert answers(opened) == []
    [cold] = opened.take()
    assert (cold.kind, cold.conn, cold.peer, cold.principal) == ("command", conn, "127.0.0.1:40000", "")
    assert cold.token != 0
    assert cold.command is not None
    assert (cold.command.code, cold.command.fields, cold.command.body) == (HEARTBEAT, {"k": "v"}, b"{}")
    opened.submit(0, Control.respond(cold.token, 0, "fine", {"b": "1", "a": "2"}, bytearray(b"body")), **NOW)
    [answer] = answers(opened)
    assert (answer.code, answer.opaque, answer.remark, answer.body) == (0, 9, "fine", b"body")
    assert list(answer.fields.items()) == [("b", "1"), ("a", "2")]
    opened.closed(conn, **NOW)
    opened.poll(**NOW)
    [gone] = opened.take()
    assert (gone.kind, gone.conn) == ("closed", conn)


def test_a_one_way_cold_request_has_no_token() -> None:
    opened = engine()
    opened.receive(with_topic(opened), request(HEARTBEAT, {}, oneway=True), **NOW)
    opened.poll(**NOW)
    assert [cold.token for cold in opened.take()] == [0]


def test_a_missing_topic_is_created_or_refused() -> None:
    opened = engine()
    conn = opened.open("::1", 40_000, **NOW)
    for name in ("New", "Not"):
        opened.receive(conn, request(SEND_MESSAGE, SEND_FIELDS | {"topic": name}), **NOW)
    assert answers(opened) == []
    new, no = opened.take()
    assert (new.kind, new.name, new.default_topic, new.queue_nums, new.unit) == (
        "missing_topic",
        "New",
        "TBW102",
        4,
        False,
    )
    opened.submit(0, Control.put_topic("New", read_queues=4, write_queues=4), **NOW)
    opened.submit(0, Control.retry("topic", "New"), **NOW)
    opened.submit(0, Control.refuse("topic", no.name, 17, "no such topic"), **NOW)
    assert {(answer.code, answer.remark) for answer in answers(opened)} >= {(17, "no such topic")}
    assert opened.statistics()["messages_in"] == 1


def test_controls_give_values() -> None:
    opened = engine()
    conn = with_topic(opened)
    opened.receive(conn, request(SEND_MESSAGE, SEND_FIELDS), **NOW)
    answers(opened)
    rows = [("T", "G", 0, 5), ("T", "G", 1, 7)]
    assert result(opened, Control.load_offsets(rows)).value is None
    assert result(opened, Control.offsets()).value == rows
    assert result(opened, Control.remove_offsets(topic="T", group="G")).value is None
    assert result(opened, Control.offsets()).value == []
    assert result(opened, Control.bounds("T", [0, 3])).value == [(0, 0, 1), (3, 0, 0)]
    assert result(opened, Control.reset_offsets("T", "G", [(0, 1)])).value is None
    assert result(opened, Control.offsets()).value == [("T", "G", 0, 1)]
    assert result(opened, Control.search_time("T", 0, NOW["wall_ms"])).value == 0
    assert result(opened, Control.search_time("T", 0, NOW["wall_ms"] + 1)).value == 1
    assert result(opened, Control.store_time("T", 0, 0)).value == NOW["wall_ms"]
    assert result(opened, Control.store_time("T", 0, 1)).value == -1
    record = result(opened, Control.record(0)).value
    assert isinstance(record, bytes)
    assert [message.topic for message in _native.MessageBatch(record)] == ["T"]
    assert result(opened, Control.record(1)).value is None
    assert result(opened, Control.skips("G")).value == []
    statistics = result(opened, Control.statistics()).value
    assert statistics == opened.statistics()
    assert result(opened, Control.close_connection(conn)).value is True
    assert result(opened, Control.push(conn, 40)).value is False
    assert result(opened, Control.stop()).value is None


def test_every_table_takes_its_entries() -> None:
    opened = engine()
    for control in (
        Control.put_topic(
            "T", read_queues=1, write_queues=2, permission=4, sys_flag=1, order=True, multi_tag=True
        ),
        Control.put_group("G", consume_enable=False, broadcast_enable=False, retry_max_times=3, sys_flag=1),
        Control.put_subscriptions("G", broadcasting=True, entries=[("T", "TAG", "a || b", 5)]),
        Control.remove_subscriptions("G"),
        Control.set_orderly("G", orderly=True),
        Control.remove_group("G", clean_offsets=True),
        Control.remove_topic("T"),
        Control.set_accept_writes(False),
    ):
        assert result(opened, control).text == ""
    assert (opened.statistics()["topics"], opened.statistics()["groups"]) == (0, 0)


def test_take_gives_as_many_as_asked_for() -> None:
    opened = engine()
    for token in range(1, 6):
        opened.submit(token, Control.statistics(), **NOW)
    opened.poll(**NOW)
    assert [[cold.token for cold in opened.take(2)] for _ in range(4)] == [[1, 2], [3, 4], [5], []]


def test_objects_show_what_they_are() -> None:
    opened = engine()
    assert repr(Control.retry("topic", "T")) == 'Control.Retry { kind: Topic, name: "T" }'
    assert repr(result(opened, Control.offsets())) == '<Cold done conn=0 token=7 name="" text="">'


def test_deadlines_come_from_the_engine() -> None:
    opened = engine()
    assert opened.next_deadline() is None
    opened.open("127.0.0.1", 1, **NOW)
    assert opened.next_deadline() == 120_000
    later: Now = {"wall_ms": WALL_MS, "mono_ms": 120_000}
    opened.tick(**later)
    assert [action for action, _, _ in opened.poll(**later)] == ["close"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"store_host": "localhost:10911"}, "write a numeric one with its port"),
        ({"store_host": "127.0.0.1"}, "is no address"),
        ({"flush": "never"}, 'flush is "async" or "sync", not "never"'),
    ],
)
def test_settings_that_mean_nothing(wrong: dict[str, str], says: str) -> None:
    settings = {"broker_name": "b", "cluster": "c", "store_host": STORE_HOST} | wrong
    with pytest.raises(ValueError, match=says):
        _native.Opening(**settings)  # type: ignore[arg-type]


def test_arguments_that_mean_nothing() -> None:
    with pytest.raises(ValueError, match='kind is "topic" or "group", not "queue"'):
        Control.retry("queue", "T")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='"localhost" is no numeric address of a peer'):
        engine().open("localhost", 1, **NOW)
    with pytest.raises(OverflowError):
        engine().open("127.0.0.1", 65_536, **NOW)
