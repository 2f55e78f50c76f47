"""Typed settings with their defaults: every limit and interval, with its origin or its reason.

A setting is parsed once, here or in the CLI, and handed on as a frozen dataclass; nothing below reads
the environment. "Apache" marks a default that Apache RocketMQ has as well.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from rocketmq_lite.errors import ConfigError
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "DEFAULT_BROKER_PORT",
    "DEFAULT_NAMESRV_PORT",
    "DELAY_LEVELS",
    "MAX_DELAY_LEVELS",
    "BrokerRole",
    "BrokerSettings",
    "ClientAuth",
    "FlushMode",
    "NameServerSettings",
    "RpcLimits",
    "ServerLimits",
    "TlsMode",
    "TlsSettings",
    "split_addresses",
]

DEFAULT_NAMESRV_PORT = 9876
DEFAULT_BROKER_PORT = 10911

DELAY_LEVELS = (
    *("1s", "5s", "10s", "30s", "1m", "2m", "3m", "4m", "5m"),
    *("6m", "7m", "8m", "9m", "10m", "20m", "30m", "1h", "2h"),
)
"""Apache's default ``messageDelayLevel``."""
MAX_DELAY_LEVELS = 1000
"""Of a broker. Each is a task that looks at its queue, as often as its delay is long."""

BrokerRole = Literal["async-master", "sync-master", "slave"]
FlushMode = Literal["async", "sync"]
TlsMode = Literal["disabled", "permissive", "enforcing"]
ClientAuth = Literal["none", "optional", "require"]


def split_addresses(text: str) -> tuple[str, ...]:
    """Split a ``host:port;host:port`` list as users write it.

    Blanks and empty parts are dropped, a repeated address is kept once.

    Raises:
        ConfigError: No address is left, or one has no port.
    """
    parts = tuple(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))
    if not parts:
        raise ConfigError(f"no address in {text!r}", hint="give host:port, several separated by ';'")
    for part in parts:
        if not part.rpartition(":")[2].isdecimal():
            raise ConfigError(
                f"address {part!r} has no port", hint=f"for example {part}:{DEFAULT_NAMESRV_PORT}"
            )
    return parts


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How a server deals with TLS. The defaults are Apache's, whose keys are given in parentheses.

    Attributes:
        mode: Which connections are taken: plain ones, both, or TLS only (``tls.server.mode``).
        certificate: PEM file, the server's own certificate first (``tls.server.certPath``). Without one, the server
            makes one when the first client asks for TLS; such a client cannot know whom it talks to.
        key: PEM file, not encrypted (``tls.server.keyPath``).
        client_auth: Whether clients have to show a certificate (``tls.server.need.client.auth``).
        trust: PEM file of those who vouch for clients, and for the name servers that a broker registers with
            (``tls.server.trustCertPath``, ``tls.client.trustCertPath``).

    Raises:
        ConfigError: They contradict each other.
    """

    mode: TlsMode = "permissive"
    certificate: Path | None = None
    key: Path | None = None
    client_auth: ClientAuth = "none"
    trust: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ConfigError(
                "TLS needs certificate and private key together", hint="give both files, as PEM"
            )
        if self.mode == "enforcing" and self.certificate is None:
            raise ConfigError(
                "a server that takes TLS only needs a certificate that its clients can trust",
                hint="give certificate and private key, as PEM files",
            )
        if self.client_auth != "none" and self.trust is None:
            raise ConfigError(
                "clients cannot be checked without the certificates of those who vouch for them",
                hint="give them in one PEM file",
            )


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What one listening server allows its peers.

    Attributes:
        max_frame: Largest frame, length word included (Apache).
        idle_timeout: Seconds without a read or a write after which a connection is closed (Apache).
        max_requests: Requests of one connection in work at a time; the next one is not read before one
            is answered. 1 keeps the answers in order. 64 is Apache's limit for asynchronous calls.
        max_connections: Above it a new connection is closed at once; below the usual limit on open files.
        grace: Seconds that running requests get when the server is told to stop.
    """

    max_frame: int = 16_777_216
    idle_timeout: float = 120.0
    max_requests: int = 64
    max_connections: int = 10_000
    grace: float = 5.0


@dataclass(frozen=True, slots=True)
class RpcLimits:
    """How outgoing calls behave.

    Attributes:
        max_frame: Largest frame, length word included (Apache).
        connect_timeout: Seconds to open a connection (Apache).
        idle_timeout: Seconds without a read or a write after which a connection is closed (Apache).
        max_queued_bytes: Unsent bytes of one connection above which new calls wait for room; a few
            large messages, so that one slow peer cannot fill the memory.
        min_silence: A call that waited at least this many seconds on a connection from which nothing came
            meanwhile closes it; shorter time-outs say nothing about the peer.
        max_pushes: Requests of one server in work at a time; further ones are answered "busy".
        first_backoff: Seconds after a failed dial during which calls fail at once; doubles each time.
        max_backoff: The longest such pause. Short, because a dial to a dead port costs next to nothing
            and a broker that restarts should be found soon (Apache: up to 60).
    """

    max_frame: int = 16_777_216
    connect_timeout: float = 3.0
    idle_timeout: float = 120.0
    max_queued_bytes: int = 8 * 1024 * 1024
    min_silence: float = 1.0
    max_pushes: int = 1000
    first_backoff: float = 0.1
    max_backoff: float = 2.0


