"""TLS for connections that are dialed: whom to trust, what to show, and the handshake."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.errors import ConfigError, ConnectError
from rocketmq_lite.transport.address import parse_address

if TYPE_CHECKING:
    from pathlib import Path

    from rocketmq_lite.config import TlsSettings

__all__ = ["TLS_HINT", "broker_context", "client_context", "failure", "own_context", "secured", "show"]

TLS_HINT: Final = "docs/how-to/tls.md shows how to make certificates"


def client_context(trust: Path | None = None) -> ssl.SSLContext:
    """What a client dials with: servers are trusted that the system trusts, or that this PEM file vouches for.

    Raises:
        ConfigError: The file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=trust)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{trust} is no file of trusted certificates: {error}", hint=TLS_HINT) from error


def broker_context(settings: TlsSettings) -> ssl.SSLContext | None:
    """What a broker dials name servers with: TLS, showing its own certificate, if it takes nothing else itself.

    Raises:
        ConfigError: A file cannot be used.
    """
    if settings.mode != "enforcing":
        return None
    context = client_context(settings.trust)
    if settings.certificate is not None:
        show(context, settings.certificate, settings.key)
    return context


def own_context(settings: TlsSettings) -> ssl.SSLContext | None:
    """What a broker dials a name server with that shows the same certificate: trust that one alone, whatever its names.

    Raises:
        ConfigError: A file cannot be used.
    """
    if settings.mode != "enforcing" or settings.certificate is None:
        return None
    only = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    only.check_hostname = False
    only.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    show(only, settings.certificate, settings.key)
    only.load_verify_locations(settings.certificate)
    return only


async def secured(stream: trio.abc.Stream, context: ssl.SSLContext, address: str) -> trio.abc.Stream:
    """TLS over a fresh stream to ``host:port``; the stream is closed if that fails.

    Raises:
        ConnectError: The server does not speak TLS, or is not trusted.
    """
    host, _ = parse_address(address)
    encrypted = trio.SSLStream(stream, context, server_hostname=host, https_compatible=True)
    try:
        await encrypted.do_handshake()
    except BaseException as error:
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(stream)
        if isinstance(error, trio.BrokenResourceError):
            raise _refused(address, error.__cause__) from error
        raise
    return encrypted


def _refused(address: str, cause: BaseException | None) -> ConnectError:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ConnectError(
            f"cannot connect to {address}: its certificate is not trusted: {cause.verify_message}",
            hint="trust who signed it: --tls-ca FILE, or tls= an ssl.SSLContext that loaded it",
        )
    return ConnectError(
        f"cannot connect to {address}: the TLS handshake failed{failure(cause)}",
        hint="does the server speak TLS, and is it content with the certificate shown?",
    )


def failure(cause: BaseException | None) -> str:
    """OpenSSL's word for what failed, with a colon before it; nothing where it has none."""
    return f": {cause.reason}" if isinstance(cause, ssl.SSLError) and cause.reason else ""


def show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    """Have a context show a certificate.

    Raises:
        ConfigError: The files cannot be used.
    """
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"certificate {certificate} and private key {key} are not usable: {error}", hint=TLS_HINT
        ) from error


def _no_password() -> str:
    """Instead of OpenSSL's question on the terminal."""
    raise ValueError("the key is encrypted, and there is nobody to ask for its password")
