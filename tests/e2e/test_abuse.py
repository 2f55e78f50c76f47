"""Peers that misbehave, against a real `rmq up`: others are served, memory stays bounded, the log stays readable.

Each kind of abuse is aimed at the broker's port and at the name server's. What the process may grow by follows from
the limits it promises, not from what was measured; what it does beside them, such as Python's own bookkeeping, has
one allowance.
"""

from __future__ import annotations

import random
import resource
import socket
import struct
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.processes import Server, up
from tests.support.raw_client import PULL_MESSAGE, RawClient, encode, pull_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow]

KIB, MIB = 1024, 1024 * 1024
MAX_FRAME = 16 * MIB
MAX_UNSENT = 4 * MIB
PER_CONNECTION = 64 * KIB
ALLOWANCE = 24 * MIB
TOPIC = "normal"
PUT_KV_CONFIG, GET_ROUTE, LIST_KV = 100, 105, 219


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with up(tmp_path / "data") as running:
        assert_serves(running)
        yield running
        assert_serves(running)
        assert "Traceback" not in running.err.text()


@pytest.fixture(params=["broker", "namesrv"])
def target(request: pytest.FixtureRequest, server: Server) -> str:
    address: str = server.ready[request.param]
    return address


def assert_serves(server: Server) -> None:
    """A well-behaved client notices nothing, at either port."""
    with RawClient(server.ready["broker"]) as client:
        assert client.send(TOPIC, b"x").code == 0
        assert client.pull(TOPIC, 0, 0).code == 0
    with RawClient(server.ready["namesrv"]) as client:
        assert client.call(GET_ROUTE, {"topic": TOPIC}).code == 0


def connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def send_all_that_is_taken(victim: socket.socket, data: bytes, *, patience: float = 1) -> int:
    """Write until the peer takes no more for so many seconds, or has closed; how many bytes it took."""
    victim.settimeout(patience)
    taken = 0
    with suppress(OSError):
        while taken < len(data):
            taken += victim.send(data[taken : taken + 256 * KIB])
    return taken


def read_to_the_end(victim: socket.socket) -> None:
    """End one's own half and wait for the peer to end the other; so what it held for the connection is gone."""
    with suppress(OSError):
        victim.shutdown(socket.SHUT_WR)
        victim.settimeout(30)
        while victim.recv(256 * KIB):
            pass


def test_a_thousand_idle_connections(server: Server, target: str) -> None:
    count = 1000
    before = server.resident_bytes()
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(connect(target))
        assert_serves(server)
        grown = server.resident_bytes() - before
    assert grown < count * PER_CONNECTION + ALLOWANCE
    assert server.err.text() == ""


def test_answers_that_nobody_reads(server: Server, target: str) -> None:
    asked = 2000
    with RawClient(target) as client:
        if target == server.ready["broker"]:
            assert client.send("large", b"x" * MIB).code == 0
            code, fields = PULL_MESSAGE, pull_fields("large", 0, 0)
        else:
            for number in range(20):
                value = {"namespace": "large", "key": number, "value": "x" * (MIB // 20)}
                assert client.call(PUT_KV_CONFIG, value).code == 0
            code, fields = LIST_KV, {"namespace": "large"}
        answer = client.call(code, fields)
        assert (answer.code, len(answer.body) // MIB) == (0, 1)
        before = server.resident_bytes()
        with suppress(OSError):  # once it is not read any more
            client.socket.settimeout(1)
            for _ in range(asked):
                client.post(code, fields)
        assert_serves(server)
        grown = server.resident_bytes() - before
    assert grown < MAX_UNSENT + 2 * MIB + ALLOWANCE
    assert server.err.text() == ""


def test_half_a_frame(server: Server, target: str) -> None:
    count = 4
    frame = struct.pack(">II", MAX_FRAME - 4, 100) + b"{" + b" " * (MAX_FRAME - 9)
    before = server.resident_bytes()
    with ExitStack() as stack:
        for _ in range(count):
            half = stack.enter_context(connect(target))
            assert send_all_that_is_taken(half, frame[: MAX_FRAME // 2], patience=30) == MAX_FRAME // 2
        assert_serves(server)
        grown = server.resident_bytes() - before
    assert grown < count * MAX_FRAME + ALLOWANCE
    assert server.err.text() == ""


@pytest.mark.parametrize("kind", ["noise", "frames with an unreadable header", "requests nobody knows"])
def test_a_hundred_megabytes_of_garbage(server: Server, target: str, kind: str) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    if kind == "noise":
        garbage = random.Random(seed).randbytes(MIB)
    elif kind == "requests nobody knows":
        garbage = encode(29_999, {"x": "y" * 1000}) * 900
    else:
        garbage = struct.pack(">II", MIB - 4, 1000) + b"{" * (MIB - 8)
    left = 100 * MIB
    before, peak = server.resident_bytes(), 0
    while left > 0:
        with connect(target) as victim:
            left -= max(send_all_that_is_taken(victim, garbage), KIB)
            read_to_the_end(victim)
        peak = max(peak, server.resident_bytes())
    assert_serves(server)
    assert peak - before < MAX_FRAME + ALLOWANCE
    lines = server.err.text().splitlines()
    assert len(lines) == (0 if kind == "requests nobody knows" else 1)  # not one for each connection
    assert all("the connection" in line for line in lines)


def test_more_connections_than_the_shell_s_limit_on_open_files(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))  # what the child inherits
        try:
            server = stack.enter_context(up(tmp_path / "data"))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for port in ("broker", "namesrv"):
            for _ in range(300):
                stack.enter_context(connect(server.ready[port]))
        assert_serves(server)


def test_more_connections_than_open_files(server: Server, target: str) -> None:
    with RawClient(server.ready["broker"]) as broker, RawClient(server.ready["namesrv"]) as names:
        assert broker.send(TOPIC, b"x").code == 0
        assert names.call(GET_ROUTE, {"topic": TOPIC}).code == 0
        few = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir())) + 20
        _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (few, hard))
        with ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(connect(target))  # those that are not accepted wait in the system's queue
            server.err.wait_for("no connection can be accepted")
            for _ in range(20):
                assert broker.send(TOPIC, b"x").code == 0
                assert names.call(GET_ROUTE, {"topic": TOPIC}).code == 0
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
    assert_serves(server)
    assert len(server.err.text().splitlines()) == 1
