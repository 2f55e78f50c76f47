"""Where streams come from: an interface, and TCP.

A :class:`Network` is passed in wherever something dials or listens, so that tests replace it with one that
lives in memory. TCP streams have ``TCP_NODELAY`` set (Trio does that for every socket stream): frames are
small and each waits for an answer.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Final, Protocol

import trio

from rocketmq_lite.errors import ConfigError, ConnectError
from rocketmq_lite.transport.address import format_address, parse_address
from rocketmq_lite.transport.direct import DirectStream
from rocketmq_lite.transport.failures import dialing, listening
from rocketmq_lite.transport.tls import secured

if TYPE_CHECKING:
    import ssl

__all__ = ["Listener", "Network", "TcpNetwork"]

_BACKLOG: Final = 1024
"""Connections the system holds before they are accepted (Apache)."""


class Listener(trio.abc.Listener[trio.abc.Stream]):
    """An open port that knows its address."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The bound ``host:port``; a free port that was picked is shown as its number."""

    def peer_address(self, stream: trio.abc.Stream) -> str:  # noqa: ARG002 - for networks whose streams have one
        """The ``host:port`` at the other end of a stream that this listener accepted."""
        return "127.0.0.1:0"


class Network(Protocol):
    """Something that opens streams to addresses."""

    async def dial(self, address: str) -> trio.abc.Stream:
        """Open a stream to ``host:port``; how long that may take is up to the caller.

        Raises:
            ConnectError: It is not possible now.
            ConfigError: The text is not an address.
        """
        ...

    async def listen(self, host: str, port: int) -> Listener:
        """Open a port; 0 picks a free one.

        Raises:
            PortInUse: Somebody else has it.
            ConfigError: The host is not one of this machine, or it is not permitted.
        """
        ...


class TcpNetwork:
    """TCP over IPv4 and IPv6.

    Args:
        tls: What to encrypt connections with that are dialed; without it they are plain.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls

    async def dial(self, address: str) -> trio.abc.Stream:
        """Open a TCP connection; a name with several addresses is tried by happy eyeballs."""
        host, port = parse_address(address)
        if port == 0:
            raise ConnectError(f"cannot connect to {address}: port 0 is no port")
        with dialing(address):
            stream = await trio.open_tcp_stream(host, port)
        if self._tls is None:
            return DirectStream(stream)
        return await secured(stream, self._tls, address)

    async def listen(self, host: str, port: int) -> Listener:
        """Open one TCP port on one address of this machine."""
        with listening(format_address(host, port)):
            listeners = await trio.open_tcp_listeners(port, host=host, backlog=_BACKLOG)
        # A name such as "localhost" may resolve to several addresses; with port 0 each would get a
        # different port, so only the first is kept.
        for surplus in listeners[1:]:
            await trio.aclose_forcefully(surplus)
        if not listeners:
            raise ConfigError(f"cannot listen on {format_address(host, port)}: no such address")
        return _TcpListener(listeners[0])


class _TcpListener(Listener):
    def __init__(self, listener: trio.SocketListener) -> None:
        self._listener = listener
        self._address = _text(listener.socket.getsockname())

    @property
    def address(self) -> str:
        return self._address

    def peer_address(self, stream: trio.abc.Stream) -> str:
        if isinstance(stream, trio.SocketStream):
            try:
                return _text(stream.socket.getpeername())
            except OSError:
                pass  # it has gone already; the first read will say so
        return super().peer_address(stream)

    async def accept(self) -> trio.abc.Stream:
        return await self._listener.accept()

    async def aclose(self) -> None:
        await self._listener.aclose()


def _text(name: tuple[str, int]) -> str:
    return format_address(name[0], name[1])
