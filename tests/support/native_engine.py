"""An engine of the extension, called inline: what its tests make it of."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from rocketmq_lite import _native
from rocketmq_lite._native import Control

if TYPE_CHECKING:
    from pathlib import Path

WALL_MS = 1_700_000_000_000
STORE_HOST = "127.0.0.1:10911"
SEGMENT = 65_536
SEND_MESSAGE, HEARTBEAT, SEND_FIELDS = (
    10,
    34,
    {
        "producerGroup": "P",
        "topic": "T",
        "defaultTopic": "TBW102",
        "defaultTopicQueueNums": "4",
        "queueId": "0",
        "sysFlag": "0",
        "bornTimestamp": str(WALL_MS),
        "flag": "0",
        "properties": "",
        "unitMode": "false",
    },
)


class Now(TypedDict):
    wall_ms: int
    mono_ms: int


NOW: Now = {"wall_ms": WALL_MS, "mono_ms": 0}


def opening(
    root: Path | None = None, *, segment_size: int = SEGMENT, store_host: str = STORE_HOST
) -> _native.Opening:
    return _native.Opening(
        broker_name="broker-a", cluster="C", store_host=store_host, root=root, segment_size=segment_size
    )


def engine(root: Path | None = None, segment_size: int = SEGMENT) -> _native.Engine:
    return _native.Engine(opening(root, segment_size=segment_size), **NOW)


def with_topic(opened: _native.Engine) -> int:
    """A connection to an engine that has topic T."""
    opened.submit(0, Control.put_topic("T", read_queues=4, write_queues=4), **NOW)
    return opened.open("127.0.0.1", 40_000, **NOW)


def request(
    code: int, fields: dict[str, str], body: bytes = b"body", *, opaque: int = 1, oneway: bool = False
) -> bytes:
    flag = 2 if oneway else 0
    return _native.encode_command(code, opaque, flag, "PYTHON", 479, None, fields, body, "ROCKETMQ")


def answers(opened: _native.Engine) -> list[_native.RawCommand]:
    """What the engine sends, reported as sent."""
    decoder, found = _native.FrameDecoder(), []
    for action, conn, data in opened.poll(**NOW):
        assert action == "send"
        opened.sent(conn, len(data), **NOW)
        found += decoder.feed(data)
    return found


def result(opened: _native.Engine, control: Control) -> _native.Cold:
    opened.submit(7, control, **NOW)
    opened.poll(**NOW)
    [cold] = opened.take()
    assert (cold.kind, cold.token) == ("done", 7)
    return cold
