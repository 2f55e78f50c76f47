"""How a broker is doing, under Apache's names and all as text: the body of request 28.

How long sends took is told of the last minute, up to now; Apache tells it of the last minute that it has completed.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from rocketmq_lite.broker.services.retention import used_part
from rocketmq_lite.protocol.command import VERSION
from rocketmq_lite.protocol.versions import version_constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.broker.engine.put_times import PutTimes
    from rocketmq_lite.broker.engine.rates import Rates
    from rocketmq_lite.config import BrokerSettings

# Figures that tools expect and that this broker has nothing to say about: no queues of waiting threads, no timers, no
# pool of buffers that messages stay in before they are written.
_IDLE: Final = {
    "sendThreadPoolQueueSize": "0",
    "sendThreadPoolQueueCapacity": "10000",
    "sendThreadPoolQueueHeadWaitTimeMills": "0",
    "pullThreadPoolQueueSize": "0",
    "pullThreadPoolQueueCapacity": "100000",
    "pullThreadPoolQueueHeadWaitTimeMills": "0",
    "litePullThreadPoolQueueSize": "0",
    "litePullThreadPoolQueueCapacity": "100000",
    "litePullThreadPoolQueueHeadWaitTimeMills": "0",
    "ackThreadPoolQueueSize": "0",
    "ackThreadPoolQueueCapacity": "100000",
    "ackThreadPoolQueueHeadWaitTimeMills": "0",
    "queryThreadPoolQueueSize": "0",
    "queryThreadPoolQueueCapacity": "20000",
    "queryThreadPoolQueueHeadWaitTimeMills": "0",
    "EndTransactionQueueSize": "0",
    "EndTransactionThreadPoolQueueCapacity": "100000",
    "pageCacheLockTimeMills": "0",
    "dispatchMaxBuffer": "0",
    "remainHowManyDataToCommit": "0 bytes",
    "remainTransientStoreBufferNumbs": "0",
    "startAcceptSendRequestTimeStamp": "0",
    "timerReadBehind": "0",
    "timerOffsetBehind": "0",
    "timerCongestNum": "0",
    "timerEnqueueTps": "0.0",
    "timerDequeueTps": "0.0",
}
_TOTALS_OF_OTHER_DAYS: Final = (
    "msgPutTotalTodayMorning",
    "msgPutTotalYesterdayMorning",
    "msgGetTotalTodayMorning",
    "msgGetTotalYesterdayMorning",
)


def runtime_table(
    figures: Mapping[str, int],
    rates: Rates,
    put_times: PutTimes,
    *,
    delays: Mapping[int, tuple[int, int]],
    settings: BrokerSettings,
    started_ms: int,
    now_ms: int,
    earliest_ms: int,
) -> dict[str, str]:
    """The table.

    Args:
        figures: The engine's counters, sampled by the rates too.
        rates: What they grew by.
        put_times: How long sends took.
        delays: Of each delay level in use, the next message to deliver, and where its queue ends.
        settings: For where the store is.
        started_ms: When the broker was started.
        now_ms: Wall time.
        earliest_ms: When the oldest message of the log was stored; -1 when there is none.
    """
    get_rate = rates.text("messages_out")
    messages, size, end = figures["messages_in"], figures["bytes_in"], figures["log_end"]
    return {
        **_IDLE,
        **dict.fromkeys(_TOTALS_OF_OTHER_DAYS, "0"),
        **_disks(settings),
        **{f"scheduleMessageOffset_{level}": f"{next_},{end}" for level, (next_, end) in delays.items()},
        "brokerActive": "true",
        "brokerVersion": str(VERSION),
        "brokerVersionDesc": version_constant(VERSION),
        "bootTimestamp": str(started_ms),
        "runtime": _duration(now_ms - started_ms),
        "putTps": rates.text("messages_in"),
        "getTransferredTps": get_rate,
        "getTransferedTps": get_rate,  # the 4.x spelling, which older tools read
        "getTotalTps": rates.text("pulls"),
        "getFoundTps": get_rate,
        "getMissTps": rates.text("pulls_missed"),
        "msgPutTotalTodayNow": str(messages),
        "msgGetTotalTodayNow": str(figures["messages_out"]),
        "putMessageTimesTotal": str(messages),
        "putMessageSizeTotal": str(size),
        "putMessageAverageSize": str(size / messages if messages else 0.0),
        "putMessageEntireTimeMax": str(figures["put_max_ms"]),
        "getMessageEntireTimeMax": str(figures["get_max_ms"]),
        "putMessageDistributeTime": put_times.distribution(),
        "putLatency99": f"{put_times.percentile(0.99):.2f}",
        "putLatency999": f"{put_times.percentile(0.999):.2f}",
        "putMessageFailedTimes": str(figures["sends_refused"]),
        "commitLogMinOffset": str(figures["log_start"]),
        "commitLogMaxOffset": str(end),
        "dispatchBehindBytes": str(end - figures["dispatched_end"]),
        "indexBehindBytes": str(end - figures["indexed_end"]),
        "remainHowManyDataToFlush": f"{end - figures['flushed_end']} bytes",
        "earliestMessageTimeStamp": str(earliest_ms),
    }


def _disks(settings: BrokerSettings) -> dict[str, str]:
    """How full the disks are that hold log and queues; a broker in memory has none."""
    root = settings.store_root
    if root is None:
        return {"commitLogDiskRatio": "0.0", "consumeQueueDiskRatio": "0.0"}
    log = {str(path): used_part(path) for path in settings.log_dirs}
    usage = shutil.disk_usage(root)
    return {
        "commitLogDiskRatio": str(min(log.values())),
        **{f"commitLogDiskRatio_{path}": str(part) for path, part in log.items()},
        "consumeQueueDiskRatio": str(used_part(root)),
        "commitLogDirCapacity": f"Total : {usage.total} bytes, Free : {usage.free} bytes.",
    }


def _duration(milliseconds: int) -> str:
    """A span as Apache prints it: ``[ 0 days, 1 hours, 2 minutes, 3 seconds ]``."""
    minutes, seconds = divmod(max(milliseconds, 0) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"[ {days} days, {hours} hours, {minutes} minutes, {seconds} seconds ]"
