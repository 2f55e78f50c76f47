"""The name server on a network, asked with raw frames that Apache's peers sent."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing

from rocketmq_lite.clock import TrioClock
from rocketmq_lite.config import NameServerSettings
from rocketmq_lite.errors import StoreDamaged
from rocketmq_lite.nameserver.server import serve
from rocketmq_lite.protocol.bodies import RegisterBrokerBody, TopicConfig
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.framing import CommandDecoder, encode_command, to_command
from rocketmq_lite.protocol.headers.route import RegisterBrokerRequestHeader
from rocketmq_lite.testing.network import MemoryNetwork

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GOLDEN = {
    frame["name"]: bytes.fromhex(frame["hex"])
    for frame in json.loads((Path(__file__).parents[2] / "data" / "golden-frames.json").read_text())
}


class NameServer:
    """A running name server; cancelling its scope is its end."""

    def __init__(self, settings: NameServerSettings) -> None:
        self.network = MemoryNetwork()
        self.settings = settings
        self.scope = trio.CancelScope()
        self.address = ""

    async def start(self, nursery: trio.Nursery) -> NameServer:
        self.address = await nursery.start(self.run)
        return self

    async def run(self, task_status: trio.TaskStatus[str]) -> None:
        with self.scope:
            await serve(
                self.network,
                host="127.0.0.1",
                port=0,
                clock=TrioClock(),
                settings=self.settings,
                task_status=task_status,
            )

    async def connect(self) -> trio.abc.Stream:
        return await self.network.dial(self.address)


@pytest.fixture
async def server(nursery: trio.Nursery) -> AsyncIterator[NameServer]:
    server = await NameServer(NameServerSettings()).start(nursery)
    yield server
    server.scope.cancel()


async def ask(stream: trio.abc.Stream, frame: bytes) -> Command:
    await stream.send_all(frame)
    decoder = CommandDecoder()
    while True:
        data = await stream.receive_some()
        assert data, "the name server closed the connection"
        for command in decoder.feed(data):
            return to_command(command)


@pytest.mark.parametrize(
    "name", ["register.plain.request", "register.compressed.request", "java.register.compressed"]
)
async def test_registrations_recorded_from_apache(server: NameServer, name: str) -> None:
    async with await server.connect() as stream:
        answer = await ask(stream, GOLDEN[name])
        assert answer.code == 0, answer.remark
        topics = await ask(stream, encode_command(Command(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER)))
        assert len(json.loads(topics.body)["topicList"]) >= 2


async def test_both_dialects_of_a_route(server: NameServer) -> None:
    async with await server.connect() as stream:
        await ask(stream, GOLDEN["register.plain.request"])
        new = Command(RequestCode.GET_ROUTEINFO_BY_TOPIC, fields={"topic": "FakeT1"})
        standard = await ask(stream, encode_command(new))
        assert b'"brokerAddrs":{"0":"127.0.0.1:30001"}' in standard.body
        assert set(json.loads(standard.body)) == {"brokerDatas", "filterServerTable", "queueDatas"}
        old = Command(RequestCode.GET_ROUTEINFO_BY_TOPIC, version=317, fields={"topic": "FakeT1"})
        classic = await ask(stream, encode_command(old))
        assert b'"brokerAddrs":{0:"127.0.0.1:30001"}' in classic.body
        assert classic.body.replace(b"{0:", b'{"0":') == standard.body


async def test_unknown_topic_and_unknown_code(server: NameServer) -> None:
    async with await server.connect() as stream:
        missing = await ask(stream, GOLDEN["route.json.request"])
        assert missing.code == ResponseCode.TOPIC_NOT_EXIST
        assert (missing.remark or "").startswith("No topic route info in name server for the topic: TBW102")
        unknown = await ask(stream, encode_command(Command(9999)))
        assert (unknown.code, unknown.remark) == (3, " request type 9999 not supported")


async def test_a_wrong_checksum_is_refused(server: NameServer) -> None:
    frame = bytearray(GOLDEN["register.plain.request"])
    frame[-3] ^= 1
    async with await server.connect() as stream:
        answer = await ask(stream, bytes(frame))
        assert (answer.code, answer.remark) == (1, "crc32 not match")


async def test_a_closed_connection_removes_the_broker_at_once(server: NameServer) -> None:
    async with await server.connect() as watcher:
        async with await server.connect() as broker:
            await ask(broker, GOLDEN["register.plain.request"])
        request = encode_command(Command(RequestCode.GET_ROUTEINFO_BY_TOPIC, fields={"topic": "FakeT1"}))
        with trio.fail_after(5):
            while (await ask(watcher, request)).code == 0:
                await trio.testing.wait_all_tasks_blocked()


async def test_malformed_bytes_close_only_their_connection(server: NameServer) -> None:
    async with await server.connect() as good, await server.connect() as bad:
        await bad.send_all(struct.pack(">I", 1 << 30))
        assert await bad.receive_some() == b""
        assert (await ask(good, GOLDEN["route.json.request"])).code == ResponseCode.TOPIC_NOT_EXIST


async def test_a_silent_broker_goes_at_the_next_scan(
    server: NameServer, autojump_clock: trio.testing.MockClock
) -> None:
    header = RegisterBrokerRequestHeader(
        "a", "10.0.0.1:1", "C", "10.0.0.1:2", 0, heartbeat_timeout_millis=10_000
    )
    topics = {name: TopicConfig(name) for name in ("T", "U")}
    register = Command(
        RequestCode.REGISTER_BROKER,
        fields=header.to_fields(),
        body=RegisterBrokerBody(topics=topics).encode(),
    )
    route = encode_command(Command(RequestCode.GET_ROUTEINFO_BY_TOPIC, fields={"topic": "T"}))
    async with await server.connect() as broker, await server.connect() as client:
        await trio.sleep(1)
        assert (await ask(broker, encode_command(register))).code == 0
        await trio.sleep(10)
        assert (await ask(client, route)).code == 0
        await trio.sleep(5)
        assert (await ask(client, route)).code == ResponseCode.TOPIC_NOT_EXIST


async def test_a_connection_that_idles_out_takes_its_broker_along(
    server: NameServer, autojump_clock: trio.testing.MockClock
) -> None:
    async with await server.connect() as broker:
        await ask(broker, GOLDEN["register.plain.request"])
        await trio.sleep(121)
        assert await broker.receive_some() == b""
    async with await server.connect() as client:
        topics = await ask(client, encode_command(Command(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER)))
        assert json.loads(topics.body) == {"topicList": []}


async def kv(server: NameServer, code: int, **fields: str) -> Command:
    async with await server.connect() as stream:
        return await ask(stream, encode_command(Command(code, fields=fields)))


async def test_kv_configuration_survives_a_restart(nursery: trio.Nursery, tmp_path: Path) -> None:
    settings = NameServerSettings(data=tmp_path / "namesrv")
    first = await NameServer(settings).start(nursery)
    for key in ("k", "l"):
        assert (await kv(first, RequestCode.PUT_KV_CONFIG, namespace="N", key=key, value="\u00e9")).code == 0
    assert (await kv(first, RequestCode.DELETE_KV_CONFIG, namespace="N", key="l")).code == 0
    first.scope.cancel()
    text = (tmp_path / "namesrv" / "kvConfig.json").read_text(encoding="utf-8")
    assert json.loads(text)["configTable"] == {"N": {"k": "\u00e9"}}
    second = await NameServer(settings).start(nursery)
    found = await kv(second, RequestCode.GET_KV_CONFIG, namespace="N", key="k")
    assert found.fields == {"value": "\u00e9"}
    second.scope.cancel()
    assert {each.name for each in (tmp_path / "namesrv").iterdir()} == {"kvConfig.json", "kvConfig.json.bak"}


@pytest.mark.parametrize("content", [b"[]", b'{"configTable":3}', b'{"configTable":{"N":1}}', b"\xff"])
async def test_a_damaged_kv_file_is_set_aside_for_its_backup(
    nursery: trio.Nursery, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "kvConfig.json").write_bytes(content)
    (tmp_path / "kvConfig.json.bak").write_text('{"configTable":{"N":{"k":"v"}}}')
    server = await NameServer(NameServerSettings(data=tmp_path)).start(nursery)
    assert (await kv(server, RequestCode.GET_KV_CONFIG, namespace="N", key="k")).fields == {"value": "v"}
    assert (tmp_path / "kvConfig.json.damaged").read_bytes() == content
    server.scope.cancel()


async def test_a_damaged_kv_file_with_a_damaged_backup_is_named(tmp_path: Path) -> None:
    for name in ("kvConfig.json", "kvConfig.json.bak"):
        (tmp_path / name).write_text("[]")
    with pytest.raises(StoreDamaged, match=r"kvConfig\.json"):
        await serve(
            MemoryNetwork(),
            host="127.0.0.1",
            port=0,
            clock=TrioClock(),
            settings=NameServerSettings(data=tmp_path),
        )
