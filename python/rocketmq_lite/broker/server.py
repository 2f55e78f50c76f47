"""One broker, from its first byte on disk to its last: what is started in which order, and ended in which.

Start: port and store (a directory belongs to one broker at a time), tables from their files, tables into the engine,
listen, register with the name servers. ``serve`` reports itself started when clients can find the broker.

Stop: leave the name servers, write what is not on disk, let the engine answer what it holds and close the store, let go of
the port. Being cancelled is the ordinary way to stop; the good-bye has a deadline of its own.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.broker.catalog import Catalog
from rocketmq_lite.broker.conf.live import LiveSettings
from rocketmq_lite.broker.engine.clients import ClientTable
from rocketmq_lite.broker.engine.delays import DelayProgress
from rocketmq_lite.broker.engine.filters import ConditionTable
from rocketmq_lite.broker.engine.groups import GroupTable
from rocketmq_lite.broker.engine.locks import LockTable
from rocketmq_lite.broker.engine.offsets import OffsetSnapshots
from rocketmq_lite.broker.engine.put_times import PutTimes
from rocketmq_lite.broker.engine.rates import Rates
from rocketmq_lite.broker.engine.topics import TopicTable
from rocketmq_lite.broker.handlers.admin import AdminHandlers
from rocketmq_lite.broker.handlers.clients import ClientHandlers
from rocketmq_lite.broker.handlers.group import GroupHandlers
from rocketmq_lite.broker.handlers.heartbeat import HeartbeatHandlers
from rocketmq_lite.broker.handlers.lock import LockHandlers
from rocketmq_lite.broker.handlers.progress import ProgressHandlers
from rocketmq_lite.broker.handlers.relay import RelayHandlers
from rocketmq_lite.broker.handlers.reset import ResetHandlers
from rocketmq_lite.broker.handlers.topic import TopicHandlers
from rocketmq_lite.broker.opening import Owner, config_files, disk_offload, open_owner
from rocketmq_lite.broker.presence import Presence
from rocketmq_lite.broker.router import Router
from rocketmq_lite.broker.services import expiry, rates, reach, retention
from rocketmq_lite.broker.services.conditions import ConditionKeeper
from rocketmq_lite.broker.services.offsets import OffsetKeeper
from rocketmq_lite.broker.services.register import Identity, Registrar
from rocketmq_lite.broker.services.schedule import Schedule
from rocketmq_lite.config_files import ConfigFiles, Offload, SavedDocument
from rocketmq_lite.errors import RocketMQError
from rocketmq_lite.protocol.bodies import DataVersion, RegisterBrokerBody
from rocketmq_lite.transport.dispatch import table_handler
from rocketmq_lite.transport.nursery import ProtectedNursery, background_nursery
from rocketmq_lite.transport.rpc import open_pool

if TYPE_CHECKING:
    from pathlib import Path

    from rocketmq_lite.broker.address import BrokerAddress
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.config import BrokerSettings
    from rocketmq_lite.transport.network import Network
    from rocketmq_lite.transport.rpc import Pool

_log: Final = logging.getLogger(__name__)

TOPIC_FILE: Final = "topics.json"
GROUP_FILE: Final = "subscriptionGroup.json"
STOP_SECONDS: Final = 15.0  # 3 for the name servers, 5 for waiting sends, the rest for the disk


async def serve(
    settings: BrokerSettings,
    *,
    network: Network,
    clock: Clock,
    owner: Owner = "reactor",
    task_status: trio.TaskStatus[BrokerAddress] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a broker until cancelled.

    Args:
        settings: The broker; without a data directory it keeps everything in memory, which needs the pump.
        network: How name servers are reached, and, under the pump, where clients come from.
        clock: Time.
        owner: ``reactor`` for TCP and a thread of its own, ``pump`` for tests in memory.
        task_status: Started with the broker's address when it serves and, with name servers given, one of them knows it.

    Raises:
        StoreLocked: Another broker uses the directory.
        StoreDamaged: What is stored is not readable; the error says where.
        PortInUse: Another process listens on the port.
        ConfigError: The settings cannot be.
    """
    async with (
        open_owner(settings, network=network, clock=clock, kind=owner) as (engine, address),
        open_pool(network, clock) as pool,
        background_nursery() as nursery,
    ):
        broker = _Broker(
            settings,
            engine=engine,
            pool=pool,
            clock=clock,
            address=address,
            files=config_files(settings, owner),
            store_root=settings.store_root,
            offload=disk_offload(owner),
        )
        broker.load()
        nursery.start_soon(engine.run, broker.router(nursery).deliver)
        await engine.listen()
        nursery.start_soon(broker.run_services)
        nursery.start_soon(broker.register, task_status)
        try:
            await trio.sleep_forever()
        finally:  # what is in the nursery still runs, whatever ended the sleep
            with trio.move_on_after(STOP_SECONDS, shield=True) as deadline:
                await broker.say_good_bye()
            if deadline.cancelled_caught:
                _log.error(
                    "the broker did not stop in %g s; the next start will recover its store", STOP_SECONDS
                )


