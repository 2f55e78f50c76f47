"""The engine half of `_native` from Python: conversions, both owners, and every error they raise.

What the engine decides is tested in Rust; what is tested here is what crosses the boundary. The reactor is the one thing
here with sockets and files: it has nothing else to show.
"""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import pytest

from rocketmq_lite import _native
from rocketmq_lite._native import Control

WALL_MS = 1_700_000_000_000
STORE_HOST = "127.0.0.1:10911"
SEGMENT = 65_536
SEND_MESSAGE, HEARTBEAT, SEND_FIELDS = (
    10,
    34,
    {
        "producerGroup": "P",
        "topic": "T",
        "defaultTopic": "TBW102",
        "defaultTopicQueueNums": "4",
        "queueId": "0",
        "sysFlag": "0",
        "bornTimestamp": str(WALL_MS),
        "flag": "0",
        "properties": "",
        "unitMode": "false",
    },
)


class Now(TypedDict):
    wall_ms: int
    mono_ms: int


NOW: Now = {"wall_ms": WALL_MS, "mono_ms": 0}


def opening(
    root: Path | None = None, *, segment_size: int = SEGMENT, store_host: str = STORE_HOST
) -> _native.Opening:
    return _native.Opening(
        broker_name="broker-a", cluster="C", store_host=store_host, root=root, segment_size=segment_size
    )


def engine(root: Path | None = None, segment_size: int = SEGMENT) -> _native.Engine:
    return _native.Engine(opening(root, segment_size=segment_size), **NOW)


def with_topic(opened: _native.Engine) -> int:
    """A connection to an engine that has topic T."""
    opened.submit(0, Control.put_topic("T", read_queues=4, write_queues=4), **NOW)
    return opened.open("127.0.0.1", 40_000, **NOW)


def request(
    code: int, fields: dict[str, str], body: bytes = b"body", *, opaque: int = 1, oneway: bool = False
) -> bytes:
    flag = 2 if oneway else 0
    return _native.encode_command(code, opaque, flag, "PYTHON", 479, None, fields, body, "ROCKETMQ")


def answers(opened: _native.Engine) -> list[_native.RawCommand]:
    """What the engine sends, reported as sent."""
    decoder, found = _native.FrameDecoder(), []
    for action, conn, data in opened.poll(**NOW):
        assert action == "send"
        opened.sent(conn, len(data), **NOW)
        found += decoder.feed(data)
    return found


def result(opened: _native.Engine, control: Control) -> _native.Cold:
    opened.submit(7, control, **NOW)
    opened.poll(**NOW)
    [cold] = opened.take()
    assert (cold.kind, cold.token) == ("done", 7)
    return cold


# --- the engine without threads


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


# --- a directory


def stored(root: Path) -> None:
    """A directory with one message, closed in order."""
    opened = engine(root)
    opened.receive(with_topic(opened), request(SEND_MESSAGE, SEND_FIELDS, b"kept"), **NOW)
    answers(opened)
    assert result(opened, Control.stop()).text == ""


def test_a_directory_is_found_again(tmp_path: Path) -> None:
    stored(tmp_path)
    again = engine(tmp_path)
    assert again.recovery["clean"] is True
    # Closed in order: nothing has to be read again, the log ends behind the one record.
    assert (again.recovery["scanned_from"], again.recovery["records"]) == (again.recovery["end"], 0)
    assert again.recovery["end"] == again.statistics()["log_end"] != 0
    assert result(again, Control.bounds("T", [0])).value == [(0, 0, 1)]


def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    first = engine(tmp_path)
    with pytest.raises(
        _native.StoreError, match=r"in use by another broker.*another data directory"
    ) as caught:
        engine(tmp_path)
    error = caught.value
    assert (error.kind, error.path) == ("locked", str(tmp_path / "lock"))
    assert (error.offset, error.expected, error.found) == (None, None, None)
    del first
    engine(tmp_path)


