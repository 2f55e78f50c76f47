"""Writes what groups have committed: every five seconds if nothing else is said, and once more at the end.

The table lives in the message engine; a crash loses what was committed since the last snapshot, and those messages are
consumed again. Apache promises no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.broker.services.saving import keep_saving

if TYPE_CHECKING:
    from rocketmq_lite.broker.engine.offsets import OffsetSnapshots
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.config_files import ConfigFiles

FILE_NAME: Final = "consumerOffset.json"


class OffsetKeeper:
    """Moves consumer offsets between the engine and their file, which is written every so many seconds."""

    def __init__(
        self,
        *,
        owner: EngineOwner,
        files: ConfigFiles,
        snapshots: OffsetSnapshots,
        clock: Clock,
        every: float,
    ) -> None:
        self._every = every
        self._owner = owner
        self._files = files
        self._snapshots = snapshots
        self._clock = clock
        self._lock = trio.Lock()
        self._commits: int | None = None

    def load(self) -> None:
        """Give the engine what the file says; once, before it listens.

        Raises:
            StoreDamaged: The file and its backup do not decode.
        """
        offsets = self._files.load(FILE_NAME, self._snapshots.restore)
        if offsets:
            self._owner.load_offsets(offsets)

    async def run(self) -> None:
        """Write a snapshot whenever something was committed, until cancelled."""
        await keep_saving(self.save, what="consumer offsets", every=self._every)

    async def save(self) -> None:
        """Write a snapshot if something was committed since the last one.

        Raises:
            StoreError: It could not be written.
        """
        async with self._lock:
            commits = (await self._owner.statistics())["offset_commits"]
            if commits == self._commits:
                return
            offsets = await self._owner.offsets()
            document = self._snapshots.plan_snapshot(offsets, now_ms=self._clock.wall_ms())
            try:
                if document is not None:
                    await self._files.write(FILE_NAME, document)
            except BaseException:
                self._snapshots.forget_snapshot()
                raise
            self._commits = commits
