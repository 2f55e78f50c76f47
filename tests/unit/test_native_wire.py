"""The wire half of `_native` from Python: conversions, and every error it raises.

The formats themselves are tested in Rust; what is tested here is what crosses the boundary.
"""

import zlib

import pytest

from rocketmq_lite import _native

# The worked example of protocol.md: request 105, opaque 7, fields {topic: T}.
ROUTE_REQUEST = bytes.fromhex(
    "00000025 01000021 0069 00 01df 00000007 00000000 00000000 0000000c 0005 746f706963 00000001 54"
)
# The worked example of a stored message: body hello, topic T, property TAGS=a.
STORED = bytes.fromhex(
    "00000068daa320a73610a6860000000100000000000000000000000200000000000001000000000000000"
    "18bcfe568007f00000100009c400000018bcfe568010a00000500002a9f0000000000000000000000000000"
    "000568656c6c6f015400075441475301 6102"
)


def stored(body: bytes, sys_flag: int) -> bytes:
    """The example with another body and system flag, and so with a wrong checksum, which nobody checks."""
    size = len(STORED) - 5 + len(body)
    head = size.to_bytes(4) + STORED[4:36] + sys_flag.to_bytes(4) + STORED[40:84]
    return head + len(body).to_bytes(4) + body + STORED[93:]


def test_a_command_converts_both_ways() -> None:
    [command] = _native.FrameDecoder().feed(ROUTE_REQUEST)
    assert (command.code, command.opaque, command.flag) == (105, 7, 0)
    assert (command.language, command.version, command.codec) == ("JAVA", 479, "ROCKETMQ")
    assert (command.remark, command.fields, command.body) == (None, {"topic": "T"}, b"")
    frame = _native.encode_command(105, 7, 0, "JAVA", 479, None, {"topic": "T"}, b"", "ROCKETMQ")
    assert frame == ROUTE_REQUEST
    assert repr(command) == "<RawCommand code=105 opaque=7 flag=0 body=0 bytes>"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_data_is_any_bytes_like_object(kind: type[bytes]) -> None:
    decoder = _native.FrameDecoder()
    assert decoder.feed(kind(ROUTE_REQUEST[:20])) == []
    assert decoder.buffered == 20
    [command] = decoder.feed(kind(ROUTE_REQUEST[20:]))
    assert command.fields == {"topic": "T"}
    body = kind(b"body")
    frame = _native.encode_command(0, 1, 1, "PYTHON", 479, "fine", {}, body, "JSON")
    [answer] = _native.FrameDecoder().feed(frame)
    assert (answer.remark, answer.language, answer.codec) == ("fine", "PYTHON", "JSON")
    assert answer.body == b"body"


def test_a_malformed_frame_keeps_the_commands_before_it() -> None:
    decoder = _native.FrameDecoder()
    commands = decoder.feed(ROUTE_REQUEST + b"\x40\x00\x00\x00")
    assert [command.code for command in commands] == [105]
    assert decoder.error == "frame of 1073741828 bytes exceeds the limit of 16777216"
    assert decoder.feed(ROUTE_REQUEST) == []
    assert decoder.buffered == 0


def test_the_frame_limit_is_settable() -> None:
    decoder = _native.FrameDecoder(max_frame=40)
    assert decoder.feed(ROUTE_REQUEST) == []
    assert decoder.error == "frame of 41 bytes exceeds the limit of 40"


def test_what_a_header_cannot_hold_is_an_error() -> None:
    def encode(code: int, fields: dict[str, str], codec: str) -> bytes:
        return _native.encode_command(code, 1, 0, "PYTHON", 479, None, fields, b"", codec)  # type: ignore[arg-type]

    with pytest.raises(_native.WireError, match="`code` = 200072 does not fit a ROCKETMQ header"):
        encode(200_072, {}, "ROCKETMQ")
    with pytest.raises(_native.WireError, match="`key` of 32768 bytes exceeds"):
        encode(1, {"k" * 32_768: "v"}, "ROCKETMQ")
    with pytest.raises(ValueError, match='codec must be "JSON" or "ROCKETMQ"'):
        encode(1, {}, "CBOR")
    with pytest.raises(TypeError):
        encode(1, {"queueId": 1}, "JSON")  # type: ignore[dict-item]


