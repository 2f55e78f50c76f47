"""Local checks of everything a caller names: topics, groups, tags, keys, properties, bodies.

The broker checks most of this too, but answers with a bare code after a round trip; here the caller
learns which argument is wrong and why. Limits and reserved names are Java's (``Validators``,
``TopicValidator``, ``MessageConst``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rocketmq_lite.errors import ConfigError
from rocketmq_lite.protocol import reserved

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "KEYS",
    "MAX_BODY",
    "MAX_PROPERTIES",
    "ORDER_KEY",
    "RETRY_TOPIC",
    "TAGS",
    "UNIQ_KEY",
    "WAIT",
    "check_body",
    "check_group",
    "check_keys",
    "check_order_key",
    "check_properties",
    "check_tag",
    "check_topic",
    "check_topic_to_send",
    "is_reserved",
]

# Properties by which RocketMQ carries what our API has arguments for.
KEYS: Final = "KEYS"
TAGS: Final = "TAGS"
UNIQ_KEY: Final = "UNIQ_KEY"
WAIT: Final = "WAIT"
ORDER_KEY: Final = "__SHARDINGKEY"
ORIGIN_MESSAGE_ID: Final = "ORIGIN_MESSAGE_ID"
"""The broker's id of the message that was sent first."""
RETRY_TOPIC: Final = "RETRY_TOPIC"
"""Where a message that waits in a %RETRY% topic was sent to."""

MAX_BODY: Final = 4 * 1024 * 1024
"""Bytes of a body before compression (Java's ``maxMessageSize``)."""
MAX_PROPERTIES: Final = 32_767
"""Bytes of all properties as text: the record holds their length in a signed 16-bit word."""

_RESERVED_GROUPS = frozenset({"DEFAULT_PRODUCER", "DEFAULT_CONSUMER"})
_NOT_FOR_SENDING = frozenset(
    {
        reserved.SCHEDULE_TOPIC,
        reserved.TRANS_HALF_TOPIC,
        reserved.TRANS_OP_HALF_TOPIC,
        reserved.TRANS_CHECK_MAX_TIME_TOPIC,
        reserved.SELF_TEST_TOPIC,
        reserved.OFFSET_MOVED_EVENT,
    }
)
# What RocketMQ itself keeps in a message's properties; a user's value would change how it is handled.
_RESERVED_WORDS = """
KEYS TAGS WAIT DELAY UNIQ_KEY TRAN_MSG PGROUP ORIGIN_GROUP REAL_TOPIC REAL_QID RETRY_TOPIC
ORIGIN_MESSAGE_ID RECONSUME_TIME MAX_RECONSUME_TIMES CONSUME_START_TIME MIN_OFFSET MAX_OFFSET
MSG_REGION TRACE_ON CLUSTER INSTANCE_ID CORRELATION_ID REPLY_TO_CLIENT TTL MSG_TYPE ARRIVE_TIME
PUSH_REPLY_TIME __SHARDINGKEY CHECK_IMMUNITY_TIME_IN_SECONDS TRAN_PREPARED_QUEUE_OFFSET
TRANSACTION_CHECK_TIMES __transactionId__ TIMER_DELAY_SEC TIMER_DELAY_MS TIMER_DELIVER_MS
TIMER_OUT_MS TIMER_ENQUEUE_MS TIMER_DEQUEUE_MS TIMER_ROLL_TIMES TIMER_DEL_UNIQKEY
TIMER_DELAY_LEVEL POP_CK POP_CK_OFFSET 1ST_POP_TIME INNER_NUM INNER_BASE INNER_MULTI_DISPATCH
INNER_MULTI_QUEUE_OFFSET DLQ_ORIGIN_TOPIC DLQ_ORIGIN_MESSAGE_ID BORN_TIMESTAMP __BORNHOST
BUYER_ID TRANSFER_FLAG CORRECTION_FLAG MQ2_FLAG REDIRECT DUP_INFO EXTEND_UNIQ_INFO
PROPERTY_FORWARD_QUEUE_ID TRACE_CONTEXT __CRC32#
"""
_RESERVED_PROPERTIES = frozenset(_RESERVED_WORDS.split())
_TRANSIENT_PREFIX = "__RMQ."


def check_topic(topic: str) -> str:
    """Return ``topic`` when it can be the name of a topic.

    Raises:
        ConfigError: It is empty, too long or has characters that RocketMQ refuses.
    """
    return _check_name("topic", topic, reserved.MAX_TOPIC_LENGTH)


def check_topic_to_send(topic: str) -> str:
    """Return ``topic`` when a producer may send to it.

    Raises:
        ConfigError: As :func:`check_topic`, or it is one of RocketMQ's own topics.
    """
    if type(topic) is not str:
        check_topic(topic)
    return _check_text_to_send(topic)


