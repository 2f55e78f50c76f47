"""A whole cluster in this process: name server and brokers, with real connections and a real store.

For tests, notebooks and examples. Everything listens on free ports of 127.0.0.1 and stores in a temporary
directory; when the block ends, nothing of it is left: no task, thread, socket or file.

The servers are imported when the first cluster starts: the package imports this module at once, so that
its function is not hidden by the module of the same name, and importing the package has to stay cheap.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from string import ascii_lowercase
from typing import TYPE_CHECKING, Final, final

from rocketmq_lite.errors import ConfigError
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from rocketmq_lite.broker.address import BrokerAddress
    from rocketmq_lite.config import FlushMode
    from rocketmq_lite.transport.nursery import ProtectedNursery

__all__ = ["Cluster", "embedded"]

_HOST: Final = "127.0.0.1"
_SEGMENT_SIZE: Final = 64 * 1024 * 1024
"""Bytes of a commit-log file: far above the largest message, and no burden for a small temporary directory."""


@final
@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster; made by :func:`embedded`.

    Attributes:
        namesrv: The name server's ``host:port``, for :func:`rocketmq_lite.connect`.
        brokers: Each master's ``host:port``, by broker name (``broker-a``, ``broker-b`` …).
        data: The directory that holds everything; removed when the block ends.
    """

    namesrv: str
    brokers: Mapping[str, str]
    data: Path

    async def create_topic(self, name: str, *, queues: int = 8) -> None:
        """Create a topic on every master; it can be used when this returns.

        Args:
            name: The topic.
            queues: Its queues on each master.

        Raises:
            ConfigError: The name or the number is not valid.
            BrokerError: A broker refused, for instance a name that RocketMQ uses itself.

        Cancelling leaves the topic on some masters and not on others; call it again.
        """
        from rocketmq_lite.client.connect import connect

        async with connect(self.namesrv) as client:
            await client.admin.create_topic(name, queues=queues)


@asynccontextmanager
async def embedded(
    *, masters: int = 1, slaves: int = 0, flush: FlushMode = "async"
) -> AsyncIterator[Cluster]:
    """A name server and brokers in this process, for as long as the block lasts.

    Args:
        masters: How many brokers, each with queues of its own.
        slaves: Not there yet; only 0 is possible.
        flush: ``"sync"`` answers a send when the message is on disk, ``"async"`` when it is in the
            system's memory.

    Raises:
        ConfigError: An argument is not possible.

    Leaving the block, also by cancellation, stops the brokers in order and removes their files; it can
    take a moment, which a cancellation does not cut short.

    Example:
        >>> async with rmq.embedded() as cluster:
        ...     await cluster.create_topic("orders", queues=4)
        ...     async with rmq.connect(cluster.namesrv) as client:
        ...         await client.producer("shop").send("orders", b"...")
    """
    _check(masters, slaves, flush)
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from rocketmq_lite.transport.nursery import background_nursery

    with TemporaryDirectory(prefix="rocketmq-lite-") as directory:
        data = Path(directory)
        # Two nurseries, so that brokers can take their leave of the name server.
        async with background_nursery() as name_servers, background_nursery() as brokers:
            namesrv = await _start_name_server(name_servers, data / "namesrv")
            addresses = {
                name: await _start_broker(brokers, name, namesrv, data / name, flush)
                for name in (f"broker-{letter}" for letter in ascii_lowercase[:masters])
            }
            yield Cluster(namesrv, addresses, data)


async def _start_name_server(nursery: ProtectedNursery, data: Path) -> str:
    from rocketmq_lite.clock import SystemClock
    from rocketmq_lite.config import NameServerSettings
    from rocketmq_lite.nameserver.server import serve
    from rocketmq_lite.transport.network import TcpNetwork

    address: str = await nursery.start(
        partial(
            serve,
            TcpNetwork(),
            host=_HOST,
            port=0,
            clock=SystemClock(),
            settings=NameServerSettings(data=data),
        )
    )
    return address


async def _start_broker(
    nursery: ProtectedNursery, name: str, namesrv: str, data: Path, flush: FlushMode
) -> str:
    from rocketmq_lite.broker.server import serve
    from rocketmq_lite.clock import SystemClock
    from rocketmq_lite.config import BrokerSettings
    from rocketmq_lite.transport.network import TcpNetwork

    settings = BrokerSettings(
        name=name,
        flush=flush,
        namesrv=(namesrv,),
        host=_HOST,
        port=0,
        data=data,
        segment_size=_SEGMENT_SIZE,
    )
    started: BrokerAddress = await nursery.start(
        partial(serve, settings, network=TcpNetwork(), clock=SystemClock())
    )
    return started.address


def _check(masters: int, slaves: int, flush: str) -> None:
    if not 1 <= masters <= len(ascii_lowercase):
        raise ConfigError(f"{masters} masters are not possible", hint=f"give 1 to {len(ascii_lowercase)}")
    if slaves != 0:
        raise ConfigError(
            "slaves are not there yet", hint="leave slaves= out; masters= gives several brokers"
        )
    if flush not in {"async", "sync"}:
        raise ConfigError(f"flush is {flush!r}", hint="give 'async' or 'sync'")
