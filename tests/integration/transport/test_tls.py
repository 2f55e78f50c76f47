"""TLS on Trio streams: what a listener takes in each mode, whom a client trusts, and which files are refused."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING

import pytest
import trio
from tests.support import certificates

from rocketmq_lite.clock import SystemClock
from rocketmq_lite.config import TlsSettings
from rocketmq_lite.errors import ConfigError, ConnectError, RocketMQError
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.transport.network import TcpNetwork
from rocketmq_lite.transport.rpc import open_pool
from rocketmq_lite.transport.server import Peer, serve
from rocketmq_lite.transport.tls import broker_context, client_context, own_context
from rocketmq_lite.transport.tls_listener import TlsListener

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.certificates import Certificates


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.made(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def enforcing(files: Certificates) -> TlsSettings:
    return TlsSettings("enforcing", certificate=files.server, key=files.server_key)


async def echo(peer: Peer, request: Command) -> Command:
    return request.answer(remark=peer.address, body=request.body)


async def serving(nursery: trio.Nursery, settings: TlsSettings) -> str:
    listener = TlsListener(await TcpNetwork().listen("127.0.0.1", 0), settings)
    address: str = await nursery.start(serve, listener, echo)
    return address


async def call(address: str, tls: ssl.SSLContext | None, body: bytes = b"x" * 100_000) -> Command:
    async with open_pool(TcpNetwork(tls), SystemClock()) as pool:
        answer = await pool.call(address, Command(1, body=body))
        assert answer.body == body
        return answer


def trusting_anybody() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def test_permissive_takes_both_kinds_on_one_port(nursery: trio.Nursery, files: Certificates) -> None:
    address = await serving(nursery, TlsSettings(certificate=files.server, key=files.server_key))
    for tls in (client_context(files.authority), None):
        answer = await call(address, tls)
        assert answer.remark is not None
        assert answer.remark.startswith("127.0.0.1:"), "it knows whom it talks to"


async def test_without_a_certificate_one_is_made(nursery: trio.Nursery) -> None:
    address = await serving(nursery, TlsSettings())
    await call(address, trusting_anybody())
    with pytest.raises(ConnectError, match="not trusted") as caught:
        await call(address, client_context())
    assert "--tls-ca" in caught.value.hint


async def test_enforcing_takes_tls_only(
    nursery: trio.Nursery, files: Certificates, enforcing: TlsSettings, caplog: pytest.LogCaptureFixture
) -> None:
    address = await serving(nursery, enforcing)
    await call(address, client_context(files.authority))
    with caplog.at_level(logging.WARNING), pytest.raises(RocketMQError):
        await call(address, None)
    assert "takes TLS only" in caplog.text


async def test_disabled_takes_plain_only(nursery: trio.Nursery, caplog: pytest.LogCaptureFixture) -> None:
    address = await serving(nursery, TlsSettings("disabled"))
    await call(address, None)
    with caplog.at_level(logging.WARNING), pytest.raises(ConnectError, match="TLS handshake failed"):
        await call(address, trusting_anybody())
    assert "does not speak" in caplog.text


async def test_clients_that_have_to_show_a_certificate(
    nursery: trio.Nursery, files: Certificates, enforcing: TlsSettings
) -> None:
    demanding = TlsSettings(
        "enforcing",
        certificate=files.server,
        key=files.server_key,
        client_auth="require",
        trust=files.authority,
    )
    address = await serving(nursery, demanding)
    with pytest.raises(RocketMQError):
        await call(address, client_context(files.authority))
    known = client_context(files.authority)
    known.load_cert_chain(files.client, files.client_key)
    await call(address, known)
    await call(address, broker_context(demanding))  # a broker shows its own


async def test_a_broker_beside_its_name_server_trusts_their_certificate(
    nursery: trio.Nursery, enforcing: TlsSettings
) -> None:
    await call(await serving(nursery, enforcing), own_context(enforcing))
    assert own_context(TlsSettings()) is None
    assert broker_context(TlsSettings()) is None


async def test_a_certificate_for_another_host_is_not_trusted(
    nursery: trio.Nursery, files: Certificates
) -> None:
    made_up = TlsSettings(certificate=files.client, key=files.client_key)
    with pytest.raises(ConnectError, match="not trusted"):
        await call(await serving(nursery, made_up), client_context(files.authority))


async def test_garbage_instead_of_a_handshake_closes_that_connection_only(
    nursery: trio.Nursery, caplog: pytest.LogCaptureFixture
) -> None:
    address = await serving(nursery, TlsSettings())
    with caplog.at_level(logging.WARNING):
        async with await TcpNetwork().dial(address) as stream:
            await stream.send_all(b"\x16" * 600)
            while await stream.receive_some():
                pass
    assert "the TLS handshake failed" in caplog.text
    await call(address, None)


async def test_a_server_that_does_not_answer_the_handshake(nursery: trio.Nursery) -> None:
    async def hang_up(stream: trio.abc.Stream) -> None:
        await stream.aclose()

    listener = await TcpNetwork().listen("127.0.0.1", 0)
    nursery.start_soon(trio.serve_listeners, hang_up, [listener])
    with pytest.raises(ConnectError, match="TLS handshake failed") as caught:
        await TcpNetwork(client_context()).dial(listener.address)
    assert "does the server speak TLS" in caught.value.hint


@pytest.mark.parametrize("name", ["missing.pem", "empty.pem"])
async def test_files_that_cannot_be_used(tmp_path: Path, files: Certificates, name: str) -> None:
    (tmp_path / "empty.pem").touch()
    bad = tmp_path / name
    async with await TcpNetwork().listen("127.0.0.1", 0) as listener:
        for settings in (
            TlsSettings(certificate=bad, key=files.server_key),
            TlsSettings(certificate=files.server, key=bad),
            TlsSettings(certificate=files.server, key=files.server_key, client_auth="require", trust=bad),
        ):
            with pytest.raises(ConfigError, match=name):
                TlsListener(listener, settings)
    with pytest.raises(ConfigError, match=name):
        client_context(bad)