def test_another_segment_size_is_refused(tmp_path: Path) -> None:
    stored(tmp_path)
    with pytest.raises(
        _native.StoreError, match="open the store with the segment size it was written with"
    ) as caught:
        engine(tmp_path, segment_size=2 * SEGMENT)
    error = caught.value
    assert (error.kind, error.expected, error.found) == ("segment_length", 2 * SEGMENT, SEGMENT)
    assert error.path == str(tmp_path / "commitlog" / "0".zfill(20))


def test_damage_says_where_it_is(tmp_path: Path) -> None:
    stored(tmp_path)
    log = tmp_path / "commitlog" / "0".zfill(20)
    with log.open("r+b") as file:
        file.seek(4)
        file.write(b"\0\0\0\7")  # where a record has its magic number
    with pytest.raises(_native.StoreError, match=r"is damaged at \d+:.* restore the directory") as caught:
        engine(tmp_path)
    error = caught.value
    assert (error.kind, error.path, error.offset) == ("damaged", str(log), 0)
    assert (error.expected, error.found) == (0xDAA320A7, 7)


def test_a_root_that_is_no_directory_is_an_io_error(tmp_path: Path) -> None:
    root = tmp_path / "file"
    root.touch()
    with pytest.raises(
        _native.StoreError, match=r"cannot create .*check that the directory exists"
    ) as caught:
        engine(root)
    assert (caught.value.kind, caught.value.path) == ("io", str(root))


def test_a_stop_that_fails_says_why(tmp_path: Path) -> None:
    opened = engine(tmp_path)
    (tmp_path / "abort").unlink()
    opened.submit(7, Control.stop(), **NOW)
    opened.poll(**NOW)
    log, done = opened.take()
    assert (log.kind, log.level, done.kind, done.value) == ("log", "error", "done", None)
    assert "cannot remove" in log.text
    assert "cannot remove" in done.text


# --- the reactor


@pytest.fixture
def wake() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    with ours, theirs:
        yield ours, theirs


Wake = tuple[socket.socket, socket.socket]


def reactor(root: Path, wake_fd: int, store_host: str = STORE_HOST) -> _native.Reactor:
    return _native.Reactor(
        opening(root, store_host=store_host), wake_fd=wake_fd, max_connections=10, tls=_native.Tls("disabled")
    )


def send(address: tuple[str, int], fields: dict[str, str]) -> int:
    """Send one message over TCP; the code of the answer."""
    decoder = _native.FrameDecoder()
    with socket.create_connection(address, timeout=20) as stream:
        stream.sendall(request(SEND_MESSAGE, fields, b"over TCP"))
        while not (found := decoder.feed(stream.recv(65_536))):
            pass
    return found[0].code


