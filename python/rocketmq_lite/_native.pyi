"""The typed and documented face of the Rust module.

Conversion only: every rule is in the Rust core. Nothing here is public; `protocol.framing` imports the wire
half, `broker.plane` and `broker.pump` the engine half, `storage` what reads a store without a broker,
`client.engine.process_queue` the consumer's bookkeeping. Functions that take bytes take any bytes-like object and keep no
reference to it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from typing import Final, Generic, Literal, Protocol, Self, TypeVar, final

from typing_extensions import Buffer, disjoint_base

from rocketmq_lite.model import MessageQueue, SendStatus

__all__ = [
    "BatchEncoder",
    "Cold",
    "Control",
    "Deliveries",
    "Delivery",
    "Engine",
    "FrameDecoder",
    "FrameTemplate",
    "LongFrame",
    "MessageBatch",
    "MessageIds",
    "OfflineStore",
    "Opening",
    "OutOfPlaceError",
    "OutgoingMessage",
    "RawCommand",
    "RawMessage",
    "Reactor",
    "SendAnswer",
    "SendReceipt",
    "SendRequest",
    "SendTarget",
    "SqlError",
    "SqlFilter",
    "StoreCheck",
    "StoreError",
    "StoreRepair",
    "Tls",
    "UniqueKeys",
    "WireError",
    "__version__",
    "build_profile",
    "decode_properties",
    "encode_command",
    "encode_properties",
    "java_hash",
    "json_dumps",
    "json_loads",
    "parse_offset_id",
    "self_made_certificate",
]

_P = TypeVar("_P", bound=Deliveries)

__version__: Final[str]
"""Version of the package, from Cargo.toml."""

build_profile: Final[Literal["debug", "release"]]
"""How the module was compiled. Benchmarks refuse "debug"."""

class WireError(ValueError):
    """Bytes that break RocketMQ's rules, or values that its formats cannot hold."""

class OutOfPlaceError(RuntimeError):
    """What cannot happen to a message where it is now."""

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

    def numbers(self, keys: tuple[str, ...]) -> tuple[int, ...]:
        """The numbers in some fields, by their keys.

        Raises:
            WireError: one of the fields is missing, or no number of Java's ``long``.
        """

    @property
    def body(self) -> bytes:
        """Everything after the header."""

    def messages(self) -> MessageBatch:
        """The stored messages that the body is, without copying it.

        Raises:
            WireError: a record is malformed or cut off. The offset is in the text.
        """

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

@final
class FrameTemplate:
    """Requests with binary headers and without a body that differ in a few fields; the rest is encoded once."""

    def __new__(
        cls, code: int, language: str, version: int, fields: dict[str, str], varying: tuple[str, ...]
    ) -> FrameTemplate:
        """Encode what all of them share; of `fields`, those that vary are not looked at.

        Raises:
            WireError: the header cannot hold it.
        """

    def frame(self, opaque: int, flag: int, values: tuple[str | int | bool | None, ...]) -> bytes:
        """Encode a whole frame; `values` belong to the varying fields, and None leaves one out.

        Raises:
            WireError: the frame cannot hold it.
            ValueError: there are not as many values as varying fields.
            OverflowError: a number has more than 64 bits.
        """

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
class MessageBatch:
    """The stored messages of an answer's body, which is back-to-back records; they are checked here and read when asked for.

    Raises:
        WireError: a record is malformed or cut off. The offset is in the text.
    """

    def __new__(cls, body: bytes) -> Self: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> RawMessage: ...
    def __iter__(self) -> Iterator[RawMessage]: ...

@disjoint_base
class RawMessage:
    """One stored message. It reads what it is asked for from the body that it came in."""

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

    def property_named(self, name: str) -> str | None:
        """The value of one property, of equal names the last; ``None`` without it."""

    @property
    def offset_message_id(self) -> str:
        """The broker's id of the message: its address and commit-log offset."""

    @property
    def size(self) -> int:
        """Size of the stored record."""

class _Limits(Protocol):
    """How much of one queue may be unfinished at a time."""

    @property
    def messages(self) -> int:
        """Messages above which nothing more is pulled."""

    @property
    def size(self) -> int:
        """Bytes above which nothing more is pulled."""

    @property
    def span(self) -> int:
        """Offsets from the lowest unfinished one on, above which nothing more is pulled."""

