"""The positions of a broadcasting member in a file of Apache's format, where Java's clients keep theirs.

``<directory>/<client id>/<group>/offsets.json`` and the previous content as ``offsets.json.bak``. A damaged file is set
aside and its backup taken; with both damaged the member begins as a new one does. Neither is a reason not to start.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.config_files import ConfigDirectory, SavedDocument, thread_offload
from rocketmq_lite.errors import RocketMQError, StoreDamaged, StoreError
from rocketmq_lite.protocol.bodies import ResetOffsets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rocketmq_lite.config_files import Offload
    from rocketmq_lite.model import MessageQueue

__all__ = ["LocalPositions"]

_log = logging.getLogger(__name__)

_FILE: Final = "offsets.json"


class LocalPositions:
    """The positions of one member in one file; what it holds of other topics is kept.

    Args:
        directory: Where the file is; made if need be.
        offload: Runs blocking work; a worker thread by default.

    Raises:
        StoreError: The disk refuses.
    """

    carried_by_pulls = False

    def __init__(self, directory: Path, *, offload: Offload | None = None) -> None:
        try:
            files = ConfigDirectory(
                directory,
                offload=offload or thread_offload(trio.CapacityLimiter(1)),
                encode=ResetOffsets.encode,
            )
        except OSError as error:
            raise StoreError(f"cannot make {directory}: {error.strerror}") from error
        self._offsets = _load(files, directory)
        self._saved = SavedDocument(files, _FILE, lambda: ResetOffsets(dict(self._offsets)))

    async def read(self, queue: MessageQueue) -> int | None:
        """What the file held at the start, and was written since."""
        await trio.lowlevel.checkpoint()
        return self._offsets.get(queue)

    async def write(
        self,
        offsets: Mapping[MessageQueue, int],
        *,
        wait: bool,  # noqa: ARG002 - one file is written as quickly as that
    ) -> Mapping[MessageQueue, RocketMQError]:
        """Replace the file."""
        self._offsets.update(offsets)
        try:
            await self._saved.save()
        except StoreError as error:
            return dict.fromkeys(offsets, error)
        return {}


def _load(files: ConfigDirectory, directory: Path) -> dict[MessageQueue, int]:
    try:
        found = files.load(_FILE, ResetOffsets.from_json)
    except StoreDamaged as error:
        for path in (directory / _FILE, directory / f"{_FILE}.bak"):
            if path.exists():
                path.replace(path.with_name(f"{path.name}.damaged"))
        _log.error("%s; set aside too, the member begins as a new one", error)
        return {}
    return {} if found is None else dict(found.offset_table)