def test_a_reactor_serves_wakes_and_closes(tmp_path: Path, wake: Wake) -> None:
    ours, theirs = wake
    running = reactor(tmp_path, theirs.fileno())
    theirs.close()
    assert running.recovery["clean"] is True
    address = running.listen("127.0.0.1", 0)
    assert running.listen("localhost", 0)[1] not in (0, address[1])
    running.submit(5, Control.put_topic("T", read_queues=4, write_queues=4))
    assert ours.recv(64) == b"\x01"
    [cold] = running.take()
    assert (cold.kind, cold.token) == ("done", 5)
    assert send(address, SEND_FIELDS) == 0
    statistics = running.statistics()
    assert statistics["accepted"] == 1
    assert set(statistics) == {
        "connections",
        "accepted",
        "refused",
        "accept_failures",
        "bytes_received",
        "bytes_sent",
        "wakeups",
        "events_waiting",
    }
    running.close(20_000)
    running.close(20_000)
    assert not (tmp_path / "abort").exists()
    with pytest.raises(RuntimeError, match="the reactor is closed: nothing can be submitted"):
        running.submit(0, Control.offsets())
    with pytest.raises(RuntimeError, match="the reactor is closed"):
        running.listen("127.0.0.1", 0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_a_port_in_use_has_its_number_and_address(tmp_path: Path, wake: Wake) -> None:
    running = reactor(tmp_path, wake[1].fileno())
    host, port = running.listen("127.0.0.1", 0)
    with pytest.raises(OSError, match="Address already in use") as caught:
        running.listen(host, port)
    assert (caught.value.errno, caught.value.filename) == (errno.EADDRINUSE, f"127.0.0.1:{port}")
    running.close(20_000)


def test_an_address_of_nobody_is_an_os_error(tmp_path: Path, wake: Wake) -> None:
    running = reactor(tmp_path, wake[1].fileno())
    with pytest.raises(OSError, match=r"^a\.\.b:0: "):
        running.listen("a..b", 0)
    running.close(20_000)


def test_a_wake_descriptor_has_to_be_an_open_socket(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(OSError, match="Socket operation on non-socket") as caught:
        reactor(tmp_path / "one", descriptor)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOTSOCK, f"wake_fd {descriptor}")
    os.close(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        reactor(tmp_path / "two", descriptor)
    assert caught.value.errno == errno.EBADF


def test_a_reactor_refuses_what_an_engine_refuses(tmp_path: Path, wake: Wake) -> None:
    with pytest.raises(ValueError, match="is no address"):
        reactor(tmp_path, wake[1].fileno(), store_host="broker:1")
    first = engine(tmp_path)
    with pytest.raises(_native.StoreError) as caught:
        reactor(tmp_path, wake[1].fileno())
    assert caught.value.kind == "locked"
    del first


def test_a_store_that_does_not_close_is_an_error_each_time(tmp_path: Path, wake: Wake) -> None:
    running = reactor(tmp_path, wake[1].fileno())
    (tmp_path / "abort").unlink()
    for _ in range(2):
        with pytest.raises(
            _native.StoreError, match=r"cannot remove .*abort.*the next start will recover it"
        ) as caught:
            running.close(20_000)
        assert (caught.value.kind, caught.value.path) == ("close", None)


@pytest.mark.slow
def test_a_disk_that_hangs_is_not_waited_for(tmp_path: Path, wake: Wake) -> None:
    running = reactor(tmp_path, wake[1].fileno())
    running.submit(1, Control.put_topic("T", read_queues=4, write_queues=4))
    assert send(running.listen("127.0.0.1", 0), SEND_FIELDS) == 0
    # Closing syncs the queue's directory, and opening a pipe for that waits for a writer.
    queue = tmp_path / "consumequeue" / "T" / "0"
    queue.rename(tmp_path / "away")
    os.mkfifo(queue)
    with pytest.raises(
        TimeoutError, match="did not stop within 50 ms; the next start will recover its store"
    ):
        running.close(50)
    with queue.open("wb"):
        pass


def test_an_interpreter_ends_with_a_reactor_running(tmp_path: Path) -> None:
    script = (
        "import socket, sys\n"
        "from rocketmq_lite import _native\n"
        "ours, theirs = socket.socketpair()\n"
        "opening = _native.Opening(broker_name='b', cluster='c', store_host='127.0.0.1:1', root=sys.argv[1],\n"
        "                           segment_size=65536)\n"
        "tls = _native.Tls('disabled')\n"
        "running = _native.Reactor(opening, wake_fd=theirs.fileno(), max_connections=10, tls=tls)\n"
        "running.listen('127.0.0.1', 0)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], timeout=30, check=True, capture_output=True
    )
    assert ended.stderr == b""


def test_tls_settings_that_cannot_be_say_why() -> None:
    certificate, key = _native.self_made_certificate()
    other, _ = _native.self_made_certificate()
    _native.Tls("enforcing", certificate=certificate, key=key, client_auth="require", trust=other)
    for wrong, words in (
        ({"mode": "strict"}, "disabled"),
        ({"mode": "permissive", "certificate": certificate}, "come together"),
        ({"mode": "permissive", "certificate": other, "key": key}, "do not go together"),
        ({"mode": "permissive", "certificate": b"", "key": key}, "certificate is not usable"),
        ({"mode": "permissive", "client_auth": "require"}, "vouch"),
        ({"mode": "permissive", "client_auth": "perhaps"}, "optional"),
    ):
        with pytest.raises(ValueError, match=words):
            _native.Tls(**wrong)