class _Broker:
    """The parts of one broker and how they are connected."""

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        engine: EngineOwner,
        pool: Pool,
        clock: Clock,
        address: BrokerAddress,
        files: ConfigFiles,
        store_root: Path | None,
        offload: Offload,
    ) -> None:
        self._store_root = store_root
        self._offload = offload
        self._settings = settings
        self._engine = engine
        self._clock = clock
        self._address = address
        self._files = files
        self._pool = pool
        self._started_ms = now = clock.wall_ms()
        self._topics = TopicTable(
            cluster=settings.cluster,
            broker_name=settings.name,
            template_queues=settings.default_topic_queues if settings.auto_create_topic else None,
            now_ms=now,
        )
        self._live = LiveSettings(settings, heed=self._heed)
        self._groups = GroupTable(auto_create=settings.auto_create_group, now_ms=now)
        self._clients = ClientTable()
        self._locks = LockTable(settings.lock_seconds)
        self._rates = Rates()
        self._put_times = PutTimes()
        self._registrar = Registrar(
            pool=pool,
            servers=settings.namesrv,
            clock=clock,
            interval=settings.register_interval,
            picture=self._registration,
            mark_ordered=self._mark_ordered,
        )
        self._catalog = Catalog(
            owner=engine,
            topics=self._topics,
            groups=self._groups,
            topic_file=SavedDocument(files, TOPIC_FILE, self._topics.picture),
            group_file=SavedDocument(files, GROUP_FILE, self._groups.picture),
            registrar=self._registrar,
            clock=clock,
        )
        conditions = ConditionTable()
        self._presence = Presence(engine, self._clients, self._groups, conditions, clock)
        self._conditions = ConditionKeeper(conditions, files, clock)
        self._offsets = OffsetKeeper(
            owner=engine,
            files=files,
            snapshots=OffsetSnapshots(DataVersion(counter=0, state_version=0, timestamp=now)),
            clock=clock,
            every=settings.offset_interval,
        )
        self._schedule = Schedule(
            owner=engine,
            files=files,
            levels=len(settings.delay_levels),
            every=settings.delay_interval,
            progress=DelayProgress(DataVersion(counter=0, state_version=0, timestamp=now)),
            clock=clock,
        )

    def load(self) -> None:
        """Read the tables from their files and give them to the engine."""
        self._files.load(TOPIC_FILE, self._topics.restore)
        self._files.load(GROUP_FILE, self._groups.restore)
        self._catalog.push_all()
        self._conditions.load()
        self._offsets.load()
        self._schedule.load()

    def router(self, nursery: ProtectedNursery) -> Router:
        """Where the engine's cold events go."""
        name, address = self._settings.name, self._address.address
        table = {
            **HeartbeatHandlers(
                catalog=self._catalog, clients=self._clients, presence=self._presence, clock=self._clock
            ).table(),
            **ClientHandlers(self._clients).table(),
            **LockHandlers(self._locks, self._clock, self._engine).table(),
            **TopicHandlers(
                catalog=self._catalog, owner=self._engine, broker_name=name, address=address
            ).table(),
            **GroupHandlers(self._catalog).table(),
            **ProgressHandlers(
                catalog=self._catalog,
                owner=self._engine,
                clients=self._clients,
                clock=self._clock,
                broker_name=name,
                address=address,
            ).table(),
            **ResetHandlers(
                catalog=self._catalog, owner=self._engine, clients=self._clients, broker_name=name
            ).table(),
            **RelayHandlers(self._engine, self._clients, broker_name=name).table(),
            **AdminHandlers(
                settings=self._live,
                address=self._address,
                owner=self._engine,
                rates=self._rates,
                put_times=self._put_times,
                schedule=self._schedule,
                clock=self._clock,
                started_ms=self._started_ms,
            ).table(),
        }
        return Router(
            nursery,
            owner=self._engine,
            handle=table_handler(table),
            catalog=self._catalog,
            presence=self._presence,
        )

    async def run_services(self) -> None:
        """The loops that run for as long as the broker does."""
        async with ProtectedNursery() as nursery:
            if self._settings.advertise is not None:
                nursery.start_soon(self._check_advertised_address)
            nursery.start_soon(self._conditions.run)
            nursery.start_soon(self._offsets.run)
            nursery.start_soon(self._schedule.run)
            nursery.start_soon(expiry.run, self._presence, self._locks, self._engine, self._clock)
            nursery.start_soon(rates.run, self._rates, self._put_times, self._engine, self._clock)
            if self._store_root is not None:
                nursery.start_soon(self._retain, self._store_root)

    async def _retain(self, root: Path) -> None:
        await retention.run(
            lambda: self._live.current.retention,
            root,
            self._settings.log_dirs,
            owner=self._engine,
            clock=self._clock,
            offload=self._offload,
        )

    def _heed(self, settings: BrokerSettings) -> None:
        """Settings have changed; retention asks for its own."""
        self._groups.auto_create = settings.auto_create_group

    async def _check_advertised_address(self) -> None:
        await reach.check(
            self._pool, self._address.address, name=self._settings.name, started_ms=self._started_ms
        )

    async def register(self, task_status: trio.TaskStatus[BrokerAddress]) -> None:
        """Register, and go on doing so; the broker is started when that has worked once."""
        identity = Identity(
            name=self._settings.name,
            cluster=self._settings.cluster,
            broker_id=self._settings.broker_id,
            address=self._address.address,
            ha_address=self._address.ha_address,
        )
        async with ProtectedNursery() as nursery:
            await nursery.start(self._registrar.run, identity)
            task_status.started(self._address)

    async def say_good_bye(self) -> None:
        """Stop in order. What fails is logged; the next step is taken all the same.

        Offsets are written twice: before the engine stops, which may take too long, and after it, when nobody can
        commit any more. How far delayed messages have come waits for the flush that the stop brings.
        """
        await self._registrar.leave()
        saves = (self._catalog.save, self._conditions.save, self._offsets.save)
        for step in (*saves, self._engine.stop, self._offsets.save, self._schedule.save):
            try:
                await step()
            except RocketMQError as error:
                _log.error("while stopping: %s", error)

    async def _mark_ordered(self, names: frozenset[str]) -> None:
        try:
            await self._catalog.mark_ordered(names)
        except RocketMQError as error:
            _log.error("topics were marked as ordered but %s", error)

    def _registration(self, names: frozenset[str] | None) -> bytes:
        topics = self._topics.all()
        chosen = topics if names is None else {name: topics[name] for name in names if name in topics}
        return RegisterBrokerBody(data_version=self._topics.version, topics=chosen).encode()
