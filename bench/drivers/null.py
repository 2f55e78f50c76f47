"""A responder that says what a broker would say and stores nothing: what client, kernel and machine allow."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bench.drivers import rmq_load
from bench.drivers.driver import Driver, Running, process, until_acknowledged
from tests.interop.processes import free_ports
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Null(Driver):
    """The driver."""

    title = "null responder"
    prepares_with = None
    idles_loudly = False
    warms_with = None

    def missing(self) -> str | None:
        """The program."""
        return rmq_load.missing()

    def version(self) -> str:
        """It belongs to this tree."""
        return "of this commit"

    def durability(self, flush: str) -> str:  # noqa: ARG002 - a driver is asked for each
        """Nothing is kept."""
        return "nothing is stored"

    @contextlib.contextmanager
    def launch(self, directory: Path, flush: str) -> Iterator[Running]:
        """One process, name server and broker alike."""
        port = free_ports()
        address = f"127.0.0.1:{port}"
        with process([str(rmq_load.PROGRAM), "null", "--port", str(port)], directory) as responder:
            yield Running(address, flush, directory, worker=responder, processes=[responder], entry=address)

    def await_first_ack(self, running: Running) -> None:
        """By a raw connection."""

        def send() -> bool:
            with RawClient(running.entry) as client:
                return client.send("first", b"first").code == 0

        until_acknowledged(running, send)