@disjoint_base
class Deliveries:
    """The pulled and unfinished messages of one queue; the base of the process queue.

    Args:
        queue: Which one; only kept.
        limits: How much may be unfinished.
    """

    def __new__(cls, queue: MessageQueue, limits: _Limits) -> Self: ...
    @property
    def queue(self) -> MessageQueue:
        """Which queue."""

    @property
    def next_offset(self) -> int:
        """Where the next pull reads."""

    @property
    def lowest(self) -> int:
        """The lowest unfinished offset; without one, where the next pull reads."""

    @property
    def unfinished(self) -> int:
        """How many messages are pulled and not acknowledged."""

    @property
    def in_hands(self) -> int:
        """How many messages the user has, or are on their way back to the broker."""

    @property
    def in_work(self) -> int:
        """How many messages the user is inside of, or are on their way back to the broker."""

    @property
    def room(self) -> int:
        """How many messages may be pulled now."""

    def pull_size(self, batch: int) -> int:
        """How many messages to ask for now, at most ``batch``; 0 means to wait until more are acknowledged.

        While messages still wait for the iteration only larger pulls are worth a round trip; without that rule a slow
        consumer would ask for every single message that it has just made room for.
        """

    def is_stuck(self) -> bool:
        """Whether it is full of messages that were handed out and never entered: only the user can help."""

    def count_repeated(self, committed: int | None) -> int:
        """How many messages were handed out, at most, that come again from the offset ``committed`` on.

        They are in hands, or done behind a message that is not, or done and not committed.
        """

    def skip_to(self, offset: int) -> None:
        """Everything below ``offset`` has been pulled, or is nothing for us."""

    def close(self) -> None:
        """Hand out nothing more; what is in hands still counts."""

    def take_in(self, batch: MessageBatch, tags: Sequence[str]) -> tuple[list[Delivery[Self]], int]:
        """Take in what was pulled, without what lies before the offset asked for.

        Args:
            batch: The messages, offsets ascending.
            tags: Those that are wanted; none of them is every message.

        Returns:
            Those taken in, and how many have none of the tags.
        """

    def call_when_room(self, batch: int, callback: Callable[[], object]) -> None:
        """Call once, after the change that makes a pull of up to ``batch`` worthwhile; for who has just looked."""

    def call_when_none_in_hands(self, callback: Callable[[], object]) -> None:
        """Call once, after the change that leaves no message in hands."""

    def call_when_none_in_work(self, callback: Callable[[], object]) -> None:
        """Call once, after the change that leaves no message in work."""

@final
class Delivery(RawMessage, Generic[_P]):
    """A pulled message on its way through the user's hands.

    A method that says what happens to it raises ``OutOfPlaceError`` where that has no place, and then changes nothing.
    """

    @classmethod
    def __class_getitem__(cls, _item: object) -> type[Self]: ...
    @property
    def queue(self) -> _P:
        """Among whose messages it is."""

    @property
    def attempt(self) -> int:
        """Which delivery it is, counted from 1; one more each time it is handed out again here."""

    def hand_out(self) -> bool:
        """Give it to the user, unless its queue was closed: returns whether it was given."""

    def enter(self) -> None:
        """The user begins to work on it."""

    def acknowledge(self) -> None:
        """The work is done."""

    def fail(self) -> None:
        """The work raised."""

    def leave(self) -> None:
        """Left by a cancellation: neither acknowledged nor failed."""

    def pass_by(self) -> bool:
        """It was handed out and nobody will enter it: done. Returns whether that was so; else nothing changes."""

    def give_back(self) -> None:
        """This copy of a failed message is done: the broker has it again, or it is not tried again."""

    def keep(self) -> None:
        """A failed message stays here and is handed out again."""

    def resume(self) -> None:
        """A failed message may be handed out again now."""

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