@dataclass(frozen=True, slots=True)
class NameServerSettings:
    """A name server.

    Attributes:
        data: Directory of ``kvConfig.json``; ``None`` keeps KV configuration in memory only.
        live_timeout: Seconds after which a broker that gave no own value is forgotten (Apache).
        scan_interval: Seconds between two looks for such brokers (Apache).
        return_order_topic_config: Answer registrations with the order topics (Apache).
        delete_topic_with_registration: Drop topics that a master's registration no longer lists
            (Apache: off).
        order_message_enable: Give the queue list of order topics with their routes (Apache: off).
        enable_all_topic_list: Answer the list of all topics (Apache).
        enable_topic_list: Answer the other lists of topics (Apache).
    """

    data: Path | None = None
    live_timeout: float = 120.0
    scan_interval: float = 5.0
    return_order_topic_config: bool = True
    delete_topic_with_registration: bool = False
    order_message_enable: bool = False
    enable_all_topic_list: bool = True
    enable_topic_list: bool = True
    tls: TlsSettings = field(default_factory=TlsSettings)
    limits: ServerLimits = field(default_factory=lambda: ServerLimits(max_requests=1))


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long messages are kept, and what happens when the disk fills up. All defaults are Apache's.

    Attributes:
        reserved_hours: Age at which a file of the log may go (``fileReservedTime``).
        delete_hours: Hours of the local day in which files of that age do go (``deleteWhen``).
        clean_ratio: Above this use of the disk they go at any hour (``diskMaxUsedSpaceRatio``).
        force_ratio: Above this use files go whatever their age, oldest first, until use is below it
            (``diskSpaceCleanForciblyRatio``).
        force: Whether they do (``cleanFileForciblyEnable``).
        full_ratio: Above this use messages are refused, until use is below ``force_ratio``
            (``diskSpaceWarningLevelRatio``).
        interval: Seconds between two looks (``cleanResourceInterval``).
        batch: Files that go at one look (``deleteFileBatchMax``).
    """

    reserved_hours: float = 72.0
    delete_hours: tuple[int, ...] = (4,)
    clean_ratio: float = 0.75
    force_ratio: float = 0.85
    force: bool = True
    full_ratio: float = 0.90
    interval: float = 10.0
    batch: int = 10


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """A broker.

    Attributes:
        name: Name of the replica group.
        broker_id: 0 is the master of its group.
        advertise: ``host`` or ``host:port`` to register with name servers when it differs from
            where we listen.
        port: 0 picks a free one.
        data: Directory whose ``store`` subdirectory is Apache's ``storePathRootDir``.
        store: That directory itself, where it has another name; ``store_root`` tells which it is.
        commit_log: Directories whose disks share the log (``storePathCommitLog``); ``log_dirs`` tells where it lies if
            there are none.
        read_only_commit_log: Directories that have files of the log and get no new ones
            (``readOnlyCommitLogStorePaths``).
        segment_size: Bytes of one commit-log file (Apache).
        flush_interval: Seconds after which, at the latest, a message begins its way to the disk (Apache).
        queue_file_entries: Entries of one consume-queue file (Apache).
        queue_extensions: Whether queue entries get extensions (Apache's ``enableConsumeQueueExt``).
        queue_extension_file_size: Bytes of one file of these (Apache).
        index_slots: Hash slots of one index file (Apache).
        index_entries: Entries of one index file (Apache).
        max_message: Bytes of the largest body, and of the largest batch, that producers may send (Apache).
        delay_levels: How long messages of each delay level wait, from level 1 on: a whole number of ``s``, ``m``, ``h``
            or ``d`` (Apache).
        default_topic_queues: Queues of a topic that is created on first use (Apache).
        register_interval: Seconds between two registrations with the name servers (Apache).
        max_connections: Above it a new connection is closed at once (Apache has no limit but the system's on open
            files). 16,384 idle ones take about 30 MB.
        tls: Whether clients may or have to use TLS; a broker that takes nothing else uses it with name servers too.
        offset_interval: Seconds between two times that consumer offsets are written (Apache).
        delay_interval: Seconds between two times that it is written how far delayed messages have come (Apache).
        lock_seconds: Seconds that an orderly consumer's lock of a queue lives without being renewed (Apache, as the
            system property ``rocketmq.broker.rebalance.lockMaxLiveTime``).
    """

    name: str = "broker-a"
    cluster: str = "DefaultCluster"
    broker_id: int = 0
    role: BrokerRole = "async-master"
    flush: FlushMode = "async"
    namesrv: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    advertise: str | None = None
    port: int = DEFAULT_BROKER_PORT
    data: Path | None = None
    store: Path | None = None
    commit_log: tuple[Path, ...] = ()
    read_only_commit_log: tuple[Path, ...] = ()
    segment_size: int = 1024 * 1024 * 1024
    flush_interval: float = 0.5
    queue_file_entries: int = 300_000
    queue_extensions: bool = False
    queue_extension_file_size: int = 48 * 1024 * 1024
    index_slots: int = 5_000_000
    index_entries: int = 20_000_000
    max_message: int = 4 * 1024 * 1024
    delay_levels: tuple[str, ...] = DELAY_LEVELS
    default_topic_queues: int = 8
    auto_create_topic: bool = True
    auto_create_group: bool = True
    register_interval: float = 30.0
    offset_interval: float = 5.0
    delay_interval: float = 10.0
    lock_seconds: float = 60.0
    region: str = "DefaultRegion"
    max_connections: int = 16_384
    tls: TlsSettings = field(default_factory=TlsSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)

    @property
    def store_root(self) -> Path | None:
        """Where the store lies; ``None`` keeps it in memory, which only the pump can."""
        if self.store is not None:
            return self.store
        return None if self.data is None else self.data / "store"

    @property
    def log_dirs(self) -> tuple[Path, ...]:
        """Every directory that may hold files of the log; none for a store in memory."""
        root = self.store_root
        if root is None:
            return ()
        return tuple(dict.fromkeys((*(self.commit_log or (root / "commitlog",)), *self.read_only_commit_log)))
