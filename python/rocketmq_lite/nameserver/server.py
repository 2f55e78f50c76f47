"""A name server: the listener, its timer, and the file of its KV configuration."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.config import NameServerSettings
from rocketmq_lite.config_files import ConfigDirectory, MemoryConfigFiles, SavedDocument, thread_offload
from rocketmq_lite.nameserver.engine.kv import KVConfig
from rocketmq_lite.nameserver.engine.routes import RouteTable
from rocketmq_lite.nameserver.handlers import NameServerHandlers
from rocketmq_lite.nameserver.kv_handlers import KVHandlers
from rocketmq_lite.transport.dispatch import table_handler
from rocketmq_lite.transport.nursery import ProtectedNursery
from rocketmq_lite.transport.server import CommandServer
from rocketmq_lite.transport.tls_listener import TlsListener

if TYPE_CHECKING:
    from pathlib import Path

    from rocketmq_lite.clock import Clock
    from rocketmq_lite.config_files import ConfigFiles
    from rocketmq_lite.transport.network import Network
    from rocketmq_lite.transport.server import Peer

__all__ = ["serve"]

_log = logging.getLogger(__name__)

KV_FILE: Final = "kvConfig.json"


async def serve(
    network: Network,
    *,
    host: str,
    port: int,
    clock: Clock,
    settings: NameServerSettings | None = None,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; the status is the bound ``host:port``.

    Raises:
        PortInUse: Another process listens there.
        ConfigError: The address is none of this machine's, or a TLS file cannot be used.
        StoreDamaged: The KV configuration and its backup are both damaged.
        StoreError: The KV configuration cannot be read.
    """
    settings = settings or NameServerSettings()
    routes = RouteTable(live_timeout=settings.live_timeout)
    kv, files = KVConfig(), _files(settings.data)
    files.load(KV_FILE, kv.restore)
    handlers = {
        **NameServerHandlers(routes=routes, kv=kv, clock=clock, settings=settings).table(),
        **KVHandlers(kv, SavedDocument(files, KV_FILE, kv.picture).save).table(),
    }

    def closed(peer: Peer) -> None:
        for key in routes.connection_closed(peer.id):
            _log.info("broker %s of %s is gone: its connection closed", key.address, key.cluster)

    server = CommandServer(table_handler(handlers), limits=settings.limits, on_close=closed)
    listener = TlsListener(await network.listen(host, port), settings.tls)
    async with ProtectedNursery() as nursery:
        nursery.start_soon(_expire, routes, clock, settings.scan_interval)
        await server.serve(listener, task_status=task_status)


def _files(directory: Path | None) -> ConfigFiles:
    """Where KV configuration is kept. On disk it takes a thread, which mock clocks do not wait for."""
    if directory is None:
        return MemoryConfigFiles()
    return ConfigDirectory(directory, offload=thread_offload(trio.CapacityLimiter(1)))


async def _expire(routes: RouteTable, clock: Clock, interval: float) -> None:
    while True:
        await trio.sleep(interval)
        for key in routes.expire(now=clock.mono()):
            _log.warning("broker %s of %s is gone: it has been silent too long", key.address, key.cluster)
