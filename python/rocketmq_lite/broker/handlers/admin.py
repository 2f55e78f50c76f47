"""The broker about itself: its settings and how it is doing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from rocketmq_lite.broker.conf import as_properties
from rocketmq_lite.protocol.bodies import DataVersion, KVTable
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import VERSION
from rocketmq_lite.protocol.framing import json_dumps
from rocketmq_lite.protocol.properties_text import dump_properties
from rocketmq_lite.protocol.versions import version_constant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rocketmq_lite.broker.address import BrokerAddress
    from rocketmq_lite.broker.engine.rates import Rates
    from rocketmq_lite.broker.events import Caller
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.config import BrokerSettings
    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.dispatch import Handler

# Figures that tools expect and that this broker has nothing to say about: no queues of waiting threads, no timers.
_IDLE: Final = {
    "sendThreadPoolQueueSize": "0",
    "sendThreadPoolQueueCapacity": "10000",
    "sendThreadPoolQueueHeadWaitTimeMills": "0",
    "pullThreadPoolQueueSize": "0",
    "pullThreadPoolQueueCapacity": "100000",
    "pullThreadPoolQueueHeadWaitTimeMills": "0",
    "ackThreadPoolQueueSize": "0",
    "ackThreadPoolQueueCapacity": "100000",
    "ackThreadPoolQueueHeadWaitTimeMills": "0",
    "queryThreadPoolQueueSize": "0",
    "queryThreadPoolQueueCapacity": "20000",
    "queryThreadPoolQueueHeadWaitTimeMills": "0",
    "pageCacheLockTimeMills": "0",
    "dispatchBehindBytes": "0",
    "startAcceptSendRequestTimeStamp": "0",
    "timerReadBehind": "0",
    "timerOffsetBehind": "0",
    "timerCongestNum": "0",
    "timerEnqueueTps": "0.0",
    "timerDequeueTps": "0.0",
}


class AdminHandlers:
    """Settings and run-time figures."""

    def __init__(
        self,
        *,
        settings: BrokerSettings,
        address: BrokerAddress,
        owner: EngineOwner,
        rates: Rates,
        clock: Clock,
        started_ms: int,
    ) -> None:
        self._settings = settings
        self._address = address
        self._owner = owner
        self._rates = rates
        self._clock = clock
        self._started_ms = started_ms

    def table(self) -> dict[int, Handler[Caller]]:
        """Which request each method answers."""
        return {
            RequestCode.GET_BROKER_CONFIG: self.settings,
            RequestCode.GET_BROKER_RUNTIME_INFO: self.runtime,
        }

    async def settings(self, _caller: Caller, request: Command) -> Command:
        """The settings under Apache's names, as properties text."""
        version = DataVersion(counter=0, state_version=0, timestamp=self._started_ms)
        return request.answer(
            fields={"version": json_dumps(version.to_json()).decode()},
            body=dump_properties(self._properties()),
        )

    async def runtime(self, _caller: Caller, request: Command) -> Command:
        """Counters and rates, all as text."""
        figures = await self._owner.statistics()
        self._rates.sample(self._clock.mono(), figures)
        return request.answer(body=KVTable(table=self._runtime(figures)).encode())

    def _properties(self) -> dict[str, str]:
        """The settings, and in their place what became of them at the start."""
        return as_properties(self._settings) | {
            "brokerIP1": self._address.host,
            "brokerIP2": self._address.host,
            "listenPort": str(self._address.port),
            "haListenPort": str(self._address.ha_port),
            "brokerPermission": "6",
            "enablePropertyFilter": "true",
        }

    def _runtime(self, figures: Mapping[str, int]) -> dict[str, str]:
        now = self._clock.wall_ms()
        put_rate, get_rate = self._rates.text("messages_in"), self._rates.text("messages_out")
        messages = figures["messages_in"]
        size = figures["bytes_in"]
        return {
            **_IDLE,
            "brokerActive": "true",
            "brokerVersion": str(VERSION),
            "brokerVersionDesc": version_constant(VERSION),
            "bootTimestamp": str(self._started_ms),
            "runtime": _duration(now - self._started_ms),
            "putTps": put_rate,
            "getTransferredTps": get_rate,
            "getTransferedTps": get_rate,  # the 4.x spelling, which older tools read
            "getTotalTps": self._rates.text("pulls"),
            "getFoundTps": get_rate,
            "msgPutTotalTodayNow": str(messages),
            "msgGetTotalTodayNow": str(figures["messages_out"]),
            **dict.fromkeys(_TOTALS_OF_OTHER_DAYS, "0"),
            **_disk(self._settings.store_root),
            "putMessageTimesTotal": str(messages),
            "putMessageSizeTotal": str(size),
            "putMessageAverageSize": str(size / messages if messages else 0.0),
            "putMessageFailedTimes": str(figures["sends_refused"]),
            "commitLogMaxOffset": str(figures["log_end"]),
            "remainHowManyDataToFlush": f"{figures['log_end'] - figures['flushed_end']} bytes",
        }


_TOTALS_OF_OTHER_DAYS: Final = (
    "msgPutTotalTodayMorning",
    "msgPutTotalYesterdayMorning",
    "msgGetTotalTodayMorning",
    "msgGetTotalYesterdayMorning",
)


def _disk(root: Path | None) -> dict[str, str]:
    """How full the disk is that holds the log; a broker in memory has none."""
    if root is None:
        return {"commitLogDiskRatio": "0.0"}
    usage = shutil.disk_usage(root)
    # As df does: what only the administrator may use is neither free nor used.
    ratio = usage.used / (usage.used + usage.free)
    return {
        "commitLogDiskRatio": str(ratio),
        f"commitLogDiskRatio_{root / 'commitlog'}": str(ratio),
        "commitLogDirCapacity": f"Total : {usage.total} bytes, Free : {usage.free} bytes.",
    }


def _duration(milliseconds: int) -> str:
    """A span as Apache prints it: ``[ 0 days, 1 hours, 2 minutes, 3 seconds ]``."""
    minutes, seconds = divmod(max(milliseconds, 0) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"[ {days} days, {hours} hours, {minutes} minutes, {seconds} seconds ]"