@final
class MessageIds:
    """The message ids of a request, in order."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, place: int, /) -> str:
        """The id of one message.

        Raises:
            IndexError: There are not so many.
        """

@final
class SendReceipt:
    """What a broker said about a stored message.

    Attributes:
        message_id: The id that the producer gave it (``UNIQ_KEY``); the one to log and to search for.
        queue: The queue it was stored in.
        offset: Its queue offset.
        status: Whether it is stored as firmly as the broker promises.
        offset_message_id: The broker's id, made of its address and the commit-log offset.
    """

    __match_args__: Final = (
        "message_id",
        "queue",
        "offset",
        "status",
        "offset_message_id",
        "transaction_id",
        "recall_handle",
    )

    def __new__(
        cls,
        message_id: str,
        queue: MessageQueue,
        offset: int,
        status: SendStatus,
        offset_message_id: str = "",
        transaction_id: str | None = None,
        recall_handle: str | None = None,
    ) -> SendReceipt:
        """Say all of it."""

    @property
    def message_id(self) -> str:
        """The id that the producer gave it."""

    @property
    def queue(self) -> MessageQueue:
        """The queue it was stored in."""

    @property
    def offset(self) -> int:
        """Its queue offset."""

    @property
    def status(self) -> SendStatus:
        """Whether it is stored as firmly as the broker promises."""

    @property
    def offset_message_id(self) -> str:
        """The broker's id."""

    @property
    def transaction_id(self) -> str | None:
        """Of a transaction's message."""

    @property
    def recall_handle(self) -> str | None:
        """What recalls a delayed message."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class SendAnswer:
    """Where a broker has stored what a request carried, and how firmly."""

    @property
    def status(self) -> SendStatus:
        """How firmly."""

    def receipt(self, message: OutgoingMessage) -> SendReceipt:
        """Return the receipt of the only message."""

    def receipts(self, message_ids: MessageIds) -> list[SendReceipt]:
        """Return one receipt for each message of a batch; the broker's ids are one for each, or one for all."""

@final
class OutgoingMessage:
    """What one request carries, apart from where to: a message, or a batch of them.

    Every attempt sends the same bytes and the same message id, so that a message that was stored twice can be recognised.
    """

    COMPRESS_FROM: Final = 4096
    """Bytes from which on a body is compressed (Java's `compressMsgBodyOverHowmuch`)."""

    def __new__(
        cls,
        topic: str,
        body: bytes,
        properties: str,
        message_id: str,
        order_key: str | None = None,
        *,
        is_batch: bool = False,
    ) -> OutgoingMessage:
        """Make one of parts that are checked.

        Args:
            topic: where to.
            body: of a batch, its items; else it is compressed if it is large and gets smaller.
            properties: property text; the message id's property is added behind it.
            message_id: what the receipt shows; of a batch, an id that its messages do not have.
            order_key: decides about the queue.
            is_batch: whether the body is a batch's.
        """

    @property
    def topic(self) -> str:
        """Where to."""

    @property
    def body(self) -> bytes:
        """As sent, possibly compressed."""

    @property
    def sys_flag(self) -> int:
        """RocketMQ's flags; tells about the compression."""

    @property
    def properties(self) -> str:
        """All of them as RocketMQ's text."""

    @property
    def order_key(self) -> str | None:
        """The key that decides about the queue."""

    @property
    def message_id(self) -> str:
        """The id that the receipt shows."""

    @property
    def is_batch(self) -> bool:
        """Whether the body is a batch's."""

@final
class SendTarget:
    """What all sends of a group to one broker's part of a topic share."""

    def __new__(
        cls,
        code: int,
        language: str,
        version: int,
        fields: dict[str, str],
        varying: tuple[str, ...],
        answered: tuple[str, ...],
        statuses: dict[int, SendStatus],
    ) -> SendTarget:
        """Encode what all of them share.

        Args:
            code: the request's code.
            language: as in every command.
            version: as in every command.
            fields: the header's; those that vary are not looked at.
            varying: keys of queue id, flags, time of birth and property text.
            answered: in an answer, keys of message id, queue id and queue offset.
            statuses: what the codes mean of answers that have these.

        Raises:
            WireError: the header cannot hold it.
        """

    def request(self, message: OutgoingMessage, queue: MessageQueue, born_ms: int) -> SendRequest:
        """Return the request to store a message in a queue; `born_ms` is the wall time."""

@final
class SendRequest:
    """310: store a message; 320: a batch of them."""

    @property
    def code(self) -> int:
        """The request's code."""

    def frame(self, opaque: int, flag: int) -> bytes | LongFrame:
        """Encode the whole frame.

        Raises:
            WireError: the frame cannot hold it.
        """

    def read(self, raw: RawCommand) -> SendAnswer | RawCommand:
        """Return where it is stored; of a broker that has not stored it, its answer as it is.

        Raises:
            WireError: the broker has stored it and does not say where.
        """

