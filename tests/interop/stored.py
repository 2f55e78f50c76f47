"""What the tests of exchanged stores write, and everything that a broker says of what it has.

All of it is read as bytes, by the protocol's description alone, so that two brokers over one directory can be compared to
the byte.
"""

from __future__ import annotations

import itertools
import json
import struct
from typing import TYPE_CHECKING, Any, Final

from tests.support.raw_client import PULL_MESSAGE, RawClient, pull_fields, send_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

Queue = tuple[str, int]
Records = dict[Queue, list[bytes]]

SMALL: Final[dict[str, Any]] = {
    "mappedFileSizeCommitLog": 65_536,
    "mappedFileSizeConsumeQueue": 2_000,
    "maxHashSlotNum": 1_000,
    "maxIndexNum": 4_000,
}
"""Files so small that a few hundred messages fill several of each; in the settings of either broker."""

_QUEUES: Final[dict[str, int]] = {
    "normal": 4,
    "batches": 2,
    "keyed": 1,
    "later": 1,
    "SCHEDULE_TOPIC_XXXX": 18,
}
_KEYS: Final = ("one", "many", "second")
_SEND_BATCH = 320
_RUNTIME_INFO = 28
_QUERY_BY_KEY = 12
_SEARCH_OFFSET = 29
_MAX_OFFSET, _MIN_OFFSET, _EARLIEST = 30, 31, 32
_VIEW_BY_ID = 33
_FOREVER = 2**62


def fill(address: str) -> None:
    """Several topics: with tags, with keys, in batches, delayed; more than three files of the log."""
    with RawClient(address) as client:
        for number in range(160):
            tag = ("TagA", "TagB", "Ä-tag")[number % 3]
            _sent(
                client, "normal", number % 4, f"normal {number:03} ".encode() * 100, TAGS=tag, N=str(number)
            )
        for number in range(12):
            _sent_batch(client, number % 2, [f"batch {number} item {item}" for item in range(10)])
        for number in range(40):
            keys = "one many" if number == 7 else f"many key-{number}"
            _sent(client, "keyed", 0, b"keyed" * 50, KEYS=keys, UNIQ_KEY=f"U{number:031}")
        _sent(client, "keyed", 0, b"", KEYS="second", TAGS="t")
        _sent(client, "later", 0, b"much later", DELAY="18", KEYS="second")
        _sent(client, "later", 0, b"soon", DELAY="3")


def records(address: str) -> Records:
    """Every record that consumers can get, from offset 0 on."""
    found: Records = {}
    with RawClient(address) as client:
        for topic, count in _QUEUES.items():
            for queue in range(count):
                found[topic, queue] = list(_consumed(client, topic, queue))
    return found


def answers(address: str, expected: Records) -> dict[tuple[object, ...], object]:
    """What a broker answers to every kind of question about these records."""
    found: dict[tuple[object, ...], object] = {}
    with RawClient(address) as client:
        for (topic, queue), stored in expected.items():
            if topic == "SCHEDULE_TOPIC_XXXX":
                continue
            where = {"topic": topic, "queueId": queue}
            for code, field in ((_MIN_OFFSET, "offset"), (_EARLIEST, "timestamp")):
                found[code, topic, queue] = client.call(code, where).fields[field]
            for stamp, boundary in itertools.product(_stamps(stored), ("LOWER", "UPPER")):
                question = {**where, "timestamp": stamp, "boundaryType": boundary}
                found["time", topic, queue, stamp, boundary] = client.call(_SEARCH_OFFSET, question).fields[
                    "offset"
                ]
            for record in stored:
                offset = struct.unpack_from(">q", record, 28)[0]
                found["id", offset] = client.call(_VIEW_BY_ID, {"offset": offset}).body == record
        times = sorted(_store_time(record) for stored in expected.values() for record in stored)
        # The index counts seconds, and Apache goes by it alone, so that it misses some of the first second.
        spans = ((0, _FOREVER), (0, times[0] - 2000), (times[-1] + 2000, _FOREVER))
        for key, (begin, end) in itertools.product(_KEYS, spans):
            found["key", key, begin, end] = _by_key(client, key, begin, end)
        for number in (0, 39):
            found["unique", number] = _by_key(client, f"U{number:031}", 0, _FOREVER, unique=True)
    return found


