"""Batches as the extension lays them out, read back by the protocol's description alone."""

from __future__ import annotations

import struct

import pytest

from rocketmq_lite._native import BatchEncoder, UniqueKeys

TEXT = "WAIT\x01true\x02"


def encoder(items, *, max_bytes=1 << 20, max_messages=1000, convert=None) -> BatchEncoder:
    keys = UniqueKeys(b"\x7f\0\0\1", 1, 2, 0)
    return BatchEncoder(items, keys, TEXT, convert or refuse, max_bytes=max_bytes, max_messages=max_messages)


def refuse(item: object) -> tuple[bytes, str]:
    raise LookupError(f"asked about {item!r}")


def next_batch(source: BatchEncoder, now: int = 0) -> tuple[bytes, list[object], list[str]]:
    batch = source.next(now)
    assert batch is not None
    body, items, ids = batch
    return body, items, [ids[place] for place in range(len(ids))]


def read(batch: bytes) -> list[tuple[bytes, str]]:
    found = []
    while batch:
        total, magic, crc, flag, size = struct.unpack_from(">5i", batch)
        body = batch[20 : 20 + size]
        (length,) = struct.unpack_from(">h", batch, 20 + size)
        assert (magic, crc, flag, total) == (0, 0, 0, 22 + size + length)
        found.append((body, batch[22 + size : total].decode()))
        batch = batch[total:]
    return found


def test_bodies_with_their_properties_and_ids():
    source = encoder([b"one", b"two"])
    body, items, ids = next_batch(source, 1000)
    assert items == [b"one", b"two"]
    assert ids == ["7F000001000100000002000003E80000", "7F000001000100000002000003E80001"]
    assert read(body) == [
        (item, f"{TEXT}UNIQ_KEY\x01{id_}\x02") for item, id_ in zip(items, ids, strict=True)
    ]
    assert source.next(1000) is None
    assert source.left_over() == []


def test_nothing_at_all():
    assert encoder([]).next(0) is None


def test_sizes_end_a_batch():
    item = 22 + 10 + len(TEXT) + 42
    sizes = []
    source = encoder([b"x" * 10] * 10, max_bytes=3 * item)
    while batch := source.next(0):
        sizes.append(len(batch[1]))
        assert len(batch[0]) <= 3 * item
    assert sizes == [3, 3, 3, 1]
    source = encoder([b"x"] * 5, max_messages=2)
    assert [len(next_batch(source)[1]) for _ in range(3)] == [2, 2, 1]


def test_a_message_that_is_larger_than_a_batch_travels_alone():
    source = encoder([b"a", b"x" * 500, b"b"], max_bytes=200)
    assert [next_batch(source)[1] for _ in range(3)] == [[b"a"], [b"x" * 500], [b"b"]]


def test_an_iterator_is_read_no_further_than_needed():
    read_so_far = []

    def numbers():
        for number in range(100):
            read_so_far.append(number)
            yield b"%d" % number

    source = encoder(numbers(), max_messages=3)
    assert read_so_far == []
    source.next(0)
    assert read_so_far == [0, 1, 2]
    assert source.left_over() == []
    source = encoder(numbers(), max_bytes=3 * (22 + 1 + len(TEXT) + 42))
    source.next(0)
    assert source.left_over() == [b"3"], "one more was needed to see that it does not fit"


def test_other_items_are_converted():
    source = encoder(
        [b"plain", "text", bytearray(b"any"), b""], convert=lambda item: (repr(item).encode(), "")
    )
    body, items, _ = next_batch(source)
    assert items == [b"plain", "text", bytearray(b"any"), b""]
    assert [body for body, _ in read(body)] == [b"plain", b"'text'", b"bytearray(b'any')", b"b''"]


@pytest.mark.parametrize("fails_in", ["iterable", "convert"])
def test_an_error_hands_back_what_was_taken(fails_in):
    def items():
        yield b"one"
        yield b"two"
        yield 3
        raise ZeroDivisionError

    convert = refuse if fails_in == "convert" else (lambda item: (b"%d" % item, ""))
    source = encoder(items(), convert=convert)
    with pytest.raises(LookupError if fails_in == "convert" else ZeroDivisionError):
        source.next(0)
    assert source.left_over() == [b"one", b"two", 3]
    assert source.left_over() == []


def test_what_cannot_be_encoded_is_a_wire_error():
    source = encoder([1], convert=lambda _: (b"x", "p" * 32_767))
    with pytest.raises(ValueError, match="properties of 32809 bytes exceed the limit of 32767"):
        source.next(0)
    with pytest.raises(TypeError):
        encoder(5)
    with pytest.raises(TypeError):
        encoder(["x"], convert=lambda _: None).next(0)


def test_the_iterable_cannot_use_its_own_encoder():
    def items():
        source.next(0)
        yield b"never"

    source = encoder(items())
    with pytest.raises(RuntimeError, match="the iterable asks for the batch that it is read for"):
        source.next(0)
