"""A name server: the listener, its timer, and the file of its KV configuration."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.config import NameServerSettings
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.nameserver.engine.kv import KVConfig
from rocketmq_lite.nameserver.engine.routes import RouteTable
from rocketmq_lite.nameserver.handlers import NameServerHandlers
from rocketmq_lite.transport.dispatch import table_handler
from rocketmq_lite.transport.server import CommandServer

if TYPE_CHECKING:
    from pathlib import Path

    from rocketmq_lite.clock import Clock
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
        ConfigError: The address is none of this machine's, or the KV configuration cannot be read.
    """
    settings = settings or NameServerSettings()
    routes = RouteTable(live_timeout=settings.live_timeout)
    store = _KVStore(settings.data)
    store.load()
    handlers = NameServerHandlers(
        routes=routes, kv=store.kv, save_kv=store.save, clock=clock, settings=settings
    )

    def closed(peer: Peer) -> None:
        for key in routes.connection_closed(peer.id):
            _log.info("broker %s of %s is gone: its connection closed", key.address, key.cluster)

    server = CommandServer(table_handler(handlers.table()), limits=settings.limits, on_close=closed)
    listener = await network.listen(host, port)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_expire, routes, clock, settings.scan_interval)
        await server.serve(listener, task_status=task_status)


async def _expire(routes: RouteTable, clock: Clock, interval: float) -> None:
    while True:
        await trio.sleep(interval)
        for key in routes.expire(now=clock.mono()):
            _log.warning("broker %s of %s is gone: it has been silent too long", key.address, key.cluster)


class _KVStore:
    """KV configuration and its file; without a directory it lives in memory only.

    Saving takes a thread, which mock clocks do not wait for: tests in mock time give no directory.
    """

    def __init__(self, directory: Path | None) -> None:
        self.kv = KVConfig()
        self._path = None if directory is None else directory / KV_FILE
        self._saving = trio.Lock()

    def load(self) -> None:
        if self._path is None or not self._path.exists():
            return
        try:
            self.kv.load(self._path.read_text(encoding="utf-8"))
        except (ConfigError, OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self._path}: {error}", hint="repair or remove the file") from error

    async def save(self) -> None:
        if self._path is None:
            return
        async with self._saving:  # in turn: each writes the same partial file, the last must be the newest
            await trio.to_thread.run_sync(_replace, self._path, self.kv.to_text())


def _replace(path: Path, text: str) -> None:
    """Write a file so that a crash leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".tmp")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
