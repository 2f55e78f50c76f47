"""Our own servers as real processes, through the command line a user types."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from typing import TYPE_CHECKING

from tests.interop.processes import child
from tests.interop.servers import Broker, Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLUSTER = "DefaultCluster"
_START_SECONDS = 30


@contextlib.contextmanager
def single(directory: Path, *options: str, data: Path | None = None) -> Iterator[Cluster]:
    """``rmq up``: a name server and one broker in one process, by default with its data in the directory."""
    arguments = ["up", "--data", str(data or directory / "data"), "--namesrv-port", "0", "--broker-port", "0"]
    with _served(directory / "up", [*arguments, *options]) as ready:
        yield Cluster("lite", ready["namesrv"], CLUSTER, (Broker("broker-a", ready["broker"]),))


@contextlib.contextmanager
def on_store(directory: Path, store: Path, *, killed: bool = False, **settings: object) -> Iterator[str]:
    """A broker over a directory, with settings by Apache's names; its address. It is stopped at the end, or killed."""
    directory.mkdir(parents=True)
    file = directory / "broker.conf"
    values = {"storePathRootDir": store, "listenPort": 0, **settings}
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    with _served(directory / "broker", ["broker", "-c", str(file)]) as ready:
        yield ready["broker"]
        if killed:
            os.kill(int(ready["pid"]), signal.SIGKILL)


@contextlib.contextmanager
def cluster(directory: Path, *, masters: int) -> Iterator[Cluster]:
    """A name server and ``masters`` brokers, each a process, all registered."""
    with contextlib.ExitStack() as running:
        arguments = ["namesrv", "--port", "0", "--data", str(directory / "namesrv-data")]
        namesrv = running.enter_context(_served(directory / "namesrv", arguments))["namesrv"]
        brokers = tuple(
            running.enter_context(_broker(directory, f"broker-{chr(ord('a') + i)}", namesrv))
            for i in range(masters)
        )
        yield Cluster("lite", namesrv, CLUSTER, brokers)


@contextlib.contextmanager
def _broker(directory: Path, name: str, namesrv: str) -> Iterator[Broker]:
    arguments = ["broker", "--name", name, "--cluster", CLUSTER, "-n", namesrv, "--port", "0"]
    with _served(directory / name, [*arguments, "--data", str(directory / f"{name}-data")]) as ready:
        yield Broker(name, ready["broker"])


@contextlib.contextmanager
def _served(home: Path, arguments: list[str]) -> Iterator[dict[str, str]]:
    home.mkdir(parents=True)
    ready = home / "ready.json"
    command = [sys.executable, "-m", "rocketmq_lite", *arguments, "--ready-file", str(ready)]
    with child(command, home=home) as process:
        process.wait_until(ready.exists, seconds=_START_SECONDS)
        yield json.loads(ready.read_text())
        process.stop()
        # A server that failed or was cancelled badly says so here, whatever its clients made of it.
        assert "Traceback" not in process.output_tail(), process.output_tail()
