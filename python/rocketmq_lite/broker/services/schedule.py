"""Delivers delayed messages: asks the engine to move what is due, level by level, and keeps how far each has come.

A level is looked at when its next message is due; while it has none, as often as its delay is long, because nothing that
is stored meanwhile can be due earlier. Levels that ``messageDelayLevel`` has lost since messages were delayed with them are
looked at until these are delivered. What is delivered may be delivered again after a crash, never forgotten: offsets are
written only when the messages that they count are safe on disk.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.broker.engine.delays import seconds_until
from rocketmq_lite.broker.services.saving import keep_saving
from rocketmq_lite.config import MAX_DELAY_LEVELS
from rocketmq_lite.errors import StoreError
from rocketmq_lite.protocol.reserved import SCHEDULE_TOPIC
from rocketmq_lite.transport.nursery import ProtectedNursery

if TYPE_CHECKING:
    from rocketmq_lite.broker.engine.delays import DelayProgress
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.config_files import ConfigFiles

_log: Final = logging.getLogger(__name__)

FILE_NAME: Final = "delayOffset.json"
FAILED_SECONDS: Final = 10.0  # as long as Apache waits after an exception
FLUSH_SECONDS: Final = 0.1  # between two looks at what is safe on disk


class Schedule:
    """One task a delay level, and one that writes their offsets.

    Args:
        levels: How many levels there are.
        every: Seconds between two times that the offsets are written.
        owner: Moves the messages.
        files: Where the offsets are kept.
        progress: The offsets.
        clock: Time.
    """

    def __init__(
        self,
        *,
        levels: int,
        every: float,
        owner: EngineOwner,
        files: ConfigFiles,
        progress: DelayProgress,
        clock: Clock,
    ) -> None:
        self._levels = levels
        self._every = every
        self._owner = owner
        self._files = files
        self._progress = progress
        self._clock = clock
        self._lock = trio.Lock()

    def load(self) -> None:
        """Go on where the file says; once, before ``run``.

        Raises:
            StoreDamaged: The file and its backup do not decode.
        """
        self._files.load(FILE_NAME, self._progress.restore)

    async def run(self) -> None:
        """Deliver what is due, until cancelled."""
        async with ProtectedNursery() as nursery:
            for level in range(1, self._levels + 1):
                nursery.start_soon(self._deliver, level)
            for level, end in (await self._left_over()).items():
                nursery.start_soon(self._deliver, level, end)
            nursery.start_soon(partial(keep_saving, self.save, what="delivery offsets", every=self._every))

    async def offsets(self) -> dict[int, tuple[int, int]]:
        """Of each level that was ever used, the next message that will be delivered, and the end of its queue."""
        levels = sorted({*range(1, self._levels + 1), *self._progress.levels()})
        bounds = await self._owner.bounds(SCHEDULE_TOPIC, [level - 1 for level in levels])
        ends = {queue + 1: end for queue, (_, end) in bounds.items() if end > 0}
        return {level: (self._progress.next_offset(level), end) for level, end in ends.items()}

    async def save(self) -> None:
        """Write the offsets if they have changed, once what they count is safe on disk.

        Raises:
            StoreError: They could not be written.
        """
        async with self._lock:
            snapshot = self._progress.snapshot()
            if snapshot is None:
                return
            end = (await self._owner.statistics())["log_end"]
            while (await self._owner.statistics())["flushed_end"] < end:  # noqa: ASYNC110 - the engine does not tell
                await trio.sleep(FLUSH_SECONDS)
            document = self._progress.plan_save(snapshot, now_ms=self._clock.wall_ms())
            await self._files.write(FILE_NAME, document)
            self._progress.saved(snapshot)

    async def _left_over(self) -> dict[int, int]:
        """Where the queues end of levels that do not exist any more, and have messages."""
        bounds = await self._owner.bounds(SCHEDULE_TOPIC, range(self._levels, MAX_DELAY_LEVELS))
        ends = {queue + 1: end for queue, (_, end) in bounds.items()}
        left = {level: end for level, end in ends.items() if self._progress.next_offset(level) < end}
        for level, end in left.items():
            _log.warning(
                "messageDelayLevel has no level %d any more, but %d messages wait in its queue: they are delivered when "
                "they were to be",
                level,
                end - self._progress.next_offset(level),
            )
        return left

    async def _deliver(self, level: int, end: int | None = None) -> None:
        """Deliver what a level's queue has, up to an offset if one is given."""
        while end is None or self._progress.next_offset(level) < end:
            offset = self._progress.next_offset(level)
            try:
                following, look_at_ms = await self._owner.deliver_scheduled(level, offset)
            except StoreError as error:
                _log.error(
                    "messages of delay level %d were not delivered, the next try is in %g s: %s",
                    level,
                    FAILED_SECONDS,
                    error,
                )
                await trio.sleep(FAILED_SECONDS)
                continue
            self._progress.reached(level, following)
            await trio.sleep(seconds_until(look_at_ms, now_ms=self._clock.wall_ms()))