@final
class LongFrame:
    """A frame in two parts: copying so long a body behind its head would cost more than sending both."""

    @property
    def head(self) -> bytes:
        """What comes before the body."""

    @property
    def body(self) -> bytes:
        """The body, the object that was to be sent."""

    def __len__(self) -> int:
        """Bytes of both."""

class SqlError(ValueError):
    """Text that is no condition, or a condition that has no verdict on a message."""

@final
class SqlFilter:
    """A compiled SQL92 condition over the properties of a message. Its text form parses to an equal one."""

    def __new__(cls, condition: str) -> SqlFilter:
        """Compile a condition.

        Raises:
            SqlError: it is none; the message says what is wrong, in which line and column.
        """

    def verdict(self, properties: str) -> bool | None:
        """What it says about a message with this property text; None is "unknown", which does not select.

        Raises:
            SqlError: text was compared with a number, or the like; the message is not selected either.
        """

@final
class BatchEncoder:
    """Lays out what an iterable gives as the bodies of batch requests, one batch after the other.

    The iterable is read no further than the batches asked for, but for one item where the bytes of another did not fit.
    """

    def __new__(
        cls,
        items: Iterable[object],
        keys: UniqueKeys,
        properties: str,
        convert: Callable[[object], tuple[bytes, str]],
        *,
        max_bytes: int,
        max_messages: int,
    ) -> BatchEncoder:
        """Say what to send and how.

        Args:
            items: `bytes` of 1 byte to 4 MiB are bodies as they are; `convert` is asked about all else.
            keys: makes the message ids.
            properties: property text of the bodies that are bytes; each gets its UNIQ_KEY behind it.
            convert: gives body and property text of another item.
            max_bytes: no batch of several messages is larger.
            max_messages: no batch has more.

        Raises:
            TypeError: `items` cannot be iterated over.
        """

    def next(self, now_ms: int) -> tuple[bytes, list[object], MessageIds] | None:
        """Return body, items and message ids of the next batch; None when the iterable is exhausted.

        Args:
            now_ms: the time that the message ids carry.

        Raises:
            WireError: a message that the format cannot hold.
            RuntimeError: called by the iterable itself.
            Exception: whatever the iterable or `convert` raises. What was taken for the batch is then left over.
        """

    def left_over(self) -> list[object]:
        """Return, once, the items that were taken and are in no batch, with the one that an error was raised for."""

# --- the engine half: the two owners of a broker's engine, and what they exchange with it

class StoreError(Exception):
    """The store cannot be opened, or could not be closed. The text says what, why and what to do."""

    kind: Literal[
        "io",
        "full",
        "locked",
        "poisoned",
        "closed",
        "too_large",
        "bad_topic",
        "bad_queue",
        "segment_length",
        "damaged",
        "record",
        "close",
        "other",
    ]
    """What kind of trouble. "close": the broker stopped, but its store was not left in order."""

    path: str | None
    """The file or directory it is about."""

    offset: int | None
    """Of damage: where in the log or queue."""

    expected: int | None
    """Of damage or a wrong length: what it should have been."""

    found: int | None
    """Of damage or a wrong length: what it is."""

