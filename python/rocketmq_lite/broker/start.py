"""What an engine is started with, and what its start found."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from rocketmq_lite._native import Opening, Tls
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.records import dataclass
from rocketmq_lite.transport.tls import TLS_HINT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rocketmq_lite.config import FlushMode, TlsSettings

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the engine is told once.

    Attributes:
        store_host: Address that is stored with every message, and is part of every message id; numeric.
        root: The store's directory; None keeps it in memory, which only the pump can.
        log_dirs: Where the log lies, if not in ``commitlog`` of the root.
        read_only_log_dirs: Where files of it are and no new ones are made.
        queue_extension_file_size: Bytes of a file of queue extensions; None if entries get none.
        topics: Those that there are, so that a queue that is gone with its topic is not missed; None if that is not known.
        seed: Of the generator that picks queues and tells this process's unique keys from others'.
        utc_offset_s: Seconds that local time is ahead of UTC.
        max_message: Bytes of the largest body that producers may send.
        delays_ms: How long messages of each delay level wait, from level 1 on.
        max_connections: Connections that the reactor accepts; the pump has its listener's.
        tls: What the reactor does about TLS; the pump's streams are never encrypted.
    """

    broker_name: str
    cluster: str
    region: str
    store_host: str
    root: Path | None
    log_dirs: tuple[Path, ...]
    read_only_log_dirs: tuple[Path, ...]
    topics: frozenset[str] | None
    segment_size: int
    queue_file_entries: int
    queue_extension_file_size: int | None
    index_slots: int
    index_entries: int
    flush: FlushMode
    flush_interval_ms: int
    seed: int
    utc_offset_s: int
    max_message: int
    delays_ms: tuple[int, ...]
    max_connections: int
    tls: TlsSettings

    def opening(self) -> Opening:
        """For the extension."""
        return Opening(
            broker_name=self.broker_name,
            cluster=self.cluster,
            region=self.region,
            store_host=self.store_host,
            root=None if self.root is None else str(self.root),
            log_dirs=[str(path) for path in self.log_dirs],
            read_only_log_dirs=[str(path) for path in self.read_only_log_dirs],
            topics=self.topics,
            segment_size=self.segment_size,
            consume_queue_entries=self.queue_file_entries,
            ext_segment_size=self.queue_extension_file_size,
            index_slots=self.index_slots,
            index_entries=self.index_entries,
            flush=self.flush,
            flush_interval_ms=self.flush_interval_ms,
            seed=self.seed,
            utc_offset_s=self.utc_offset_s,
            max_message=self.max_message,
            delays_ms=list(self.delays_ms),
        )


def native_tls(settings: TlsSettings) -> Tls:
    """What the reactor is told about TLS, with the files read.

    Raises:
        ConfigError: A file cannot be read, or does not hold what it has to.
    """
    try:
        certificate, key, trust = (
            None if path is None else path.read_bytes()
            for path in (settings.certificate, settings.key, settings.trust)
        )
        return Tls(
            settings.mode, certificate=certificate, key=key, client_auth=settings.client_auth, trust=trust
        )
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}", hint=TLS_HINT) from error
    except ValueError as error:
        raise ConfigError(str(error), hint=TLS_HINT) from error


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
    if found["lost_queues"]:
        _log.error(
            "the files of these consume queues were gone; they were made again from what the log has: %s",
            ", ".join(map(str, found["lost_queues"])),  # type: ignore[call-overload]
        )
    if found["lost_units"]:
        _log.warning(
            "the extensions of these consume queues were gone or not theirs; they were made again from what the log has: %s",
            ", ".join(map(str, found["lost_units"])),  # type: ignore[call-overload]
        )
    if found["cut_bytes"]:
        _log.warning(
            "%s bytes behind offset %s were no whole records and had not been safe on disk; they are kept in %s",
            found["cut_bytes"],
            found["end"],
            found["cut_to"],
        )
