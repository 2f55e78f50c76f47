"""What a first message is to brokers that speak RocketMQ's remoting protocol, ours and Apache's."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from bench.drivers.driver import until_acknowledged
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from bench.drivers.driver import Running

GET_BROKER_CLUSTER_INFO = 106


def await_first_ack(running: Running) -> None:
    """A send to the broker, which makes the topic."""
    tls = _tls(running)

    def send() -> bool:
        with RawClient(running.entry, tls=tls) as client:
            return client.send("first", b"first").code == 0

    until_acknowledged(running, send)


def await_registered(running: Running) -> None:
    """The name server knows the broker."""
    tls = _tls(running)

    def ask() -> bool:
        with RawClient(running.address, tls=tls) as client:
            return running.entry in client.call(GET_BROKER_CLUSTER_INFO, {}).body.decode()

    until_acknowledged(running, ask)


def _tls(running: Running) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=running.trust) if running.trust else None
