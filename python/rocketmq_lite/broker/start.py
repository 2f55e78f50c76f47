"""What an engine is started with, and what its start found."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rocketmq_lite._native import Opening

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rocketmq_lite.config import FlushMode

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the engine is told once.

    Attributes:
        store_host: Address that is stored with every message, and is part of every message id; numeric.
        root: The store's directory; None keeps it in memory, which only the pump can.
        seed: Of the generator that picks queues and tells this process's unique keys from others'.
        utc_offset_s: Seconds that local time is ahead of UTC.
    """

    broker_name: str
    cluster: str
    region: str
    store_host: str
    root: Path | None
    segment_size: int
    queue_file_entries: int
    index_slots: int
    index_entries: int
    flush: FlushMode
    flush_interval_ms: int
    seed: int
    utc_offset_s: int

    def opening(self) -> Opening:
        """For the extension."""
        return Opening(
            broker_name=self.broker_name,
            cluster=self.cluster,
            region=self.region,
            store_host=self.store_host,
            root=None if self.root is None else str(self.root),
            segment_size=self.segment_size,
            consume_queue_entries=self.queue_file_entries,
            index_slots=self.index_slots,
            index_entries=self.index_entries,
            flush=self.flush,
            flush_interval_ms=self.flush_interval_ms,
            seed=self.seed,
            utc_offset_s=self.utc_offset_s,
        )


def log_recovery(found: Mapping[str, object]) -> None:
    """Say what a start after a crash found; an ordinary start says nothing."""
    if not found["clean"]:
        _log.warning(
            "the store was not closed in order: %s records checked from offset %s on, the log ends at %s",
            found["records"],
            found["scanned_from"],
            found["end"],
        )
    if found["index_files_removed"]:
        _log.warning(
            "%s index files were not safe on disk; they are made again, and searches by key read the log until then",
            found["index_files_removed"],
        )
    if found["cut_bytes"]:
        _log.warning(
            "%s bytes behind offset %s were no whole records and had not been safe on disk; they are kept in %s",
            found["cut_bytes"],
            found["end"],
            found["cut_to"],
        )
