"""Opens what a broker owns alone: its port and its store directory, with the engine in it, for either owner.

The port comes first, because the address is part of every message id; the store second, because its lock is what keeps a
second broker away from the configuration files beside it.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Literal

import trio

from rocketmq_lite.broker.address import BrokerAddress, advertised_address, reserve_port
from rocketmq_lite.broker.engine.delays import milliseconds
from rocketmq_lite.broker.plane import ReactorOwner
from rocketmq_lite.broker.pump import PumpOwner
from rocketmq_lite.broker.start import EngineSettings
from rocketmq_lite.clock import utc_offset_s
from rocketmq_lite.config_files import (
    ConfigDirectory,
    ConfigFiles,
    MemoryConfigFiles,
    Offload,
    inline_offload,
    thread_offload,
)
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.storage import known_topics
from rocketmq_lite.transport.address import format_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.config import BrokerSettings
    from rocketmq_lite.transport.network import Network

Owner = Literal["reactor", "pump"]

PUMP_SEED: Final = 1  # a test that fails has to fail again
FILE_THREADS: Final = 2  # topics and groups may be written at the same time


@asynccontextmanager
async def open_owner(
    settings: BrokerSettings, *, network: Network, clock: Clock, kind: Owner
) -> AsyncIterator[tuple[EngineOwner, BrokerAddress]]:
    """The engine with its store open, and the address it will listen on held for it. Leaving closes both.

    Raises:
        StoreError: The store cannot be opened.
        PortInUse: Another process listens on the port.
        ConfigError: The address cannot be, or there is no directory where one is needed.
    """
    _refuse_roles_to_come(settings)
    _refuse_a_log_that_cannot_grow(settings)
    opened = (
        _open_reactor(settings) if kind == "reactor" else _open_pump(settings, network=network, clock=clock)
    )
    async with opened as both:
        yield both


def _refuse_roles_to_come(settings: BrokerSettings) -> None:
    """A broker that took a role it cannot fill would promise copies that do not exist."""
    if settings.role != "async-master" or settings.broker_id != 0:
        raise ConfigError(
            f"replication is not there yet: no broker with role {settings.role} and id {settings.broker_id}",
            hint="run an async-master with id 0",
        )


def _refuse_a_log_that_cannot_grow(settings: BrokerSettings) -> None:
    if settings.commit_log and not set(settings.commit_log) - set(settings.read_only_commit_log):
        raise ConfigError(
            "every directory of the log is read-only, so that no message can be stored",
            hint="name one in storePathCommitLog that readOnlyCommitLogStorePaths does not name",
        )


def config_files(settings: BrokerSettings, kind: Owner) -> ConfigFiles:
    """Where the tables are kept: beside the store, or nowhere."""
    root = settings.store_root
    if root is None:
        return MemoryConfigFiles()
    return ConfigDirectory(root / "config", offload=disk_offload(kind))


def disk_offload(kind: Owner) -> Offload:
    """Who waits for the disk: threads of its own, or, under the pump, nobody else."""
    return thread_offload(trio.CapacityLimiter(FILE_THREADS)) if kind == "reactor" else inline_offload()


@asynccontextmanager
async def _open_reactor(settings: BrokerSettings) -> AsyncIterator[tuple[EngineOwner, BrokerAddress]]:
    if settings.store_root is None:
        raise ConfigError("a broker that serves TCP needs a data directory", hint="give it one with --data")
    with await reserve_port(settings.host, settings.port) as port:
        host, number = port.getsockname()[:2]
        address = await advertised_address(settings.advertise, format_address(host, number))
        seed = int.from_bytes(os.urandom(8))
        engine_settings = _engine_settings(settings, address, seed=seed, utc_offset_s=utc_offset_s())
        owner = await ReactorOwner.open(engine_settings, port)
        try:
            yield owner, address
        finally:
            await owner.close()


@asynccontextmanager
async def _open_pump(
    settings: BrokerSettings, *, network: Network, clock: Clock
) -> AsyncIterator[tuple[EngineOwner, BrokerAddress]]:
    listener = await network.listen(settings.host, settings.port)
    async with listener:
        address = await advertised_address(settings.advertise, listener.address)
        owner = PumpOwner.open(_engine_settings(settings, address, seed=PUMP_SEED), listener, clock)
        try:
            yield owner, address
        finally:
            await owner.close()


def _engine_settings(
    settings: BrokerSettings, address: BrokerAddress, *, seed: int, utc_offset_s: int = 0
) -> EngineSettings:
    return EngineSettings(
        broker_name=settings.name,
        cluster=settings.cluster,
        region=settings.region,
        store_host=address.store_host,
        root=settings.store_root,
        log_dirs=settings.commit_log,
        read_only_log_dirs=settings.read_only_commit_log,
        topics=None if settings.store_root is None else known_topics(settings.store_root),
        segment_size=settings.segment_size,
        queue_file_entries=settings.queue_file_entries,
        queue_extension_file_size=settings.queue_extension_file_size if settings.queue_extensions else None,
        index_slots=settings.index_slots,
        index_entries=settings.index_entries,
        flush=settings.flush,
        flush_interval_ms=round(settings.flush_interval * 1000),
        seed=seed,
        utc_offset_s=utc_offset_s,
        max_message=settings.max_message,
        delays_ms=tuple(map(milliseconds, settings.delay_levels)),
        max_connections=settings.max_connections,
        tls=settings.tls,
    )