@final
class Control:
    """One instruction to the engine. Immutable; may be submitted more than once.

    One submitted with a token other than 0 is answered by one `Cold` of kind "done" with that token; its
    `value` is None where nothing else is said here.
    """

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
        """Forget a topic and remove its queues; its held pulls are answered."""

    @staticmethod
    def put_group(
        name: str,
        *,
        consume_enable: bool = True,
        broadcast_enable: bool = True,
        retry_max_times: int = 16,
        retry_queues: int = 1,
        sys_flag: int = 0,
    ) -> Control:
        """Add or replace a consumer group."""

    @staticmethod
    def remove_group(name: str, *, clean_offsets: bool = False) -> Control:
        """Forget a consumer group, and its offsets too if that is wished."""

    @staticmethod
    def put_subscriptions(
        group: str, *, broadcasting: bool, entries: list[tuple[str, str, str, int]]
    ) -> Control:
        """Replace what a group subscribes to: topic, expression type, expression, version."""

    @staticmethod
    def remove_subscriptions(group: str) -> Control:
        """Say that a group has no members left."""

    @staticmethod
    def set_orderly(group: str, *, orderly: bool) -> Control:
        """Say whether a group holds queue locks: what it then sends to its retry topic is a dead letter."""

    @staticmethod
    def respond(
        token: int,
        code: int,
        remark: str | None = None,
        fields: dict[str, str] | None = None,
        body: Buffer | None = None,
    ) -> Control:
        """Answer a parked cold request; a token whose request is gone is ignored."""

    @staticmethod
    def retry(kind: Literal["topic", "group"], name: str) -> Control:
        """Run the requests that wait for a missing name."""

    @staticmethod
    def refuse(kind: Literal["topic", "group"], name: str, code: int, remark: str) -> Control:
        """Answer all requests that wait for a missing name."""

    @staticmethod
    def push(
        conn: int,
        code: int,
        *,
        fields: dict[str, str] | None = None,
        body: Buffer | None = None,
        oneway: bool = True,
    ) -> Control:
        """Send a request to a client. Value: whether it was there.

        If not `oneway`, the client's answer comes later as a command with the token of this submission.
        """

    @staticmethod
    def close_connection(conn: int) -> Control:
        """Close a connection once what was sent to it has left. Value: whether it was there."""

    @staticmethod
    def load_offsets(offsets: list[tuple[str, str, int, int]]) -> Control:
        """Set consumer offsets: topic, group, queue, offset. Others stay as they are."""

    @staticmethod
    def offsets() -> Control:
        """Ask for all consumer offsets. Value: list of (topic, group, queue, offset), sorted."""

    @staticmethod
    def remove_offsets(*, topic: str | None = None, group: str | None = None) -> Control:
        """Forget the offsets of a topic, of a group, or of a group in a topic."""

    @staticmethod
    def bounds(topic: str, queues: list[int]) -> Control:
        """Ask for offsets of queues. Value: list of (queue, smallest, next), in the order asked."""

    @staticmethod
    def reset_offsets(topic: str, group: str, offsets: list[tuple[int, int]]) -> Control:
        """Set a group's offsets in queues, as (queue, offset); its consumers hear of it with their next pull."""

    @staticmethod
    def search_time(topic: str, queue_id: int, timestamp: int) -> Control:
        """Ask for the first message of a queue stored at or after a time in milliseconds. Value: its offset, or the end."""

    @staticmethod
    def earliest_time() -> Control:
        """Ask when the oldest message of the log was stored, in milliseconds; -1 when there is none."""

    @staticmethod
    def store_time(topic: str, queue_id: int, offset: int) -> Control:
        """Ask when the message at a queue offset was stored. Value: milliseconds, -1 where there is no message."""

    @staticmethod
    def deliver_scheduled(queue_id: int, offset: int) -> Control:
        """Move the messages that are due in a delay level's queue.

        Value: the first offset that was not moved, and the wall time in milliseconds before which nothing more is due.
        """

    @staticmethod
    def record(physical_offset: int) -> Control:
        """Ask for the record at a position of the log. Value: its bytes, ``None`` where there is no record."""

    @staticmethod
    def skips(group: str) -> Control:
        """Ask what a group could not read any more.

        Value: list of (topic, queue, where it stood, where it was sent on to, milliseconds of wall time), sorted.
        """

    @staticmethod
    def statistics() -> Control:
        """Ask for the engine's counters. Value: dict of int."""

    @staticmethod
    def put_times() -> Control:
        """Ask how many sends took how long.

        Value: pairs in order, milliseconds and the sends that took so long, but less than the next pair's milliseconds.
        """

    @staticmethod
    def set_accept_writes(accept: bool) -> Control:
        """Accept sends, or answer them 14."""

    @staticmethod
    def purge(before: int) -> Control:
        """Let the log begin at the first segment that ends behind this position; the one that is written stays."""

    @staticmethod
    def set_full_log_dirs(dirs: Sequence[str | PathLike[str]]) -> Control:
        """Make new files of the log in other directories than these, if there are others."""

    @staticmethod
    def stop() -> Control:
        """Answer held pulls 19, wait for sends that wait for the disk (5 s at most), close the store.

        The answer comes when all that is done; its `text` is set if the store did not close in order.
        """

