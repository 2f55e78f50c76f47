"""The reactor from Python: the one thing of the extension that has nothing else to show than sockets and files."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.native_engine import SEND_FIELDS, SEND_MESSAGE, STORE_HOST, engine, opening, request

from rocketmq_lite import _native
from rocketmq_lite._native import Control


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
