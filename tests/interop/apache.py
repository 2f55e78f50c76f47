"""Apache's own name server and brokers on loopback: the peer that says whether a test asks for the right.

The same test bodies run against them and against us. Their settings are Apache's, but for what a test machine
needs: loopback addresses, free ports, files in a temporary directory, small files and heaps.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.interop.processes import Process, child, free_ports
from tests.interop.servers import Broker, Cluster
from tests.support.raw_client import RawClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.interop.maven import Java

CLUSTER = "DefaultCluster"
GET_BROKER_RUNTIME_INFO = 28
GET_BROKER_CLUSTER_INFO = 106
_START_SECONDS = 120
# What the JDK's module system has to let the broker do; the list of Apache's own start script.
_OPENED = (
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
)


@contextlib.contextmanager
def cluster(java: Java, directory: Path, *, masters: int) -> Iterator[Cluster]:
    """A name server and ``masters`` brokers, all registered, until the block ends."""
    with _servers(java, directory, masters) as (namesrv, started):
        yield Cluster("apache", namesrv, CLUSTER, tuple(server.broker for server in started))


@contextlib.contextmanager
def restartable(java: Java, directory: Path) -> Iterator[tuple[Cluster, Callable[[], None]]]:
    """A name server and a broker, and what kills the broker, starts it again and waits until it serves."""
    with _servers(java, directory, masters=1) as (namesrv, (server,)):
        yield Cluster("apache", namesrv, CLUSTER, (server.broker,)), server.restart


@contextlib.contextmanager
def on_store(
    java: Java, directory: Path, store: Path, *, orderly: bool = False, **settings: object
) -> Iterator[Cluster]:
    """A name server and a broker over a directory; unless the settings say otherwise, with files of Apache's default sizes.

    The broker is killed at the end, or, as an orderly stop takes it 15 s, stopped only where that is asked for.
    """
    sizes = {"mappedFileSizeCommitLog": 1024 * 1024 * 1024, "maxIndexNum": 20_000_000}
    paths = {"storePathRootDir": store, "storePathCommitLog": store / "commitlog"}
    with (
        _name_server(java, directory / "namesrv") as namesrv,
        _broker(java, directory / "broker-a", "broker-a", namesrv, **(sizes | paths | settings)) as started,
    ):
        started.wait()
        yield Cluster("apache", namesrv, CLUSTER, (started.broker,))
        if orderly:
            started.process.stop()


@contextlib.contextmanager
def _servers(java: Java, directory: Path, masters: int) -> Iterator[tuple[str, list[_Started]]]:
    with contextlib.ExitStack() as running:
        namesrv = running.enter_context(_name_server(java, directory / "namesrv"))
        names = [f"broker-{chr(ord('a') + i)}" for i in range(masters)]
        # All are started before the first is waited for: a start is mostly work, and there are two cores.
        started = [running.enter_context(_broker(java, directory / name, name, namesrv)) for name in names]
        for server in started:
            server.wait()
        yield namesrv, started


@dataclass(frozen=True, slots=True)
class _Started:
    broker: Broker
    namesrv: str
    process: Process

    def wait(self) -> None:
        self.process.wait_until(
            lambda: f'"{self.broker.name}"' in _known(self.namesrv) and _has_figures(self.broker.address),
            seconds=_START_SECONDS,
        )

    def restart(self) -> None:
        self.process.restart()
        self.wait()


@contextlib.contextmanager
def _name_server(java: Java, home: Path) -> Iterator[str]:
    home.mkdir(parents=True)
    port = free_ports()
    settings = _properties(home / "namesrv.conf", listenPort=port, bindAddress="127.0.0.1")
    main = "org.apache.rocketmq.namesrv.NamesrvStartup"
    command = java.command(main, "-c", str(settings), home=home, heap="128m")
    with child(command, home=home) as process:
        address = f"127.0.0.1:{port}"
        process.wait_until(lambda: bool(_known(address)), seconds=_START_SECONDS)
        yield address
        process.kill()


@contextlib.contextmanager
def _broker(java: Java, home: Path, name: str, namesrv: str, **changes: object) -> Iterator[_Started]:
    home.mkdir(parents=True)
    # Apache's "fast" port is the listening port less two.
    port = free_ports() + 2
    values: dict[str, object] = {
        "brokerName": name,
        "brokerClusterName": CLUSTER,
        "brokerId": 0,
        "brokerIP1": "127.0.0.1",
        "bindAddress": "127.0.0.1",
        "listenPort": port,
        "haListenPort": port + 1,
        "namesrvAddr": namesrv,
        "storePathRootDir": home / "store",
        "storePathCommitLog": home / "store" / "commitlog",
        "mappedFileSizeCommitLog": 64 * 1024 * 1024,
        "maxIndexNum": 400_000,
        "autoCreateTopicEnable": "true",
        # Ours evaluates conditions over properties unasked.
        "enablePropertyFilter": "true",
        # A cold broker on a loaded machine is slow to start, which is not what is judged here.
        "waitTimeMillsInSendQueue": 20_000,
        "osPageCacheBusyTimeOutMills": 20_000,
    }
    settings = _properties(home / "broker.conf", **(values | changes))
    options = (*_OPENED, "-XX:MaxDirectMemorySize=256m")
    main = "org.apache.rocketmq.broker.BrokerStartup"
    command = java.command(main, "-c", str(settings), home=home, heap="384m", options=options)
    with child(command, home=home) as process:
        yield _Started(Broker(name, f"127.0.0.1:{port}"), namesrv, process)
        # An orderly stop takes Apache 15 s and keeps what nobody will read.
        process.kill()


def _known(namesrv: str) -> str:
    """What a name server says of its brokers; nothing while it does not answer."""
    try:
        with RawClient(namesrv) as client:
            return client.call(GET_BROKER_CLUSTER_INFO, {}).body.decode()
    except OSError:
        return ""


def _has_figures(address: str) -> bool:
    """Whether a broker has counted for the first time: until then it fails to answer how it does."""
    try:
        with RawClient(address) as client:
            return client.call(GET_BROKER_RUNTIME_INFO, {}).code == 0
    except OSError:
        return False


def _properties(path: Path, **settings: object) -> Path:
    path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    return path