@lru_cache(maxsize=4096)
def _check_text_to_send(topic: str) -> str:
    """As above; remembers the topics that it has found to be valid, since it is asked for every message."""
    check_topic(topic)
    if topic in _NOT_FOR_SENDING:
        raise ConfigError(f"topic {topic!r} belongs to RocketMQ", hint="choose a topic of your own")
    return topic


def check_group(group: str) -> str:
    """Return ``group`` when it can be the name of a producer or consumer group.

    Raises:
        ConfigError: It is empty, too long, reserved or has characters that RocketMQ refuses.
    """
    _check_name("group", group, reserved.MAX_GROUP_LENGTH)
    if group in _RESERVED_GROUPS:
        raise ConfigError(f"group {group!r} is reserved", hint="name the group after your service")
    return group


def check_body(body: object) -> bytes:
    """Return ``body`` as bytes when it can be the body of a message.

    Raises:
        ConfigError: It is not bytes, is empty, or is longer than :data:`MAX_BODY`.
    """
    if type(body) is bytes and 0 < len(body) <= MAX_BODY:
        return body
    if isinstance(body, str):
        raise ConfigError("body is text, not bytes", hint="send body.encode()")
    if not isinstance(body, bytes | bytearray | memoryview):
        raise ConfigError(f"body is {type(body).__name__}, not bytes")
    if len(body) == 0:
        raise ConfigError("body is empty", hint="RocketMQ refuses messages without a body")
    data = bytes(body)
    if len(data) > MAX_BODY:
        raise ConfigError(
            f"body has {len(data)} bytes, at most {MAX_BODY} are allowed",
            hint="store large data elsewhere and send where it is",
        )
    return data


def check_tag(tag: str) -> str:
    """Return ``tag`` when it can be a message's tag and a consumer can subscribe to it.

    Raises:
        ConfigError: It is blank, or holds ``|``, control characters or blanks at its ends.
    """
    _check_text("tag", tag)
    if tag != tag.strip() or "|" in tag or tag == "*":
        raise ConfigError(
            f"no subscription can ask for tag {tag!r}",
            hint="a tag is one word, without '|' and other than '*'",
        )
    return tag


def check_keys(keys: str | Iterable[str]) -> tuple[str, ...]:
    """Return the keys one by one; a text is one key.

    Raises:
        ConfigError: A key is blank or has blanks in it: RocketMQ separates keys by blanks.
    """
    listed = (keys,) if isinstance(keys, str) else tuple(keys)
    for key in listed:
        _check_text("key", key)
        if key.split() != [key]:
            raise ConfigError(f"key {key!r} has blanks in it", hint="for several keys give a list")
    return listed


def check_order_key(order_key: str) -> str:
    """Return ``order_key`` when it can decide about a queue and travel with the message.

    Raises:
        ConfigError: It is blank, not text, or holds separators.
    """
    _check_text("order key", order_key)
    return order_key


def check_properties(properties: Mapping[str, str]) -> dict[str, str]:
    """Return ``properties``, copied, when a user may set them.

    Raises:
        ConfigError: A name is reserved, or a name or value is blank, not text or has separators in it.
    """
    for name, value in properties.items():
        _check_text("property name", name)
        if is_reserved(name):
            raise ConfigError(f"property {name!r} is reserved by RocketMQ", hint=_instead_of(name))
        _check_text(f"value of property {name!r}", value)
    return dict(properties)


def is_reserved(name: str) -> bool:
    """Whether a property is RocketMQ's own."""
    return name in _RESERVED_PROPERTIES or name.startswith(_TRANSIENT_PREFIX)


def _instead_of(name: str) -> str:
    arguments = {KEYS: "keys=", TAGS: "tag=", ORDER_KEY: "order_key="}
    if name in arguments:
        return f"use the argument {arguments[name]}"
    return "choose another name"


def _check_name(kind: str, name: object, longest: int) -> str:
    if not isinstance(name, str):
        raise ConfigError(f"{kind} is {type(name).__name__}, not text")
    if not name.strip():
        raise ConfigError(f"{kind} has no name")
    if len(name) > longest:
        raise ConfigError(f"{kind} name has {len(name)} characters, at most {longest} are allowed")
    if not reserved.VALID_NAME.fullmatch(name):
        raise ConfigError(
            f"{kind} {name!r} has characters that RocketMQ refuses",
            hint="use letters, digits, '_', '-', '%' and '|'",
        )
    return name


def _check_text(kind: str, text: object) -> None:
    if not isinstance(text, str):
        raise ConfigError(f"{kind} is {type(text).__name__}, not text")
    if not text.strip():
        raise ConfigError(f"{kind} is blank", hint="leave it out instead")
    if "\x01" in text or "\x02" in text:
        raise ConfigError(f"{kind} {text!r} holds a separator of RocketMQ (0x01 or 0x02)")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"{kind} {text!r} is not valid Unicode") from error
