"""Apache RocketMQ: name server and broker from the published jars, with Apache's settings.

Changed are addresses, paths and the flush setting; how long a send may wait in the queue, since a broker that refuses
sends would look faster; and how long a broker may be silent, since it is frozen while others are measured.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bench.drivers import jars, remoting
from bench.drivers.driver import Driver, Running, process
from tests.interop.processes import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.interop.processes import Process

_FLUSH = {"async": "ASYNC_FLUSH", "sync": "SYNC_FLUSH"}
_AN_HOUR_MS = 3_600_000
# What the JDK's module system has to let the broker do; the list of Apache's own start script.
_OPENED = (
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
)


class Apache(Driver):
    """The driver."""

    title = "Apache RocketMQ"
    prepares_with = "lite"
    idles_loudly = True
    warms_with = "java"

    def missing(self) -> str | None:
        """A JDK and Maven."""
        return jars.missing()

    def version(self) -> str:
        """That of the jars."""
        return "5.5.0"

    def durability(self, flush: str) -> str:
        """Its own setting."""
        return f"flushDiskType={_FLUSH[flush]}"

    @contextlib.contextmanager
    def launch(self, directory: Path, flush: str) -> Iterator[Running]:
        """Two processes; messages are the broker's."""
        class_path = jars.class_path("rocketmq")
        port = free_ports()
        # The broker's "fast" port is its port less two.
        address, broker_port = f"127.0.0.1:{port}", free_ports() + 2
        name_server = _properties(directory / "namesrv.conf", listenPort=port, bindAddress="127.0.0.1")
        broker = _properties(
            directory / "broker.conf",
            brokerName="broker-a",
            brokerIP1="127.0.0.1",
            bindAddress="127.0.0.1",
            listenPort=broker_port,
            haListenPort=broker_port + 1,
            namesrvAddr=address,
            storePathRootDir=directory / "store",
            storePathCommitLog=directory / "store" / "commitlog",
            flushDiskType=_FLUSH[flush],
            enablePropertyFilter="true",
            waitTimeMillsInSendQueue=10_000,
            brokerNotActiveTimeoutMillis=_AN_HOUR_MS,
        )
        with (
            _jvm(class_path, "org.apache.rocketmq.namesrv.NamesrvStartup", name_server) as first,
            _jvm(class_path, "org.apache.rocketmq.broker.BrokerStartup", broker) as second,
        ):
            entry = f"127.0.0.1:{broker_port}"
            yield Running(address, flush, directory, worker=second, processes=[first, second], entry=entry)

    def await_first_ack(self, running: Running) -> None:
        """By a raw connection to the broker."""
        remoting.await_first_ack(running)
        remoting.await_registered(running)


def _jvm(class_path: str, main: str, settings: Path) -> contextlib.AbstractContextManager[Process]:
    home = settings.with_suffix(".home")
    options = (*_OPENED, f"-Duser.home={home}", f"-Drocketmq.home.dir={home}")
    return process(jars.java(class_path, main, "-c", str(settings), options=options), home)


def _properties(path: Path, **settings: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    return path
