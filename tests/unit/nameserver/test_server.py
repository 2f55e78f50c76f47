"""The name server over TCP, asked with raw frames that Apache's peers sent."""

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
from rocketmq_lite.nameserver.server import serve
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.framing import CommandDecoder, encode_command
from rocketmq_lite.transport.network import TcpNetwork

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GOLDEN = {
    frame["name"]: bytes.fromhex(frame["hex"])
    for frame in json.loads((Path(__file__).parents[2] / "data" / "golden-frames.json").read_text())
}


@pytest.fixture
async def address(nursery: trio.Nursery, tmp_path: Path) -> AsyncIterator[str]:
    yield await nursery.start(
        lambda task_status: serve(
            TcpNetwork(),
            host="127.0.0.1",
            port=0,
            clock=TrioClock(),
            settings=NameServerSettings(data=tmp_path),
            task_status=task_status,
        )
    )
    nursery.cancel_scope.cancel()


async def ask(stream: trio.SocketStream, frame: bytes) -> Command:
    await stream.send_all(frame)
    decoder = CommandDecoder()
    while True:
        data = await stream.receive_some()
        assert data, "the name server closed the connection"
        for command in decoder.feed(data):
            return command


async def connect(address: str) -> trio.SocketStream:
    host, _, port = address.rpartition(":")
    return await trio.open_tcp_stream(host, int(port))


@pytest.mark.parametrize(
    "name", ["register.plain.request", "register.compressed.request", "java.register.compressed"]
)
async def test_registrations_recorded_from_apache(address: str, name: str) -> None:
    async with await connect(address) as stream:
        answer = await ask(stream, GOLDEN[name])
        assert answer.code == 0, answer.remark
        topics = await ask(stream, encode_command(Command(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER)))
        assert len(json.loads(topics.body)["topicList"]) >= 2


async def test_both_dialects_of_a_route(address: str) -> None:
    async with await connect(address) as stream:
        await ask(stream, GOLDEN["register.plain.request"])
        new = Command(RequestCode.GET_ROUTEINFO_BY_TOPIC, fields={"topic": "FakeT1"})
        standard = await ask(stream, encode_command(new))
        assert b'"brokerAddrs":{"0":"127.0.0.1:30001"}' in standard.body
        assert set(json.loads(standard.body)) == {"brokerDatas", "filterServerTable", "queueDatas"}
        old = Command(RequestCode.GET_ROUTEINFO_BY_TOPIC, version=317, fields={"topic": "FakeT1"})
        classic = await ask(stream, encode_command(old))
        assert b'"brokerAddrs":{0:"127.0.0.1:30001"}' in classic.body
        assert classic.body.replace(b"{0:", b'{"0":') == standard.body


async def test_unknown_topic_and_unknown_code(address: str) -> None:
    async with await connect(address) as stream:
        missing = await ask(stream, GOLDEN["route.json.request"])
        assert missing.code == ResponseCode.TOPIC_NOT_EXIST
        assert (missing.remark or "").startswith("No topic route info in name server for the topic: TBW102")
        unknown = await ask(stream, encode_command(Command(9999)))
        assert (unknown.code, unknown.remark) == (3, " request type 9999 not supported")


async def test_a_wrong_checksum_is_refused(address: str) -> None:
    frame = bytearray(GOLDEN["register.plain.request"])
    frame[-3] ^= 1
    async with await connect(address) as stream:
        answer = await ask(stream, bytes(frame))
        assert (answer.code, answer.remark) == (1, "crc32 not match")


async def test_a_closed_connection_removes_the_broker_at_once(address: str) -> None:
    async with await connect(address) as watcher:
        async with await connect(address) as broker:
            await ask(broker, GOLDEN["register.plain.request"])
        request = encode_command(Command(RequestCode.GET_ROUTEINFO_BY_TOPIC, fields={"topic": "FakeT1"}))
        with trio.fail_after(5):
            while (await ask(watcher, request)).code == 0:
                await trio.testing.wait_all_tasks_blocked()


async def test_malformed_bytes_close_only_their_connection(address: str) -> None:
    async with await connect(address) as good, await connect(address) as bad:
        await bad.send_all(struct.pack(">I", 1 << 30))
        assert await bad.receive_some() == b""
        assert (await ask(good, GOLDEN["route.json.request"])).code == ResponseCode.TOPIC_NOT_EXIST


async def test_kv_configuration_survives_a_restart(nursery: trio.Nursery, tmp_path: Path) -> None:
    async def start() -> tuple[str, trio.CancelScope]:
        scope = trio.CancelScope()

        async def run(task_status: trio.TaskStatus[str]) -> None:
            with scope:
                await serve(
                    TcpNetwork(),
                    host="127.0.0.1",
                    port=0,
                    clock=TrioClock(),
                    settings=NameServerSettings(data=tmp_path),
                    task_status=task_status,
                )

        return await nursery.start(run), scope

    address, scope = await start()
    async with await connect(address) as stream:
        fields = {"namespace": "N", "key": "k", "value": "v"}
        assert (
            await ask(stream, encode_command(Command(RequestCode.PUT_KV_CONFIG, fields=fields)))
        ).code == 0
    scope.cancel()
    address, scope = await start()
    async with await connect(address) as stream:
        get = Command(RequestCode.GET_KV_CONFIG, fields={"namespace": "N", "key": "k"})
        assert (await ask(stream, encode_command(get))).fields == {"value": "v"}
        other = Command(RequestCode.GET_KV_CONFIG, fields={"namespace": "N", "key": "other"})
        assert (await ask(stream, encode_command(other))).code == ResponseCode.QUERY_NOT_FOUND
        empty = Command(RequestCode.DELETE_KV_CONFIG, fields={"namespace": "N", "key": "k"})
        assert (await ask(stream, encode_command(empty))).code == 0
        listed = Command(RequestCode.GET_KVLIST_BY_NAMESPACE, fields={"namespace": "N"})
        assert json.loads((await ask(stream, encode_command(listed))).body) == {"table": {}}
    scope.cancel()
