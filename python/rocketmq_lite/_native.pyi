"""The typed and documented face of the Rust module.

Conversion only: every rule is in the Rust core. Nothing here is public; `protocol.framing` imports the wire
half, `broker.plane` and `broker.pump` the engine half. Functions that take bytes take any bytes-like object
and keep no reference to it.
"""

from typing import Final, Literal, final

from typing_extensions import Buffer

__all__ = [
    "Cold",
    "Control",
    "Engine",
    "FrameDecoder",
    "RawCommand",
    "RawMessage",
    "Reactor",
    "StoreError",
    "UniqueKeys",
    "WireError",
    "__version__",
    "build_profile",
    "compress_zlib",
    "decode_messages",
    "decode_properties",
    "encode_command",
    "encode_properties",
    "java_hash",
    "json_dumps",
    "json_loads",
    "parse_offset_id",
]

__version__: Final[str]
"""Version of the package, from Cargo.toml."""

build_profile: Final[Literal["debug", "release"]]
"""How the module was compiled. Benchmarks refuse "debug"."""

class WireError(ValueError):
    """Bytes that break RocketMQ's rules, or values that its formats cannot hold."""

@final
class RawCommand:
    """One decoded request or response. Attributes convert at each access: read each once."""

    @property
    def code(self) -> int:
        """Request or response code. Pop requests in binary headers have their full code."""

    @property
    def opaque(self) -> int:
        """Correlation number."""

    @property
    def flag(self) -> int:
        """Bit 0: response. Bit 1: one-way request."""

    @property
    def language(self) -> str:
        """The sender's language, `OTHER` if unknown."""

    @property
    def version(self) -> int:
        """The sender's version number."""

    @property
    def remark(self) -> str | None:
        """Text for people. An empty one in a binary header is none."""

    @property
    def fields(self) -> dict[str, str]:
        """The custom header; of equal keys the last."""

    @property
    def body(self) -> bytes:
        """Everything after the header."""

    @property
    def codec(self) -> Literal["JSON", "ROCKETMQ"]:
        """How the header was written."""

@final
class FrameDecoder:
    """Turns the bytes of one connection into commands."""

    def __new__(cls, max_frame: int = 16_777_216) -> FrameDecoder:
        """Make a decoder that refuses frames larger than `max_frame` bytes, length word included."""

    def feed(self, data: Buffer) -> list[RawCommand]:
        """Take received bytes and return the commands they complete.

        Never raises for what a peer sent: after a malformed frame `error` is set, the commands before it are
        still returned, and all later bytes are ignored.
        """

    @property
    def error(self) -> str | None:
        """What was malformed, once something was. The connection must then be closed."""

    @property
    def buffered(self) -> int:
        """Bytes of the incomplete frame."""

def encode_command(
    code: int,
    opaque: int,
    flag: int,
    language: str,
    version: int,
    remark: str | None,
    fields: dict[str, str],
    body: Buffer,
    codec: Literal["JSON", "ROCKETMQ"],
) -> bytes:
    """Encode a whole frame.

    Raises:
        WireError: the codec or the frame cannot hold it, such as a code above 32767 in a binary header
            that is not one of the pop requests.
    """

def json_loads(data: Buffer) -> object:
    """Read fastjson text, which is a superset of JSON.

    Keys of the dictionaries are text, integers (bare numeric keys), or for object keys tuples of pairs in
    the order of the text: `(("brokerName", "b"), ("queueId", 0), ("topic", "T"))`. Numbers given as text
    stay text.

    Raises:
        WireError: not even fastjson would read it, it nests deeper than 128 or holds over two million values.
    """

def json_dumps(value: object, *, standard: bool = False) -> bytes:
    """Write fastjson text: what Java would write for the value, to the byte.

    Values are None, bool, int, float, str, list, tuple and dict, keys as `json_loads` gives them. Members
    under text keys are sorted, and left out when None. With `standard`, keys are quoted and sorted and
    everything beyond ASCII is escaped, for peers that read with a JSON library.

    Raises:
        TypeError: a value or key of another type.
        ValueError: nested deeper than 128.
        OverflowError: an integer beyond 64 bits.
    """