def figures(address: str) -> set[str]:
    """What a broker tells about itself (28), by name; but how far each delay level is, which comes and goes."""
    with RawClient(address) as client:
        names = json.loads(client.call(_RUNTIME_INFO, {}).body)["table"]
    return {name for name in names if not name.startswith("scheduleMessageOffset_")}


def tagged(address: str, queue: int, tag: str) -> list[bytes]:
    """The records of a queue of topic "normal" that a filter by tag lets through."""
    found: list[bytes] = []
    with RawClient(address) as client:
        offset = 0
        while True:
            fields = pull_fields("normal", queue, offset) | {"subscription": tag}
            answer = client.call(PULL_MESSAGE, fields)
            found += _cut(answer.body)
            if answer.code not in {0, 20}:  # found, or look further on
                return found
            offset = int(answer.fields["nextBeginOffset"])


def with_tag(records: list[bytes], tag: str) -> list[bytes]:
    """Those of some records that have a tag."""
    return [record for record in records if f"TAGS\x01{tag}\x02".encode() in record]


def _sent(client: RawClient, topic: str, queue: int, body: bytes, **properties: str) -> None:
    answer = client.send(topic, body or b"\0", queue=queue, properties=_text(properties))
    assert answer.code == 0, answer


def _sent_batch(client: RawClient, queue: int, bodies: list[str]) -> None:
    body = b"".join(_batch_item(text.encode(), _text({"TAGS": "TagA", "KEYS": "b"})) for text in bodies)
    fields = send_fields("batches", queue=queue) | {"m": "true"}
    answer = client.call(_SEND_BATCH, fields, body)
    assert answer.code == 0, answer


def _batch_item(body: bytes, properties: str) -> bytes:
    text = properties.encode()
    item = struct.pack(">iiii", 0, 0, 0, len(body)) + body + struct.pack(">h", len(text)) + text
    return struct.pack(">i", len(item) + 4) + item


def _text(properties: dict[str, str]) -> str:
    return "".join(f"{name}\x01{value}\x02" for name, value in properties.items())


def _consumed(client: RawClient, topic: str, queue: int) -> Iterator[bytes]:
    end = int(client.call(_MAX_OFFSET, {"topic": topic, "queueId": queue}).fields["offset"])
    offset = 0
    while offset < end:
        answer = client.pull(topic, queue, offset)
        assert answer.code == 0, (topic, queue, offset, answer)
        for record in _cut(answer.body):
            assert struct.unpack_from(">q", record, 20)[0] == offset
            yield record
            offset += 1


def _cut(body: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(body):
        (size,) = struct.unpack_from(">I", body, at)
        yield body[at : at + size]
        at += size


def _store_time(record: bytes) -> int:
    return int(struct.unpack_from(">q", record, 56)[0])


def _stamps(stored: list[bytes]) -> list[int]:
    """Times of messages, between them, before the first and after the last."""
    times = {_store_time(record) for record in stored}
    around = {time + step for time in sorted(times)[:5] + sorted(times)[-5:] for step in (-1, 0, 1)}
    return sorted(around | {0, min(times, default=1) - 1000, max(times, default=1) + 1000})


def _by_key(client: RawClient, key: str, begin: int, end: int, *, unique: bool = False) -> list[bytes]:
    question = {"topic": "keyed", "key": key, "maxNum": 64, "beginTimestamp": begin, "endTimestamp": end}
    answer = client.call(_QUERY_BY_KEY, question | ({"_UNIQUE_KEY_QUERY": "true"} if unique else {}))
    return list(_cut(answer.body)) if answer.code == 0 else []
