"""Apache's tls.properties: which keys count, and what is said about the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from rocketmq_lite.config import TlsSettings
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.transport.tls_file import read_tls_properties


def nobody(text: str) -> None:
    raise AssertionError(text)


def written(directory: Path, text: str) -> Path:
    path = directory / "tls.properties"
    path.write_text(text)
    return path


def test_the_keys_of_a_server(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "# as Apache documents it\n"
        "tls.test.mode.enable=false\n"
        "tls.server.mode=enforcing\n"
        "tls.server.need.client.auth=require\n"
        "tls.server.keyPath=/etc/rocketmq/server.key\n"
        "tls.server.keyPassword=\n"
        "tls.server.certPath=/etc/rocketmq/server.pem\n"
        "tls.server.authClient=false\n"
        "tls.server.trustCertPath=/etc/rocketmq/ca.pem\n"
        "tls.client.certPath=/etc/rocketmq/client.pem\n",
    )
    assert TlsSettings(**read_tls_properties(path, nobody)) == TlsSettings(
        "enforcing",
        certificate=Path("/etc/rocketmq/server.pem"),
        key=Path("/etc/rocketmq/server.key"),
        client_auth="require",
        trust=Path("/etc/rocketmq/ca.pem"),
    )


def test_keys_without_values_change_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "tls.server.certPath=\ntls.server.mode=\n")
    assert read_tls_properties(path, nobody) == {}


def test_what_is_not_known_is_named(tmp_path: Path) -> None:
    told: list[str] = []
    path = written(tmp_path, "tls.server.mode=disabled\ntls.server.cert=typo\n")
    assert read_tls_properties(path, told.append) == {"mode": "disabled"}
    assert told == [f"{path}:2: tls.server.cert is not known and changes nothing"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\ntls.server.mode=strict\n", ":2: tls.server.mode cannot be 'strict'"),
        ("tls.server.need.client.auth=yes", ":1: tls.server.need.client.auth cannot be"),
        ("tls.server.keyPassword=1234", "encrypted private keys"),
    ],
)
def test_what_cannot_be(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        read_tls_properties(written(tmp_path, text), nobody)
    assert caught.value.hint


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.properties: No such file"):
        read_tls_properties(tmp_path / "nowhere.properties", nobody)
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="binary"):
        read_tls_properties(binary, nobody)
