"""Settings of TLS, from Python."""

import pytest

from rocketmq_lite import _native


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
