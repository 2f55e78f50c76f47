"""A whole cluster in this process: name server and brokers on free ports and a temporary directory.

Everything is real (wire, store, threads of the reactor) and gone when the block ends: tasks, sockets, threads, files.
"""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import trio

from rocketmq_lite.broker.server import serve as serve_broker
from rocketmq_lite.client.client import connect
from rocketmq_lite.clock import SystemClock
from rocketmq_lite.config import BrokerSettings, NameServerSettings
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.nameserver.server import serve as serve_namesrv
from rocketmq_lite.transport.network import TcpNetwork
from rocketmq_lite.transport.nursery import background_nursery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rocketmq_lite.config import FlushMode

__all__ = ["Cluster", "embedded"]

_HOST: Final = "127.0.0.1"
_MAX_MASTERS: Final = 26


@final
@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster, made by :func:`embedded`.

    Attributes:
        namesrv: The name server's ``host:port``, for :func:`rocketmq_lite.connect`.
        brokers: Each broker's ``host:port``, by name.
        data: The directory that holds everything; it is removed when the block ends.
    """

    namesrv: str
    brokers: dict[str, str]
    data: Path

    async def create_topic(self, name: str, *, queues: int = 8) -> None:
        """Create a topic on every master; the name server knows it when this returns.

        Args:
            name: The topic.
            queues: Queues on each master.

        Raises:
            ConfigError: The name or the number is not valid.
            BrokerError: A broker refused, for instance a name that RocketMQ uses itself.
        """
        async with connect(self.namesrv) as client:
            await client.admin.create_topic(name, queues=queues)


@asynccontextmanager
async def embedded(
    *, masters: int = 1, slaves: int = 0, flush: FlushMode = "async"
) -> AsyncIterator[Cluster]:
    """A cluster for as long as the block lasts.

    Args:
        masters: Brokers, named ``broker-a``, ``broker-b`` and so on.
        slaves: Must be 0: replication is not there yet.
        flush: ``"async"`` acknowledges when a message is in the log, ``"sync"`` when the log is on the disk.

    Raises:
        ConfigError: An argument is not possible.

    Leaving the block, also by cancellation, stops the brokers in order, then the name server, then removes the
    directory.

    Example:
        >>> async with rmq.embedded() as cluster, rmq.connect(cluster.namesrv) as client:
        ...     await cluster.create_topic("orders", queues=4)
    """
    if not 1 <= masters <= _MAX_MASTERS:
        raise ConfigError(f"{masters} masters are not possible", hint=f"1 to {_MAX_MASTERS}")
    if slaves:
        raise ConfigError("slaves are not there yet", hint="leave slaves= out")
    clock, network = SystemClock(), TcpNetwork()
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rocketmq-lite-")))
        outer = await stack.enter_async_context(background_nursery())
        namesrv: str = await outer.start(
            partial(
                serve_namesrv,
                network,
                host=_HOST,
                port=0,
                clock=clock,
                settings=NameServerSettings(data=data / "namesrv"),
            )
        )
        inner = await stack.enter_async_context(background_nursery())
        brokers: dict[str, str] = {}
        for number in range(masters):
            name = f"broker-{chr(ord('a') + number)}"
            settings = BrokerSettings(name=name, port=0, data=data / name, flush=flush, namesrv=(namesrv,))
            address = await inner.start(partial(serve_broker, settings, network=network, clock=clock))
            brokers[name] = address.address
        try:
            yield Cluster(namesrv, brokers, data)
        finally:
            await trio.lowlevel.cancel_shielded_checkpoint()
