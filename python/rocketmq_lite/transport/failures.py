"""The one table that turns errors of the operating system and of Trio into ours.

Who dials or listens wraps the call in :func:`dialing` or :func:`listening`; who uses a stream wraps it in
:func:`using`. The original stays as ``__cause__``. What the table does not know becomes the least
specific error of its kind, with the system's text.
"""

from __future__ import annotations

import errno
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import trio

from rocketmq_lite.errors import (
    ConfigError,
    ConnectError,
    ConnectionLost,
    PortInUse,
    RemoteProtocolError,
    RocketMQError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from rocketmq_lite.errors import LocalProtocolError

__all__ = ["dialing", "listening", "senseless", "using"]


class _Meaning(NamedTuple):
    error: type[RocketMQError]
    text: str
    hint: str = ""


_DIAL: Final[dict[int, _Meaning]] = {
    errno.ECONNREFUSED: _Meaning(
        ConnectError, "nothing listens there", "is the server running, is the port right?"
    ),
    errno.ETIMEDOUT: _Meaning(ConnectError, "no answer in time"),
    errno.EHOSTUNREACH: _Meaning(ConnectError, "the host cannot be reached"),
    errno.ENETUNREACH: _Meaning(ConnectError, "the network cannot be reached"),
    errno.ECONNRESET: _Meaning(ConnectError, "the connection was reset"),
    errno.ECONNABORTED: _Meaning(ConnectError, "the connection was reset"),
    errno.EACCES: _Meaning(ConnectError, "the system does not permit it"),
    errno.EPERM: _Meaning(ConnectError, "the system does not permit it"),
    errno.EMFILE: _Meaning(
        ConnectError, "this process has too many open files", "raise the limit (ulimit -n)"
    ),
    errno.ENFILE: _Meaning(ConnectError, "the system has too many open files"),
}

_LISTEN: Final[dict[int, _Meaning]] = {
    errno.EADDRINUSE: _Meaning(
        PortInUse, "the port is in use", "stop what listens there, or choose another port; 0 picks a free one"
    ),
    errno.EADDRNOTAVAIL: _Meaning(ConfigError, "this machine does not have that address"),
    errno.EACCES: _Meaning(ConfigError, "not permitted", "ports below 1024 need privileges"),
    errno.EAFNOSUPPORT: _Meaning(ConfigError, "this machine does not have that kind of address"),
    errno.EMFILE: _Meaning(
        ConfigError, "this process has too many open files", "raise the limit (ulimit -n)"
    ),
}


def _innermost(error: BaseException) -> BaseException:
    """The system's error below what Trio wraps around it when it tried several addresses."""
    while isinstance(error, OSError) and error.errno is None and error.__cause__ is not None:
        error = error.__cause__
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _translate(
    doing: str, error: OSError, table: dict[int, _Meaning], otherwise: type[RocketMQError]
) -> RocketMQError:
    cause = _innermost(error)
    if isinstance(cause, socket.gaierror):
        return otherwise(f"{doing}: the host name is unknown")
    number = cause.errno if isinstance(cause, OSError) else None
    meaning = table.get(number or 0)
    if meaning is None:
        return otherwise(f"{doing}: {cause}")
    return meaning.error(f"{doing}: {meaning.text}", hint=meaning.hint)


@contextmanager
def dialing(address: str) -> Iterator[None]:
    """Translate what fails while a connection is being opened."""
    try:
        yield
    except OSError as error:
        raise _translate(f"cannot connect to {address}", error, _DIAL, ConnectError) from error


@contextmanager
def listening(address: str) -> Iterator[None]:
    """Translate what fails while a listener is being opened."""
    try:
        yield
    except OSError as error:
        raise _translate(f"cannot listen on {address}", error, _LISTEN, ConfigError) from error


class using:  # noqa: N801 - a context manager, as its siblings; a class, since one is entered for every read and write
    """Translate what fails on an open stream."""

    __slots__ = ("_peer",)

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, trio.BrokenResourceError | trio.ClosedResourceError):
            raise ConnectionLost(f"the connection with {self._peer} was lost") from error


def senseless(address: str, error: LocalProtocolError | ValueError) -> RemoteProtocolError:
    """The peer's error that an answer could not be read."""
    return RemoteProtocolError(f"{address} sent an answer that makes no sense: {error}")
