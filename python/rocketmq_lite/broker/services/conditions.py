"""Keeps ``consumerFilter.json``: the conditions of groups, for whoever goes on with the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.broker.services.saving import keep_saving

if TYPE_CHECKING:
    from rocketmq_lite.broker.engine.filters import ConditionTable
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.config_files import ConfigFiles

FILE_NAME: Final = "consumerFilter.json"
SNAPSHOT_SECONDS: Final = 10.0  # as Apache's broker


class ConditionKeeper:
    """Moves conditions between their table and their file."""

    def __init__(self, table: ConditionTable, files: ConfigFiles, clock: Clock) -> None:
        self._table = table
        self._files = files
        self._clock = clock
        self._lock = trio.Lock()

    def load(self) -> None:
        """Take over what the file says; once, before ``run``.

        Raises:
            StoreDamaged: The file and its backup do not decode.
        """
        now_ms = self._clock.wall_ms()
        self._files.load(FILE_NAME, lambda document: self._table.restore(document, now_ms=now_ms))

    async def run(self) -> None:
        """Write what has changed every ten seconds, until cancelled."""
        await keep_saving(self.save, what="conditions of consumer groups", every=SNAPSHOT_SECONDS)

    async def save(self) -> None:
        """Write the table if it has changed.

        Raises:
            StoreError: It could not be written.
        """
        async with self._lock:
            self._table.forget(now_ms=self._clock.wall_ms())
            if self._table.is_saved:
                return
            document = self._table.picture()
            try:
                await self._files.write(FILE_NAME, document)
            except BaseException:
                self._table.not_saved()
                raise
