"""The broker about itself: its settings and how it is doing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from rocketmq_lite.protocol.bodies import DataVersion, KVTable
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import VERSION
from rocketmq_lite.protocol.framing import json_dumps
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

_ROLES: Final = {"async-master": "ASYNC_MASTER", "sync-master": "SYNC_MASTER", "slave": "SLAVE"}
_FLUSH: Final = {"async": "ASYNC_FLUSH", "sync": "SYNC_FLUSH"}

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
        lines = (f"{key}={_escape(value)}\n" for key, value in sorted(self._properties().items()))
        version = DataVersion(counter=0, state_version=0, timestamp=self._started_ms)
        return request.answer(
            fields={"version": json_dumps(version.to_json()).decode()}, body="".join(lines).encode()
        )

    async def runtime(self, _caller: Caller, request: Command) -> Command:
        """Counters and rates, all as text."""
        figures = await self._owner.statistics()
        self._rates.sample(self._clock.mono(), figures)
        return request.answer(body=KVTable(table=self._runtime(figures)).encode())

    def _properties(self) -> dict[str, str]:
        settings = self._settings
        data = {} if settings.data is None else {"storePathRootDir": str(settings.data / "store")}
        namesrv = {"namesrvAddr": ";".join(settings.namesrv)} if settings.namesrv else {}
        return {
            **data,
            **namesrv,
            "brokerClusterName": settings.cluster,
            "brokerName": settings.name,
            "brokerId": str(settings.broker_id),
            "brokerIP1": self._address.host,
            "brokerIP2": self._address.host,
            "listenPort": str(self._address.port),
            "haListenPort": str(self._address.ha_port),
            "brokerRole": _ROLES[settings.role],
            "flushDiskType": _FLUSH[settings.flush],
            "brokerPermission": "6",
            "defaultTopicQueueNums": str(settings.default_topic_queues),
            "autoCreateTopicEnable": _java(settings.auto_create_topic),
            "autoCreateSubscriptionGroup": _java(settings.auto_create_group),
            "enablePropertyFilter": "true",
            "mappedFileSizeCommitLog": str(settings.segment_size),
            "registerNameServerPeriod": str(int(settings.register_interval * 1000)),
            "regionId": settings.region,
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
            **_disk(self._settings.data),
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


def _disk(data: Path | None) -> dict[str, str]:
    """How full the disk is that holds the log; a broker in memory has none."""
    if data is None:
        return {"commitLogDiskRatio": "0.0"}
    usage = shutil.disk_usage(data)
    # As df does: what only the administrator may use is neither free nor used.
    ratio = usage.used / (usage.used + usage.free)
    return {
        "commitLogDiskRatio": str(ratio),
        f"commitLogDiskRatio_{data / 'store' / 'commitlog'}": str(ratio),
        "commitLogDirCapacity": f"Total : {usage.total} bytes, Free : {usage.free} bytes.",
    }


def _java(value: bool) -> str:  # noqa: FBT001 - a conversion
    return "true" if value else "false"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def _duration(milliseconds: int) -> str:
    """A span as Apache prints it: ``[ 0 days, 1 hours, 2 minutes, 3 seconds ]``."""
    minutes, seconds = divmod(max(milliseconds, 0) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"[ {days} days, {hours} hours, {minutes} minutes, {seconds} seconds ]"
