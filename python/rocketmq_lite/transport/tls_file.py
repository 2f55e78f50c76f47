"""Apache's ``tls.properties`` (``tls.config.file``), as far as it is about servers.

Apache passes over the certificates unless ``tls.test.mode.enable`` is false, which surprises everybody once; here
certificates that are given are used. Keys about clients, ``tls.client.*``, are another program's business.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, cast, get_args

from rocketmq_lite.config import ClientAuth, TlsMode
from rocketmq_lite.errors import ConfigError, LocalProtocolError
from rocketmq_lite.protocol.properties_text import iter_properties

if TYPE_CHECKING:
    from collections.abc import Callable

    from rocketmq_lite.protocol.properties_text import Pair

__all__ = ["TlsChanges", "read_tls_properties"]


class TlsChanges(TypedDict, total=False):
    """What a file says about ``TlsSettings``."""

    mode: TlsMode
    certificate: Path
    key: Path
    client_auth: ClientAuth
    trust: Path


_FIELDS: Final = {
    "tls.server.mode": "mode",
    "tls.server.certPath": "certificate",
    "tls.server.keyPath": "key",
    "tls.server.need.client.auth": "client_auth",
    "tls.server.trustCertPath": "trust",
}
_WORDS: Final = {"mode": get_args(TlsMode), "client_auth": get_args(ClientAuth)}
_WITHOUT_MEANING: Final = frozenset({"tls.test.mode.enable", "tls.server.authClient"})


def read_tls_properties(path: Path, warn: Callable[[str], None]) -> TlsChanges:
    """What the file says; ``warn`` is told of keys that are not known.

    Raises:
        ConfigError: It cannot be read, or a value cannot be.
    """
    try:
        pairs = list(iter_properties(path.read_bytes()))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint="give Apache's tls.properties") from error
    except LocalProtocolError as error:
        raise ConfigError(f"{path}: {error.message}", hint="save it as UTF-8") from error
    changes: dict[str, object] = {}
    for pair in pairs:
        if (field := _FIELDS.get(pair.key)) is not None:
            if pair.value:  # Apache writes keys without values for what is not set
                changes[field] = _value(path, pair, field)
        elif pair.key == "tls.server.keyPassword" and pair.value:
            raise ConfigError(
                f"{path}:{pair.line}: encrypted private keys are not supported",
                hint="decrypt it with 'openssl pkey -in KEY -out PLAIN' and keep it readable by the server alone",
            )
        elif not pair.key.startswith("tls.client.") and pair.key not in _WITHOUT_MEANING | {
            "tls.server.keyPassword"
        }:
            warn(f"{path}:{pair.line}: {pair.key} is not known and changes nothing")
    return cast("TlsChanges", changes)


def _value(path: Path, pair: Pair, field: str) -> object:
    words = _WORDS.get(field)
    if words is None:
        return Path(pair.value)
    if pair.value not in words:
        raise ConfigError(
            f"{path}:{pair.line}: {pair.key} cannot be {pair.value!r}", hint=f"give {', '.join(words)}"
        )
    return pair.value
