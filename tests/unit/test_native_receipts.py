"""Receipts: plain data, made of what the messages of a request share."""

from __future__ import annotations

import copy
import gc
import pickle

import pytest

from rocketmq_lite._native import (
    BatchEncoder,
    FrameDecoder,
    MessageIds,
    OutgoingMessage,
    SendAnswer,
    SendTarget,
    UniqueKeys,
    encode_command,
)
from rocketmq_lite.model import MessageQueue, SendReceipt, SendStatus

QUEUE = MessageQueue("orders", "broker-a", 3)


def ids_of(count: int) -> MessageIds:
    keys = UniqueKeys(b"\x7f\0\0\1", 1, 2, 0)
    source = BatchEncoder(
        [b"x"] * count, keys, "", lambda _: (b"", ""), max_bytes=1 << 20, max_messages=count
    )
    batch = source.next(0)
    assert batch is not None
    return batch[2]


def of_batch(count: int, offset_ids: str) -> list[SendReceipt]:
    status = SendStatus.FLUSH_DISK_TIMEOUT
    fields = {"msgId": offset_ids, "queueId": "3", "queueOffset": "41"}
    frame = encode_command(10, 1, 1, "JAVA", 0, None, fields, b"", "ROCKETMQ")
    (raw,) = FrameDecoder().feed(frame)
    answered = ("msgId", "queueId", "queueOffset")
    target = SendTarget(320, "PYTHON", 1, {}, ("e", "f", "g", "i"), answered, {10: status})
    batch = OutgoingMessage("orders", b"x", "", "ID", is_batch=True)
    answer = target.request(batch, QUEUE, 0).read(raw)
    assert isinstance(answer, SendAnswer)
    assert repr(answer) == f"<SendAnswer {status!r} {QUEUE!r} offset=41>"
    return answer.receipts(ids_of(count))


def test_each_message_of_a_batch_has_its_own():
    first, second, third = of_batch(3, "A1,B22,C")
    assert [first.message_id[-4:], second.message_id[-4:], third.message_id[-4:]] == ["0000", "0001", "0002"]
    assert [receipt.offset for receipt in (first, second, third)] == [41, 42, 43]
    assert [receipt.offset_message_id for receipt in (first, second, third)] == ["A1", "B22", "C"]
    assert first.queue is second.queue is QUEUE
    assert third.status is SendStatus.FLUSH_DISK_TIMEOUT
    assert third.transaction_id is third.recall_handle is None


@pytest.mark.parametrize("ids", [",", "A", "A,B", "A,B,C,D"])
def test_ids_that_do_not_match_stand_for_all(ids):
    assert [receipt.offset_message_id for receipt in of_batch(3, ids)] == [ids] * 3


def test_the_collector_passes_over_them():
    assert not any(map(gc.is_tracked, of_batch(3, "A,B,C")))


def test_ids_are_a_sequence():
    ids = ids_of(3)
    assert len(ids) == len({ids[place] for place in range(3)}) == 3
    with pytest.raises(IndexError, match="there are 3 message ids"):
        ids[3]


def test_equal_where_everything_is():
    one = SendReceipt("ID", QUEUE, 7, SendStatus.OK, "OFF", recall_handle="h")
    same = SendReceipt("ID", MessageQueue("orders", "broker-a", 3), 7, SendStatus.OK, "OFF", None, "h")
    assert one == same
    assert hash(one) == hash(same)
    for other in (
        SendReceipt("ID2", QUEUE, 7, SendStatus.OK, "OFF", None, "h"),
        SendReceipt("ID", QUEUE, 8, SendStatus.OK, "OFF", None, "h"),
        SendReceipt("ID", QUEUE, 7, SendStatus.SLAVE_NOT_AVAILABLE, "OFF", None, "h"),
        SendReceipt("ID", QUEUE, 7, SendStatus.OK, "OFF", "t", "h"),
        ("ID", QUEUE, 7, SendStatus.OK, "OFF", None, "h"),
    ):
        assert one != other
    with pytest.raises(TypeError):
        _ = one < same  # type: ignore[operator]


def test_the_batchs_equal_those_made_alone():
    (receipt,) = of_batch(1, "A")
    assert receipt == SendReceipt(receipt.message_id, QUEUE, 41, SendStatus.FLUSH_DISK_TIMEOUT, "A")


@pytest.mark.parametrize(
    "made", [copy.copy, copy.deepcopy, lambda receipt: pickle.loads(pickle.dumps(receipt))]
)
def test_copies_are_equal(made):
    receipt = of_batch(3, "A,B,C")[1]
    assert made(receipt) == receipt


def test_it_shows_what_it_is_and_cannot_be_changed():
    receipt = SendReceipt("ID", QUEUE, 7, SendStatus.OK)
    assert repr(receipt) == (
        f"SendReceipt(message_id='ID', queue={QUEUE!r}, offset=7, status={SendStatus.OK!r}, "
        "offset_message_id='', transaction_id=None, recall_handle=None)"
    )
    with pytest.raises(AttributeError):
        receipt.offset = 8  # type: ignore[misc]
    match receipt:
        case SendReceipt("ID", queue, offset):
            assert (queue, offset) == (QUEUE, 7)
        case _:
            pytest.fail("it has positions to match")