@final
class RawMessage:
    """One stored message. All messages of a body share one copy of that body's bytes."""

    @property
    def topic(self) -> str:
        """Topic as stored: a retry topic for a retried message."""

    @property
    def queue_id(self) -> int:
        """Queue of the topic."""

    @property
    def queue_offset(self) -> int:
        """Position in its queue."""

    @property
    def physical_offset(self) -> int:
        """Position in the commit log."""

    @property
    def flag(self) -> int:
        """The producer's own flag."""

    @property
    def sys_flag(self) -> int:
        """System flag as stored: the compression bits stay set."""

    @property
    def born_timestamp(self) -> int:
        """Milliseconds, the producer's clock."""

    @property
    def store_timestamp(self) -> int:
        """Milliseconds, the broker's clock."""

    @property
    def born_host(self) -> str:
        """The producer's address as `host:port`."""

    @property
    def store_host(self) -> str:
        """The broker's address as `host:port`."""

    @property
    def reconsume_times(self) -> int:
        """How often it was retried."""

    @property
    def prepared_transaction_offset(self) -> int:
        """Commit-log offset of the half message, on committed messages."""

    @property
    def body(self) -> bytes:
        """The plain body, unpacked and copied at the first access.

        Raises:
            WireError: it is compressed and damaged, or unpacks to more than 32 MiB.
        """

    @property
    def properties(self) -> dict[str, str]:
        """A new dictionary of the properties at each access."""

    @property
    def offset_message_id(self) -> str:
        """The broker's id of the message: its address and commit-log offset."""

    @property
    def size(self) -> int:
        """Size of the stored record."""

def decode_messages(body: Buffer) -> list[RawMessage]:
    """Decode back-to-back stored messages.

    Raises:
        WireError: a record is malformed or cut off. The offset is in the text.
    """

def encode_properties(pairs: dict[str, str]) -> str:
    r"""Write property text, in the dictionary's order.

    Raises:
        WireError: a name or value is empty or contains `\x01` or `\x02`.
    """

def decode_properties(text: str) -> dict[str, str]:
    """Read property text. What is no pair is skipped; of equal names the last counts."""

def java_hash(text: str) -> int:
    """Java's `String.hashCode`, a signed 32-bit number."""

def parse_offset_id(text: str) -> tuple[str, int] | None:
    """Broker address as `host:port` and commit-log offset of an offset message id; None for other text."""

def compress_zlib(data: Buffer, level: int = 5) -> bytes:
    """Compress to a zlib stream; level 0 to 9."""

@final
class UniqueKeys:
    """Makes the message ids of one process."""

    def __new__(cls, ip: bytes, pid: int, salt: int, month_start_ms: int) -> UniqueKeys:
        """Say who the process is.

        Args:
            ip: address of this machine, 4 or 16 bytes; any bytes if unknown.
            pid: process id, of which 16 bits are used.
            salt: any 32-bit number of this process.
            month_start_ms: start of the current month in local time.

        Raises:
            ValueError: the address is of another length.
        """

    def next(self, now_ms: int) -> str:
        """Return the next id. 65,536 in one millisecond are distinct."""

    def start_month(self, month_start_ms: int) -> None:
        """Tell that a new month began, so that admin tools read the right time out of later ids."""

# --- the engine half: importers are broker.plane and broker.pump ----------------------------------

class StoreError(Exception):
    """The store cannot be opened, or could not be closed; what, why and what to do is in the message."""

    kind: str
    """``locked``, ``damaged``, ``segment_length``, ``full``, ``poisoned``, ``io`` or another short word."""
    path: str | None
    offset: int | None
    expected: int | None
    found: int | None

@final
class Control:
    """One instruction for the engine; made by the static methods, given to ``submit``."""

    @staticmethod
    def put_topic(
        name: str,
        *,
        read_queues: int,
        write_queues: int,
        permission: int = 6,
        sys_flag: int = 0,
        order: bool = False,
        multi_tag: bool = False,
    ) -> Control:
        """Add or replace a topic."""
    @staticmethod
    def remove_topic(name: str) -> Control:
        """Forget a topic and remove its queues."""
    @staticmethod
    def put_group(
        name: str,
        *,
        consume_enable: bool = True,
        broadcast_enable: bool = True,
        retry_max_times: int = 16,
        sys_flag: int = 0,
    ) -> Control:
        """Add or replace a consumer group."""
    @staticmethod
    def remove_group(name: str, *, clean_offsets: bool = False) -> Control:
        """Forget a consumer group, and its offsets if asked."""
    @staticmethod
    def put_subscriptions(
        group: str, *, broadcasting: bool, entries: list[tuple[str, str, str, int]]
    ) -> Control:
        """Replace what a group subscribes to: topic, expression type, expression, version."""
    @staticmethod
    def remove_subscriptions(group: str) -> Control:
        """The group has no members left."""
    @staticmethod
    def respond(
        token: int,
        code: int,
        remark: str | None = None,
        fields: dict[str, str] | None = None,
        body: Buffer | None = None,
    ) -> Control:
        """Answer a cold request; an unknown or expired token is ignored."""
    @staticmethod
    def retry(kind: Literal["topic", "group"], name: str) -> Control:
        """The missing name is there: run what waits for it, in order."""
    @staticmethod
    def refuse(kind: Literal["topic", "group"], name: str, code: int, remark: str) -> Control:
        """The missing name will not be there: refuse what waits for it."""
    @staticmethod
    def push(
        conn: int,
        code: int,
        *,
        fields: dict[str, str] | None = None,
        body: Buffer | None = None,
        oneway: bool = True,
    ) -> Control:
        """Send a request to a client; done with whether it was there."""
    @staticmethod
    def close_connection(conn: int) -> Control:
        """Close a connection; done with whether it was there."""
    @staticmethod
    def load_offsets(offsets: list[tuple[str, str, int, int]]) -> Control:
        """Set consumer offsets: topic, group, queue, offset."""
    @staticmethod
    def offsets() -> Control:
        """Done with all consumer offsets."""
    @staticmethod
    def remove_offsets(*, topic: str | None = None, group: str | None = None) -> Control:
        """Forget offsets of a topic, of a group, or of a group in a topic."""
    @staticmethod
    def bounds(topic: str, queues: list[int]) -> Control:
        """Done with (queue, min, max) of each."""
    @staticmethod
    def statistics() -> Control:
        """Done with the engine's counters."""
    @staticmethod
    def set_accept_writes(accept: bool) -> Control:  # noqa: FBT001 - mirrors the Rust variant
        """Whether sends are accepted."""
    @staticmethod
    def stop() -> Control:
        """Answer held pulls, finish flushes, close the store; done when that is so."""

