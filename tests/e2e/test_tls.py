"""TLS as a user sets it up: servers with certificates from files, the command line and the client that trust them."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from tests.support import certificates
from tests.support.cli import rmq
from tests.support.processes import Server, broker, name_server, up
from tests.support.raw_client import RawClient

import rocketmq_lite as rmq_lite
from rocketmq_lite.transport.tls import client_context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.certificates import Certificates

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.made(tmp_path_factory.mktemp("certificates"))


def shown(files: Certificates, mode: str) -> tuple[str, ...]:
    return ("--tls", mode, "--tls-cert", str(files.server), "--tls-key", str(files.server_key))


@pytest.fixture(scope="module")
def enforcing(files: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with up(tmp_path_factory.mktemp("up"), *shown(files, "enforcing")) as running:
        yield running


def test_the_command_line_over_tls(enforcing: Server, files: Certificates) -> None:
    namesrv, trust = enforcing.ready["namesrv"], ("--tls-ca", str(files.authority))
    assert rmq("msg", "send", "secrets", "hello", *trust, namesrv=namesrv).code == 0
    tail = rmq(*trust, "msg", "tail", "secrets", "--from", "earliest", "--count", "1", namesrv=namesrv)
    assert (tail.code, "hello" in tail.out) == (0, True)


def test_plain_or_without_trust_it_is_refused_with_a_hint(enforcing: Server) -> None:
    namesrv = enforcing.ready["namesrv"]
    assert rmq("topic", "ls", namesrv=namesrv).code == 1
    untrusted = rmq("topic", "ls", "--tls", namesrv=namesrv)
    assert untrusted.code == 1
    assert "not trusted" in untrusted.err
    assert "Traceback" not in untrusted.err
    with RawClient(enforcing.ready["broker"]) as client, pytest.raises(OSError, match=r".*"):
        client.send("secrets", b"plain")
    assert "takes TLS only" in enforcing.err.wait_for("TLS only")


async def test_the_client_over_tls(enforcing: Server, files: Certificates) -> None:
    trust = client_context(files.authority)
    async with rmq_lite.connect(enforcing.ready["namesrv"], tls=trust) as client:
        bodies = [b"%d" % number for number in range(100)]
        await client.producer("P").send_many("many-secrets", bodies)
        received = []
        async with client.consumer("G", "many-secrets", start="earliest") as messages:
            async for message in messages:
                async with message:
                    received.append(message.body)
                if len(received) == len(bodies):
                    break
    assert sorted(received) == sorted(bodies)


def test_a_broker_that_takes_tls_only_registers_by_tls(files: Certificates, tmp_path: Path) -> None:
    trust = ("--tls-ca", str(files.authority))
    with name_server(tmp_path / "namesrv", *shown(files, "enforcing")) as registry:
        namesrv = registry.ready["namesrv"]
        with broker(tmp_path / "broker", "broker-a", namesrv, *shown(files, "enforcing"), *trust) as running:
            assert rmq("msg", "send", "t", "x", *trust, namesrv=namesrv).code == 0
            assert running.interrupt(signal.SIGTERM)[0] == 0


def test_apaches_file(files: Certificates, tmp_path: Path) -> None:
    conf = tmp_path / "tls.properties"
    conf.write_text(
        f"tls.server.certPath={files.server}\ntls.server.keyPath={files.server_key}\ntls.server.mode=disabled\n"
    )
    with up(tmp_path / "up", "--tls-config", str(conf), "--tls", "enforcing") as running:
        namesrv = running.ready["namesrv"]
        assert rmq("topic", "ls", "--tls-ca", str(files.authority), namesrv=namesrv).code == 0


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--tls", "enforcing"), "needs a certificate"),
        (("--tls-cert", "{server}"), "together"),
        (("--tls-cert", "{server}", "--tls-key", "{client_key}"), "private key"),
        (("--tls-client-auth", "require"), "vouch"),
        (("--tls-cert", "/nowhere.pem", "--tls-key", "{client_key}"), "/nowhere.pem"),
    ],
)
def test_what_cannot_be_is_said_at_the_start(
    files: Certificates, tmp_path: Path, options: tuple[str, ...], complaint: str
) -> None:
    given = [option.format(server=files.server, client_key=files.client_key) for option in options]
    for command in ("up", "broker"):
        run = rmq(command, "--data", str(tmp_path), *given)
        assert run.code == 1
        assert complaint in run.err
        assert "Traceback" not in run.err