def test_json_keys_are_text_numbers_and_tuples() -> None:
    queue = (("brokerName", "b"), ("queueId", 0), ("topic", "T"))
    text = b'{"a":[null,true,1.5,"x"],"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:7}}'
    value = _native.json_loads(text)
    assert value == {"a": [None, True, 1.5, "x"], "offsetTable": {queue: 7}}
    assert _native.json_dumps(value) == text
    assert _native.json_loads(b'{0:"a",1:"b"}') == {0: "a", 1: "b"}
    assert _native.json_dumps({1: "b", 0: "é"}) == '{1:"b",0:"é"}'.encode()
    assert _native.json_dumps({1: "b", 0: "é"}, standard=True) == b'{"0":"\\u00e9","1":"b"}'
    assert _native.json_dumps({"b": None, "a": (1, 2)}) == b'{"a":[1,2]}'


def test_what_is_no_json_is_an_error() -> None:
    with pytest.raises(_native.WireError, match="malformed JSON at offset 5: expected a value"):
        _native.json_loads(b'{"a":}')
    with pytest.raises(_native.WireError, match="nested deeper than 128"):
        _native.json_loads(b"[" * 1000)
    with pytest.raises(_native.WireError, match="more than 2097152 values"):
        _native.json_loads(b"[" + b"1," * 2_100_000 + b"]")
    with pytest.raises(TypeError, match="JSON value cannot be of type bytes"):
        _native.json_dumps({"a": b""})
    with pytest.raises(TypeError, match="JSON key cannot be of type float"):
        _native.json_dumps({1.5: 1})
    with pytest.raises(OverflowError):
        _native.json_dumps(1 << 63)
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="nested deeper than 128"):
        _native.json_dumps(endless)


def test_a_stored_message_shows_all_its_fields() -> None:
    first, second = _native.MessageBatch(STORED + stored(zlib.compress(b"plain"), 0x301))
    assert (first.topic, first.body, first.properties) == ("T", b"hello", {"TAGS": "a"})
    assert (first.queue_id, first.queue_offset, first.physical_offset) == (1, 2, 0x100)
    assert (first.flag, first.sys_flag, first.reconsume_times) == (0, 0, 0)
    assert first.prepared_transaction_offset == 0
    assert (first.born_timestamp, first.store_timestamp) == (1_700_000_000_000, 1_700_000_000_001)
    assert (first.born_host, first.store_host) == ("127.0.0.1:40000", "10.0.0.5:10911")
    assert first.offset_message_id == "0A00000500002A9F0000000000000100"
    assert first.size == 104
    assert (second.body, second.sys_flag) == (b"plain", 0x301)
    assert second.body is second.body


def test_a_malformed_message_is_an_error_that_says_where() -> None:
    assert list(_native.MessageBatch(b"")) == []
    with pytest.raises(_native.WireError, match="message at offset 104 is cut off: 50 bytes left"):
        _native.MessageBatch(STORED + STORED[:50])
    with pytest.raises(_native.WireError, match="message at offset 0: unknown record magic 0x00000000"):
        _native.MessageBatch(bytes(20))
    [damaged] = _native.MessageBatch(stored(b"nothing", 0x201))
    with pytest.raises(_native.WireError, match="damaged zstd stream"):
        _ = damaged.body
    [unknown] = _native.MessageBatch(stored(b"nothing", 0x701))
    with pytest.raises(_native.WireError, match="unknown compression type 7"):
        _ = unknown.body
    [bomb] = _native.MessageBatch(stored(zlib.compress(bytes(33 << 20)), 0x1))
    with pytest.raises(_native.WireError, match="more than 33554432 bytes"):
        _ = bomb.body


def test_properties_convert_both_ways() -> None:
    text = _native.encode_properties({"TAGS": "a", "é": "x y"})
    assert text == "TAGS\x01a\x02é\x01x y\x02"
    assert _native.decode_properties(text[:-1]) == {"TAGS": "a", "é": "x y"}
    for name, value in [("", "v"), ("n", ""), ("n\x01", "v"), ("n", "v\x02")]:
        with pytest.raises(_native.WireError, match="must be neither empty nor contain"):
            _native.encode_properties({name: value})


def test_ids_and_hashes() -> None:
    assert _native.parse_offset_id("0A00000500002A9F0000000000000100") == ("10.0.0.5:10911", 0x100)
    assert _native.parse_offset_id("nonsense") is None
    assert _native.java_hash("polygenelubricants") == -(1 << 31)
    keys = _native.UniqueKeys(bytes([192, 168, 1, 10]), 0x51A2B, 0x18B4AAC2, 1000)
    assert keys.next(123_457_789) == "C0A8010A1A2B18B4AAC2075BCD150000"
    keys.start_month(123_457_789)
    assert keys.next(123_457_790) == "C0A8010A1A2B18B4AAC2000000010001"
    with pytest.raises(ValueError, match="4 or 16 bytes, not 5"):
        _native.UniqueKeys(bytes(5), 1, 2, 3)
