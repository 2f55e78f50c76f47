"""Apache's Java client inside TLS: with the trust it has by default, which is any, and checking who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.interop import lite
from tests.interop.conftest import java_judge
from tests.interop.judge import JudgeError, Sending, sent_as
from tests.interop.messages import assorted, sorted_by_body
from tests.support import certificates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.interop.judge import Judge
    from tests.interop.maven import Java
    from tests.interop.servers import Cluster
    from tests.support.certificates import Certificates

_TLS = "-Dtls.enable=true"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.made(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def trusting(java: Java, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """It trusts any server (Apache's test mode, which is the default)."""
    with java_judge(java, tmp_path_factory.mktemp("judge"), _TLS) as running:
        yield running


@pytest.fixture(scope="module")
def checking(java: Java, files: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """It wants to know who answers, and shows who it is."""
    options = {
        "tls.test.mode.enable": "false",
        "tls.client.authServer": "true",
        "tls.client.trustCertPath": files.authority,
        "tls.client.certPath": files.client,
        "tls.client.keyPath": files.client_key,
    }
    given = [f"-D{key}={value}" for key, value in options.items()]
    with java_judge(java, tmp_path_factory.mktemp("judge"), _TLS, *given) as running:
        yield running


def exchange(judge: Judge, cluster: Cluster, topic: str) -> None:
    """Everything a client does: a topic, messages of all kinds and sizes, a consumer that gets them."""
    judge.create_topic(cluster.namesrv, cluster.name, topic)
    messages = [*assorted(30), Sending(b"large" * 100_000)]
    with judge.consuming(cluster.namesrv, topic, group=f"{topic}-group") as consumer:
        judge.produce(cluster.namesrv, topic, messages, mode="sync", group=f"{topic}-producer")
        received = consumer.take(len(messages))
    assert sorted_by_body(map(sent_as, received)) == sorted_by_body(messages)


def test_servers_without_certificates_serve_both_kinds_of_client(
    trusting: Judge, json_judge: Judge, single: Cluster, name: str
) -> None:
    exchange(trusting, single, name)
    exchange(json_judge, single, f"{name}-plain")


def test_servers_that_take_tls_only(
    checking: Judge,
    json_judge: Judge,
    files: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
) -> None:
    options = (
        *("--tls", "enforcing", "--tls-cert", str(files.server), "--tls-key", str(files.server_key)),
        *("--tls-ca", str(files.authority), "--tls-client-auth", "require"),
    )
    with lite.single(tmp_path_factory.mktemp("enforcing"), *options) as cluster:
        exchange(checking, cluster, name)
        with pytest.raises(JudgeError):
            json_judge.create_topic(cluster.namesrv, cluster.name, f"{name}-plain")