@final
class Cold:
    """One thing the engine leaves to Python, or an answer to what Python asked.

    Which attributes mean something depends on `kind`; the others are 0, empty or None.
    """

    @property
    def kind(self) -> Literal["command", "missing_topic", "missing_group", "closed", "done", "log", "failed"]:
        """What it is.

        - "command": a request, or a client's answer to a push; `conn`, `peer`, `principal`, `command`,
          `token`.
        - "missing_topic": sends wait for a topic; `name`, `default_topic`, `queue_nums`, `unit`.
        - "missing_group": requests wait for a consumer group; `name`.
        - "closed": a connection that sent commands is gone; `conn`.
        - "done": the answer to a control; `token`, and `value`, or `text` if it did not work.
        - "log": a line for the log; `level`, `text`.
        - "failed": a thread of the reactor died, nothing follows; `text`.
        """

    @property
    def conn(self) -> int:
        """The connection."""

    @property
    def token(self) -> int:
        """What `Control.respond` wants, 0 for a one-way request; or what the control was submitted with."""

    @property
    def peer(self) -> str:
        """Address of the other end, `host:port`."""

    @property
    def principal(self) -> str:
        """Who the gate says it is; empty for nobody in particular."""

    @property
    def command(self) -> RawCommand | None:
        """The command as it came; set if and only if the kind is "command"."""

    @property
    def name(self) -> str:
        """The missing name."""

    @property
    def default_topic(self) -> str:
        """The template topic the producer names."""

    @property
    def queue_nums(self) -> int:
        """How many queues the producer would like."""

    @property
    def unit(self) -> bool:
        """Whether the producer is in unit mode."""

    @property
    def value(self) -> object:
        """What a control gave back."""

    @property
    def level(self) -> Literal["", "info", "warning", "error"]:
        """Severity."""

    @property
    def text(self) -> str:
        """What happened."""

@final
class Opening:
    """What a broker is made of: its identity, its store, and the switches of its engine."""

    def __new__(
        cls,
        *,
        broker_name: str,
        cluster: str,
        store_host: str,
        root: str | PathLike[str] | None = None,
        log_dirs: Sequence[str | PathLike[str]] = ...,
        read_only_log_dirs: Sequence[str | PathLike[str]] = ...,
        topics: AbstractSet[str] | None = None,
        segment_size: int = ...,
        consume_queue_entries: int = 300_000,
        ext_segment_size: int | None = None,
        index_slots: int = 5_000_000,
        index_entries: int = 20_000_000,
        flush: Literal["async", "sync"] = "async",
        flush_interval_ms: int = 500,
        permission: int = 6,
        accept_sends_from_ms: int = 0,
        region: str = "DefaultRegion",
        trace_on: bool = True,
        seed: int = 0,
        utc_offset_s: int = 0,
        max_message: int = ...,
        delays_ms: Sequence[int] | None = None,
    ) -> Opening:
        """Describe a broker; nothing is opened yet.

        Args:
            broker_name: Name of the broker, as routes carry it.
            cluster: Name of the cluster.
            store_host: The advertised address, numeric, with its port. Part of every offset message id.
            root: Apache's `storePathRootDir`; None keeps everything in memory.
            log_dirs: Apache's `storePathCommitLog`; empty for `commitlog` of the root.
            read_only_log_dirs: Where files of the log are and no new ones are made.
            topics: The topics that there are; queues of others are not missed. None if that is not known.
            segment_size: Bytes of a commit log file; 1 GiB if not given.
            consume_queue_entries: Entries of a consume queue file.
            ext_segment_size: Bytes of a file of queue extensions (`enableConsumeQueueExt`); None if entries get none.
            index_slots: Hash slots of an index file.
            index_entries: Entries of an index file.
            flush: Whether sends are answered before or after they are on disk.
            flush_interval_ms: With "async", how long at most they take to get there.
            permission: Of the broker: 4 read, 2 write.
            accept_sends_from_ms: Sends before this wall time are refused.
            region: Put into every message as `MSG_REGION`.
            trace_on: Put into every message as `TRACE_ON`.
            seed: Of the generator that picks queues.
            utc_offset_s: Seconds that local time is ahead of UTC: in the names of index files, and in message ids.
            max_message: Bytes of the largest body that producers may send; 4 MiB if not given.
            delays_ms: How long messages of each delay level wait, from level 1 on; Apache's default if not given.

        Raises:
            ValueError: An argument means nothing.
        """

