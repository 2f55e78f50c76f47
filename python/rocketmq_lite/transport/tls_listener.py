"""Listeners that tell TLS from plain connections by the first byte.

A frame begins with 0 or 1, a TLS handshake with 22. So one port serves both, and it takes no look ahead: the first bytes
that come are read as usual and, if they turn out to be a handshake, given to TLS instead. A broker's connections are
Rust's business (``rust/plane/src/opening.rs``); these are the name server's.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite._native import self_made_certificate
from rocketmq_lite.errors import ConfigError, RemoteProtocolError
from rocketmq_lite.transport.network import Listener
from rocketmq_lite.transport.tls import TLS_HINT, failure, show

if TYPE_CHECKING:
    from rocketmq_lite.config import TlsSettings

__all__ = ["TlsListener"]

_HANDSHAKE: Final = b"\x16"  # content type of a TLS handshake record
_AUTH: Final = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "require": ssl.CERT_REQUIRED}


class TlsListener(Listener):
    """A listener whose streams may turn out to be encrypted, as the mode allows.

    Args:
        listener: Where connections come from; owned from now on.
        settings: The mode and the certificates.

    Raises:
        ConfigError: A file cannot be used.
    """

    def __init__(self, listener: Listener, settings: TlsSettings) -> None:
        self._listener = listener
        self._server = _Server(settings)

    @property
    def address(self) -> str:
        """The bound ``host:port``."""
        return self._listener.address

    def peer_address(self, stream: trio.abc.Stream) -> str:
        """The ``host:port`` at the other end of a stream that this listener accepted."""
        return self._listener.peer_address(stream.transport if isinstance(stream, _Undecided) else stream)

    async def accept(self) -> trio.abc.Stream:
        """The next connection; what it is shows with its first bytes."""
        return _Undecided(await self._listener.accept(), self._server)

    async def aclose(self) -> None:
        """Close the listener, not the streams."""
        await self._listener.aclose()


class _Server:
    """A server's side of TLS; without a certificate one is made when the first client asks."""

    def __init__(self, settings: TlsSettings) -> None:
        self.mode = settings.mode
        self._settings = settings
        self._context = None if settings.certificate is None else self._make()

    def context(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._make()
        return self._context

    def _make(self) -> ssl.SSLContext:
        settings, context = self._settings, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if settings.certificate is not None:
            show(context, settings.certificate, settings.key)
        else:
            _show_self_made(context)
        if settings.trust is not None:
            try:
                context.load_verify_locations(settings.trust)
            except (OSError, ssl.SSLError) as error:
                text = f"{settings.trust} is no file of trusted certificates: {error}"
                raise ConfigError(text, hint=TLS_HINT) from error
        context.verify_mode = _AUTH[settings.client_auth]
        return context


def _show_self_made(context: ssl.SSLContext) -> None:
    """OpenSSL reads files only; this one is gone again before anybody could look for it."""
    from tempfile import NamedTemporaryFile  # not at the start of every name server

    with NamedTemporaryFile(suffix=".pem") as file:
        file.write(b"".join(self_made_certificate()))
        file.flush()
        context.load_cert_chain(file.name)


class _Undecided(trio.abc.Stream):
    """A stream that has not said whether it is encrypted; after its first bytes it only passes on."""

    def __init__(self, transport: trio.abc.Stream, server: _Server) -> None:
        self.transport = transport
        self._server = server
        self._stream: trio.abc.Stream | None = None

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        if self._stream is not None:
            return await self._stream.receive_some(max_bytes)
        first = await self.transport.receive_some(max_bytes)
        if first[:1] != _HANDSHAKE:
            if first and self._server.mode == "enforcing":
                raise RemoteProtocolError("it is not encrypted, and this server takes TLS only")
            self._stream = self.transport
            return first
        if self._server.mode == "disabled":
            raise RemoteProtocolError("it asks for TLS, which this server does not speak")
        replay = _Replayed(self.transport, bytes(first))
        encrypted = trio.SSLStream(replay, self._server.context(), server_side=True, https_compatible=True)
        try:
            await encrypted.do_handshake()
        except trio.BrokenResourceError as error:
            raise RemoteProtocolError(f"the TLS handshake failed{failure(error.__cause__)}") from error
        self._stream = encrypted
        return await encrypted.receive_some(max_bytes)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await (self._stream or self.transport).send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await (self._stream or self.transport).wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await (self._stream or self.transport).aclose()


class _Replayed(trio.abc.Stream):
    """A stream with its first bytes put back."""

    def __init__(self, stream: trio.abc.Stream, first: bytes) -> None:
        self._stream = stream
        self._first = first

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        if not self._first:
            return await self._stream.receive_some(max_bytes)
        await trio.lowlevel.checkpoint()
        count = len(self._first) if max_bytes is None else max_bytes
        given, self._first = self._first[:count], self._first[count:]
        return given

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._stream.aclose()