@final
class Cold:
    """Something for Python to know or decide."""

    kind: Literal["command", "missing_topic", "missing_group", "closed", "done", "log", "failed"]
    conn: int
    token: int
    peer: str
    principal: str
    command: RawCommand | None
    name: str
    default_topic: str
    queue_nums: int
    unit: bool
    value: object
    level: str
    text: str

@final
class Engine:
    """The pump's engine: every call takes the time, works at once and returns; ``poll`` flushes and reads inline.

    Raises:
        StoreError: The directory cannot be opened.
    """

    def __new__(
        cls,
        *,
        broker_name: str,
        cluster: str,
        store_host: str,
        wall_ms: int,
        mono_ms: int,
        root: str | None = None,
        segment_size: int = 1_073_741_824,
        consume_queue_entries: int = 300_000,
        flush: str = "async",
        flush_interval_ms: int = 500,
        permission: int = 6,
        accept_sends_from_ms: int = 0,
        region: str = "DefaultRegion",
        trace_on: bool = True,
        seed: int = 0,
    ) -> Engine: ...
    @property
    def recovery(self) -> dict[str, object]:
        """What the start found."""
    def open(self, host: str, port: int, *, wall_ms: int, mono_ms: int) -> int:
        """A connection was accepted; its number."""
    def receive(self, conn: int, data: Buffer, *, wall_ms: int, mono_ms: int) -> None:
        """Bytes came in."""
    def sent(self, conn: int, count: int, *, wall_ms: int, mono_ms: int) -> None:
        """Bytes given by ``poll`` have left."""
    def closed(self, conn: int, *, wall_ms: int, mono_ms: int) -> None:
        """The connection is gone."""
    def tick(self, *, wall_ms: int, mono_ms: int) -> None:
        """Do what is due."""
    def next_deadline(self) -> int | None:
        """When ``tick`` should be called next, on the monotonic clock."""
    def submit(self, token: int, control: Control, *, wall_ms: int, mono_ms: int) -> None:
        """Apply a control; with a token other than 0 a ``done`` event follows."""
    def poll(self, *, wall_ms: int, mono_ms: int) -> list[tuple[str, int, bytes]]:
        """What to do with connections: (``send`` | ``pause`` | ``resume`` | ``close``, connection, bytes)."""
    def take(self, limit: int = 256) -> list[Cold]:
        """Events, oldest first."""
    def statistics(self) -> dict[str, object]:
        """The engine's counters."""

@final
class Reactor:
    """A broker served over TCP by threads that never hold the interpreter.

    One byte is written to ``wake_fd`` (which it takes over) whenever events come to be there.

    Raises:
        StoreError: The directory cannot be opened.
    """

    def __new__(
        cls,
        *,
        broker_name: str,
        cluster: str,
        store_host: str,
        root: str,
        wake_fd: int,
        segment_size: int = 1_073_741_824,
        consume_queue_entries: int = 300_000,
        flush: str = "async",
        flush_interval_ms: int = 500,
        permission: int = 6,
        accept_sends_from_ms: int = 0,
        region: str = "DefaultRegion",
        trace_on: bool = True,
        seed: int = 0,
    ) -> Reactor: ...
    @property
    def recovery(self) -> dict[str, object]:
        """What the start found."""
    def listen(self, host: str, port: int) -> tuple[str, int]:
        """Open a port, 0 picks one; what was bound. OSError with errno where it cannot."""
    def submit(self, token: int, control: Control) -> None:
        """Hand over a control; never waits."""
    def take(self, limit: int = 256) -> list[Cold]:
        """Events, oldest first."""
    def close(self, timeout_ms: int) -> None:
        """Stop in order: no new connections, held pulls answered, store closed, threads joined. Idempotent."""
    def statistics(self) -> dict[str, object]:
        """The engine's and the reactor's counters."""