@final
class Engine:
    """The engine without threads: for an owner that brings streams and time.

    Nothing waits: what the engine asks of the disk is done inside `poll`, other threads may run meanwhile.
    After any call that changes something, do what `poll` says and look at what `take` gives.
    """

    def __new__(cls, opening: Opening, *, wall_ms: int, mono_ms: int) -> Engine:
        """Open a store and put an engine with empty tables over it.

        Args:
            opening: Which store, and whose.
            wall_ms: Milliseconds since 1970.
            mono_ms: Milliseconds since any moment, never going back.

        Raises:
            StoreError: The store cannot be opened.
        """

    @property
    def recovery(self) -> dict[str, int | str | list[str] | None]:
        """What opening found.

        `clean` (1 if the store had been closed in order), `scanned_from`, `records`, `unreadable`, `redispatched`, `end`,
        `cut_bytes`, `cut_to` (the file that these are kept in), `index_files_removed`, `lost_queues` and `lost_units` (each
        a list of "topic/queue").
        """

    def open(self, host: str, port: int, *, wall_ms: int, mono_ms: int) -> int:
        """Announce a stream; `host` is numeric. Returns its number, never used twice.

        Raises:
            ValueError: The host is not numeric.
        """

    def receive(self, conn: int, data: Buffer, *, wall_ms: int, mono_ms: int) -> None:
        """Hand in received bytes. Those of a stream that is gone are ignored."""

    def sent(self, conn: int, count: int, *, wall_ms: int, mono_ms: int) -> None:
        """Report that so many bytes of what was to be sent have left.

        Without this the engine takes them for unsent and pauses the stream at 4 MiB.
        """

    def closed(self, conn: int, *, wall_ms: int, mono_ms: int) -> None:
        """Announce the end of a stream, whoever ended it."""

    def tick(self, *, wall_ms: int, mono_ms: int) -> None:
        """Do what is due; to be called when `next_deadline` has come."""

    def next_deadline(self) -> int | None:
        """When `tick` is due, in monotonic milliseconds."""

    def submit(self, token: int, control: Control, *, wall_ms: int, mono_ms: int) -> None:
        """Apply a control. With a token other than 0 a `Cold` of kind "done" follows."""

    def poll(
        self, *, wall_ms: int, mono_ms: int
    ) -> list[tuple[Literal["send", "pause", "resume", "close"], int, bytes]]:
        """Return what is to be done with streams, in this order.

        The last item is what to send; a stream to close is closed after everything given before has left.
        """

    def take(self, limit: int = 256) -> list[Cold]:
        """Return up to `limit` events, oldest first."""

    def statistics(self) -> dict[str, int]:
        """Return the engine's counters."""

@final
class Tls:
    """What a server does about TLS, with certificates that are known to be usable."""

    def __new__(
        cls,
        mode: Literal["disabled", "permissive", "enforcing"],
        *,
        certificate: bytes | None = None,
        key: bytes | None = None,
        client_auth: Literal["none", "optional", "require"] = "none",
        trust: bytes | None = None,
    ) -> Tls:
        """Check a mode and its certificates.

        Args:
            mode: Which connections are taken: plain ones, both, or TLS only.
            certificate: PEM; the server's own first. Without one it is made when the first client asks for TLS.
            key: PEM, not encrypted.
            client_auth: Whether clients have to show a certificate.
            trust: PEM; those who vouch for clients.

        Raises:
            ValueError: They are not usable; why.
        """

def self_made_certificate() -> tuple[bytes, bytes]:
    """Make a key and a certificate for `localhost` that it signed itself; returns certificate and key, PEM."""

@final
class Reactor:
    """The engine in threads of its own that never hold the interpreter, serving TCP.

    Let go of it without `close` and the threads end at once; the store is then left as after a crash.
    """

    def __new__(cls, opening: Opening, *, wake_fd: int, max_connections: int, tls: Tls) -> Reactor:
        """Open the store and start the threads.

        `wake_fd` is the descriptor of a connected socket. The reactor keeps a copy, the original may go.
        One byte is written to it whenever there is something to `take` and there was nothing before.
        Connections above `max_connections` are closed as they come.

        Raises:
            StoreError: The store cannot be opened.
            OSError: The descriptor is none of a socket, or there are no threads or descriptors left.
        """

    @property
    def recovery(self) -> dict[str, int | str | list[str] | None]:
        """What opening found; see `Engine.recovery`."""

    def listen(self, host: str, port: int) -> tuple[str, int]:
        """Listen on one more address; port 0 picks a free one. Returns what was bound.

        Raises:
            OSError: It cannot be bound; `errno` EADDRINUSE when somebody else has it.
            RuntimeError: The reactor is closed.
        """

    def submit(self, token: int, control: Control) -> None:
        """Hand over a control; never waits. Order is kept. A token other than 0 is answered.

        Raises:
            RuntimeError: The reactor is closed.
        """

    def take(self, limit: int = 256) -> list[Cold]:
        """Return up to `limit` events, oldest first. Fewer: the next one comes with a wake-up."""

    def panic(self) -> None:
        """Have the thread that owns the engine fail as a bug would: for tests of what becomes of a broker then.

        Raises:
            RuntimeError: The reactor is closed.
        """

    def close(self, timeout_ms: int) -> None:
        """Stop in order and wait for it, with the interpreter released.

        No new connections, held pulls answered, sends that wait for the disk answered, store closed, threads
        joined. A second call gives the result of the first.

        Raises:
            TimeoutError: It took longer; the next start will recover the store.
            StoreError: The store was not left in order (kind "close").
            RuntimeError: A thread had died of a bug.
        """

    def statistics(self) -> dict[str, int]:
        """Return the counters of the I/O; the engine's own come by `Control.statistics`."""

