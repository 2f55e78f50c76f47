"""What the server commands share: start a server, run until a signal asks to stop, say when it is ready."""

from __future__ import annotations

import json
import os
import resource
import signal
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import trio

from rocketmq_lite.cli.failures import UsageFault
from rocketmq_lite.cli.interrupt import cancelled_by_ctrl_c
from rocketmq_lite.clock import SystemClock
from rocketmq_lite.errors import PortInUse
from rocketmq_lite.transport.address import format_address, parse_address
from rocketmq_lite.transport.network import TcpNetwork
from rocketmq_lite.transport.nursery import background_nursery

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

    from rocketmq_lite.config import BrokerSettings, TlsSettings

_OPEN_FILES: Final = 65_536
"""Where the system sets no limit; some then refuse to be asked for infinitely many."""
ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})


@asynccontextmanager
async def running_namesrv(
    *, host: str, port: int, data: Path, tls: TlsSettings | None, port_option: str
) -> AsyncIterator[str]:
    """Run a name server inside the block; its address."""
    from rocketmq_lite.config import NameServerSettings, TlsSettings
    from rocketmq_lite.nameserver.server import serve

    settings = NameServerSettings(data=data / "namesrv", tls=tls or TlsSettings())
    start = partial(serve, TcpNetwork(), host=host, port=port, settings=settings)
    async with _running(start, port_option) as address:
        yield address


@asynccontextmanager
async def running_broker(
    settings: BrokerSettings, *, to_namesrv: ssl.SSLContext | None, port_option: str
) -> AsyncIterator[str]:
    """Run a broker inside the block; its advertised address. It is registered when the block begins."""
    from rocketmq_lite.broker.server import serve

    start = partial(serve, settings, network=TcpNetwork(to_namesrv))
    async with _running(start, port_option) as addresses:
        yield addresses.address


@asynccontextmanager
async def _running(serve: Callable[..., Awaitable[None]], port_option: str) -> AsyncIterator[Any]:
    _raise_limit_on_open_files()
    start = partial(serve, clock=SystemClock())
    async with background_nursery() as nursery:
        try:
            status = await nursery.start(start)
        except PortInUse as error:
            error.hint = f"stop what listens there, or choose another port with {port_option} (0: a free one)"
            raise
        yield status


def _raise_limit_on_open_files() -> None:
    """Take all that the system permits: each connection and each log file is one, and the usual limit is 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # a system with a limit that it does not tell: the old one stays
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def stop_signals() -> Iterator[Callable[[], Awaitable[None]]]:
    """Heed SIGTERM and Ctrl-C from here on; what it gives waits for one of them.

    It returns when SIGTERM comes and raises KeyboardInterrupt when Ctrl-C does: the caller leaves its
    `async with` either way, so that the servers stop in order; only the exit code differs. A process that says
    it is ready has to be in this block already: whoever reads that may ask it to stop at once.
    """
    with cancelled_by_ctrl_c(), trio.open_signal_receiver(signal.SIGTERM) as signals:

        async def asked_to_stop() -> None:
            await anext(signals)

        yield asked_to_stop


def write_ready_file(path: Path | None, addresses: Mapping[str, str]) -> None:
    """Write `{"pid": ..., **addresses}` atomically: a reader sees all of it or no file."""
    if path is None:
        return
    partial_file = path.with_name(f".{path.name}.{os.getpid()}")
    partial_file.write_text(json.dumps({"pid": os.getpid(), **addresses}) + "\n")
    partial_file.replace(path)


def require_advertised(host: str, advertise: str | None) -> None:
    """Refuse to listen on every address without knowing which one clients shall be told."""
    if host in ANY_ADDRESS and not advertise:
        raise UsageFault(
            f"--host {host or '(empty)'} listens on every address, but routes need one that clients can reach",
            hint="add --advertise HOST[:PORT] with the address of this machine as clients see it",
        )


def address_for_others(bound: str, advertise: str | None) -> str:
    """A server's address as other machines see it: where it is bound to all, the advertised host."""
    from rocketmq_lite.broker.address import with_port

    host, port = parse_address(bound)
    if host not in ANY_ADDRESS or advertise is None:
        return bound
    return format_address(with_port(advertise, port)[0], port)


def address_from_here(bound: str) -> str:
    """A server's address as this process reaches it."""
    host, port = parse_address(bound)
    return format_address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)


def default_data_directory() -> Path:
    """`$XDG_DATA_HOME/rocketmq-lite`, by default below `~/.local/share`."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "rocketmq-lite"
