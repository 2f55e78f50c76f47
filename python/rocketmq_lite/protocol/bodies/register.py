"""What a broker registers with a name server (namesrv.md 4).

Plain, it is JSON. Compressed, it is one zlib stream of

    length, JSON of the data version | number of topics | per topic: length, text
    | length, JSON of the filter servers | from 5.0 on: number of mappings, per mapping: length, JSON

where a topic's text is ``name readQueues writeQueues perm filterType attributes``. A real 5.5.0 broker sends the compressed
form under a header that says it is not, so the first byte decides.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import field
from typing import Final

from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.bodies.shape import JsonBody
from rocketmq_lite.protocol.bodies.topic import DataVersion, TopicConfig
from rocketmq_lite.protocol.framing import json_dumps, json_loads
from rocketmq_lite.protocol.headers.shape import read_i32
from rocketmq_lite.records import dataclass

__all__ = ["RegisterBrokerBody"]

MAPPING_SINCE: Final = 413
"""5.0.0: senders from this version on end the compressed form with their topic mappings."""

FULL_SINCE: Final = 37
"""3.0.11: older senders register the topic table alone."""

_LIMIT: Final = 64 * 1024 * 1024
"""The most that a compressed registration may unpack to; 10,000 topics are about 1 MiB."""

_TOPIC_PARTS: Final = 5


@dataclass(frozen=True, slots=True)
class _Wrapper(JsonBody):
    data_version: DataVersion = field(default_factory=DataVersion)
    topic_config_table: dict[str, TopicConfig] = field(default_factory=dict)
    mapping_data_version: DataVersion | None = None
    topic_queue_mapping_detail_map: dict[str, object] = field(default_factory=dict)
    topic_queue_mapping_info_map: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Plain(JsonBody):
    topic_config_serialize_wrapper: _Wrapper = field(default_factory=_Wrapper)
    filter_server_list: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisterBrokerBody:
    """A broker's topics and their version."""

    data_version: DataVersion = field(default_factory=DataVersion)
    topics: dict[str, TopicConfig] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The plain form; without static topics there is no version of their mappings."""
        wrapper = _Wrapper(data_version=self.data_version, topic_config_table=self.topics)
        return _Plain(topic_config_serialize_wrapper=wrapper).encode()

    def encode_compressed(self) -> bytes:
        """The compressed form of our version, with its empty section of mappings."""
        texts = [_text_of(config) for config in self.topics.values()]
        content = (
            _sized(self.data_version.encode())
            + struct.pack(">i", len(texts))
            + b"".join(_sized(text.encode()) for text in texts)
            + _sized(b"[]")
            + struct.pack(">i", 0)
        )
        return zlib.compress(content, level=9)

    @classmethod
    def decode(cls, body: bytes, *, version: int) -> RegisterBrokerBody:
        """Read either form, as a sender of that version writes it; no body is an empty table.

        Raises:
            LocalProtocolError: It is neither.
        """
        if not body:
            return cls()
        if body[:1] == b"\x78":
            return cls._of_compressed(body, version)
        wrapper = (
            _Plain.decode(body).topic_config_serialize_wrapper
            if version >= FULL_SINCE
            else _Wrapper.decode(body)
        )
        return cls(wrapper.data_version, wrapper.topic_config_table)

    @classmethod
    def _of_compressed(cls, body: bytes, version: int) -> RegisterBrokerBody:
        unpacker = zlib.decompressobj()
        try:
            parts = _Parts(unpacker.decompress(body, _LIMIT))
            if unpacker.unconsumed_tail:
                raise LocalProtocolError(f"a registration unpacks to more than {_LIMIT} bytes")
            data_version = DataVersion.decode(parts.sized())
            topics = [_topic_of(parts.sized().decode()) for _ in range(parts.number())]
            json_loads(parts.sized())
            if version >= MAPPING_SINCE:
                for _ in range(parts.number()):
                    parts.sized()
        except (zlib.error, struct.error, UnicodeDecodeError, ValueError) as error:
            raise LocalProtocolError(f"a compressed registration cannot be read: {error}") from error
        return cls(data_version, {topic.topic_name: topic for topic in topics})


class _Parts:
    """Numbers, and texts with their length in front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self) -> int:
        (value,) = struct.unpack_from(">i", self._data, self._at)
        self._at += 4
        if value < 0 or value > len(self._data):
            raise ValueError(f"impossible length {value}")
        return int(value)

    def sized(self) -> bytes:
        length = self.number()
        part = self._data[self._at : self._at + length]
        if len(part) != length:
            raise ValueError(f"{length} bytes announced, {len(part)} there")
        self._at += length
        return part


def _sized(part: bytes) -> bytes:
    return struct.pack(">i", len(part)) + part


def _text_of(topic: TopicConfig) -> str:
    attributes = json_dumps(topic.attributes).decode()
    numbers = f"{topic.read_queue_nums} {topic.write_queue_nums} {topic.perm}"
    return f"{topic.topic_name} {numbers} {topic.topic_filter_type} {attributes}"


def _topic_of(text: str) -> TopicConfig:
    name, read, write, perm, filter_type, *rest = text.split(" ", _TOPIC_PARTS)
    read_queues, write_queues, perm_bits = map(read_i32, (read, write, perm))
    attributes = json_loads(rest[0].encode()) if rest and rest[0] else {}
    if not isinstance(attributes, dict):
        raise ValueError(f"attributes {attributes!r} are no object")  # noqa: TRY004 - as any other bad value
    return TopicConfig(
        topic_name=name,
        read_queue_nums=read_queues,
        write_queue_nums=write_queues,
        perm=perm_bits,
        topic_filter_type=filter_type,
        attributes={str(k): str(v) for k, v in attributes.items()},
    )