@final
class OfflineStore:
    """A store directory that no broker has open. Nothing is changed, and brokers are kept out meanwhile."""

    def __new__(
        cls,
        root: str | PathLike[str],
        *,
        log_dirs: Sequence[str | PathLike[str]] = ...,
        topics: AbstractSet[str] | None = None,
    ) -> OfflineStore:
        """Open Apache's `storePathRootDir`; `log_dirs` if the log does not lie in `commitlog` of it.

        With `topics`, queues of other topics are not missed.

        Raises:
            StoreError: A broker has it open, or it cannot be read.
        """

    def inspect(self) -> dict[str, object]:
        """Return what is in it.

        `clean`, `log_start`, `log_files_end`, `segments`, `segment_size`, `durable` (or None), `checkpoint` (the times of
        log, queues and index, or None), `queues` (topic, queue, first and next offset), `index_files`, `ext_segments`,
        `ext_segment_size`.
        """

    def records(self, from_: int | None = None, max_bytes: int = 1_048_576) -> tuple[bytes, int | None]:
        """Return whole records from a log position on, and where the next begins; None at the end.

        Raises:
            StoreError: It cannot be read.
        """

@final
class StoreCheck:
    """A check of a store directory, a step at a time."""

    def __new__(
        cls,
        root: str | PathLike[str],
        *,
        log_dirs: Sequence[str | PathLike[str]] = ...,
        topics: AbstractSet[str] | None = None,
    ) -> StoreCheck:
        """Open Apache's `storePathRootDir`; `log_dirs` if the log does not lie in `commitlog` of it.

        With `topics`, queues of other topics are not missed.

        Raises:
            StoreError: A broker has it open, or it cannot be read.
        """

    def step(self) -> tuple[bool, int, int]:
        """Check 64 MiB of the log. Returns whether there is more, the position, and where the files end.

        Raises:
            StoreError: It cannot be read.
        """

    def report(self) -> dict[str, object]:
        """Return what was found.

        `sound`, `end`, `records`, `unreadable`, `entries`, `without_entry`, `counts`, `findings`.
        """

@final
class StoreRepair:
    """A repair of a store directory: planned in steps, then done once."""

    def __new__(
        cls,
        root: str | PathLike[str],
        *,
        log_dirs: Sequence[str | PathLike[str]] = ...,
        topics: AbstractSet[str] | None = None,
        remake: bool = False,
    ) -> StoreRepair:
        """Open and lock Apache's `storePathRootDir`; with `remake` queues and index are made again in any case.

        Raises:
            StoreError: A broker has it open, or it cannot be read.
        """

    def step(self) -> tuple[bool, int, int]:
        """Check 64 MiB of the log. Returns whether there is more, the position, and where the files end.

        Raises:
            StoreError: It cannot be read.
        """

    def plan(self) -> dict[str, object]:
        """Return what would be done.

        `needed`, `cut`, `replaced_queues`, `remakes_queues`, `index`, `remakes_index`, `report`.

        Raises:
            RuntimeError: It has been done.
            StoreError: It cannot be read.
        """

    def apply(self, utc_offset_s: int, wall_ms: int) -> dict[str, object]:
        """Do it, and return `cut_to`, `set_aside` and `recovery`.

        Raises:
            RuntimeError: It has been done.
            StoreError: It cannot be read or written.
        """
