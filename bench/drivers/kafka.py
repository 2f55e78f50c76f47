"""Apache Kafka: one KRaft node, broker and controller, from the published jars.

Changed are addresses and paths, what a single node needs of replication, and how long a broker may be silent, since it
is frozen while others are measured. Kafka has no group commit: a flush for each request is what its settings offer.
"""

from __future__ import annotations

import base64
import contextlib
import subprocess
import uuid
from typing import TYPE_CHECKING

from bench import clients
from bench.drivers import jars
from bench.drivers.driver import Driver, Running, process
from bench.load import LoadProgram
from tests.interop.processes import StartError, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_AN_HOUR_MS = 3_600_000
_JVM = ("-Djava.awt.headless=true",)


class Kafka(Driver):
    """The driver."""

    title = "Apache Kafka"
    prepares_with = "confluent"
    idles_loudly = True
    warms_with = "confluent"

    def missing(self) -> str | None:
        """A JDK and Maven."""
        return jars.missing()

    def version(self) -> str:
        """That of the jars."""
        return "4.1.1"

    def durability(self, flush: str) -> str:
        """Its own settings; without them it leaves the flush to the system."""
        return f"acks=all, log.flush.interval.messages {'1' if flush == 'sync' else 'unset'}"

    @contextlib.contextmanager
    def launch(self, directory: Path, flush: str) -> Iterator[Running]:
        """One process, on a store that was formatted first."""
        class_path = jars.class_path("kafka")
        port = free_ports()
        settings = directory / "server.properties"
        directory.mkdir(parents=True, exist_ok=True)
        settings.write_text(_settings(port, directory / "store", sync=flush == "sync"))
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        # One argument: as a second one, an identifier that begins with a dash would be taken for an option.
        arguments = ["format", "--standalone", f"--cluster-id={cluster}", f"--config={settings}"]
        command = jars.java(class_path, "kafka.tools.StorageTool", *arguments, options=_JVM)
        formatted = subprocess.run(command, check=False, capture_output=True, text=True)
        if formatted.returncode:
            raise StartError(f"Kafka could not format its store:\n{formatted.stdout}{formatted.stderr}")
        with process(jars.java(class_path, "kafka.Kafka", str(settings), options=_JVM), directory) as node:
            yield Running(f"127.0.0.1:{port}", flush, directory, worker=node, processes=[node])

    def await_first_ack(self, running: Running) -> None:
        """By a client that tries until it succeeds."""
        job = {"kind": "first", "address": running.address, "topic": "first"}
        with LoadProgram(clients.command("confluent"), job) as load:
            load.run()


def _settings(port: int, store: Path, *, sync: bool) -> str:
    values: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{port + 1}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{port + 1}",
        "log.dirs": store,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "broker.session.timeout.ms": _AN_HOUR_MS,
    }
    if sync:
        values["log.flush.interval.messages"] = 1
    return "".join(f"{name}={value}\n" for name, value in values.items())
