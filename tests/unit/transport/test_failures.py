"""The table of errors: each kind of failure, and what becomes of it."""

from __future__ import annotations

import errno
import socket

import pytest
import trio

from rocketmq_lite.errors import ConfigError, ConnectError, ConnectionLost, PortInUse, RocketMQError
from rocketmq_lite.transport.failures import dialing, listening, using


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ECONNREFUSED, "x"), "cannot connect to a:1: nothing listens there"),
        (OSError(errno.EHOSTUNREACH, "x"), "cannot connect to a:1: the host cannot be reached"),
        (OSError(errno.EMFILE, "x"), "cannot connect to a:1: this process has too many open files"),
        (socket.gaierror(socket.EAI_NONAME, "x"), "cannot connect to a:1: the host name is unknown"),
        (OSError(errno.EIO, "odd"), "cannot connect to a:1: [Errno 5] odd"),
    ],
)
def test_dialing(error: OSError, text: str) -> None:
    with pytest.raises(ConnectError) as caught, dialing("a:1"):
        raise error
    assert caught.value.message == text
    assert caught.value.__cause__ is error
    assert caught.value.retryable


def test_the_cause_below_several_attempts_is_found() -> None:
    attempts = ExceptionGroup("all failed", [OSError(errno.ECONNREFUSED, "x"), OSError(errno.EIO, "y")])
    outer = OSError("all attempts to connect failed")
    outer.__cause__ = attempts
    with pytest.raises(ConnectError, match="nothing listens there"), dialing("a:1"):
        raise outer


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [
        (errno.EADDRINUSE, PortInUse, "the port is in use"),
        (errno.EADDRNOTAVAIL, ConfigError, "this machine does not have that address"),
        (errno.EACCES, ConfigError, "not permitted"),
        (errno.EIO, ConfigError, "odd"),
    ],
)
def test_listening(number: int, kind: type[RocketMQError], text: str) -> None:
    with pytest.raises(kind, match=text), listening("a:1"):
        raise OSError(number, "odd")


@pytest.mark.parametrize("error", [trio.BrokenResourceError(), trio.ClosedResourceError()])
def test_using(error: Exception) -> None:
    with pytest.raises(ConnectionLost, match="a:1 was lost") as caught, using("a:1"):
        raise error
    assert caught.value.__cause__ is error


def test_what_works_passes() -> None:
    with dialing("a"), listening("a"), using("a"):
        pass
