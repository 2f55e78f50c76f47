"""The broker about itself: its settings and how it is doing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from rocketmq_lite.broker.conf.keys import as_properties
from rocketmq_lite.broker.handlers.runtime import runtime_table
from rocketmq_lite.protocol.bodies import DataVersion, KVTable
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.framing import json_dumps
from rocketmq_lite.protocol.properties_text import dump_properties, load_properties

if TYPE_CHECKING:
    from rocketmq_lite.broker.address import BrokerAddress
    from rocketmq_lite.broker.conf.live import LiveSettings
    from rocketmq_lite.broker.engine.put_times import PutTimes
    from rocketmq_lite.broker.engine.rates import Rates
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.broker.services.schedule import Schedule
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler

_log: Final = logging.getLogger(__name__)


class AdminHandlers:
    """Settings and run-time figures."""

    def __init__(
        self,
        *,
        settings: LiveSettings,
        address: BrokerAddress,
        owner: EngineOwner,
        rates: Rates,
        put_times: PutTimes,
        schedule: Schedule,
        clock: Clock,
        started_ms: int,
    ) -> None:
        self._settings = settings
        self._address = address
        self._owner = owner
        self._rates = rates
        self._put_times = put_times
        self._schedule = schedule
        self._clock = clock
        self._started_ms = started_ms

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {
            RequestCode.GET_BROKER_CONFIG: self.settings,
            RequestCode.UPDATE_BROKER_CONFIG: self.change_settings,
            RequestCode.GET_BROKER_RUNTIME_INFO: self.runtime,
        }

    async def settings(self, _caller: Caller, request: Command) -> Command:
        """The settings under Apache's names, as properties text."""
        version = DataVersion(counter=self._settings.changes, state_version=0, timestamp=self._started_ms)
        return request.answer(
            fields={"version": json_dumps(version.to_json()).decode()},
            body=dump_properties(self._properties()),
        )

    async def change_settings(self, caller: Caller, request: Command) -> Command:
        """Change settings that may be changed, given as properties text, until the broker stops."""
        pairs = load_properties(request.body)
        self._settings.change(pairs)
        _log.warning("settings changed by %s: %s", caller.address, pairs)
        return request.answer()

    async def runtime(self, _caller: Caller, request: Command) -> Command:
        """Counters and rates, all as text."""
        figures = await self._owner.statistics()
        self._rates.sample(self._clock.mono(), figures)
        self._put_times.sample(self._clock.mono(), await self._owner.put_times())
        table = runtime_table(
            figures,
            self._rates,
            self._put_times,
            delays=await self._schedule.offsets(),
            settings=self._settings.current,
            started_ms=self._started_ms,
            now_ms=self._clock.wall_ms(),
            earliest_ms=await self._owner.earliest_time(),
        )
        return request.answer(body=KVTable(table=table).encode())

    def _properties(self) -> dict[str, str]:
        """The settings, and in their place what became of them at the start."""
        return as_properties(self._settings.current) | {
            "brokerIP1": self._address.host,
            "brokerIP2": self._address.host,
            "listenPort": str(self._address.port),
            "haListenPort": str(self._address.ha_port),
            "brokerPermission": "6",
            "enablePropertyFilter": "true",
        }
