"""The send request's short way: the same frame as the header's, and an answer that is read or refused whole."""

from __future__ import annotations

import pytest

from rocketmq_lite.model import MessageQueue, SendReceipt, SendStatus
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.framing import (
    CommandDecoder,
    LongFrame,
    OutgoingMessage,
    RawCommand,
    SendAnswer,
    SendRequest,
    encode_command,
    to_command,
)
from rocketmq_lite.protocol.headers.send import SendMessageRequestHeaderV2
from rocketmq_lite.protocol.sends import send_target

STORED = {"msgId": "7F00000100002A9F0000000000000000", "queueId": "3", "queueOffset": "41"}


QUEUE = MessageQueue("orders", "broker-a", 3)


def request(properties: str = "a\x01b\x02", body: bytes = b"body", *, batch: bool = False) -> SendRequest:
    target = send_target("group", "orders", "broker-a", "TBW102", 4, batch=batch)
    message = OutgoingMessage("orders", body, properties, "ID", is_batch=batch)
    return target.request(message, QUEUE, 1_700_000_000_000)


def decoded(frame: bytes | LongFrame) -> RawCommand:
    (raw,) = CommandDecoder().feed(frame.head + frame.body if isinstance(frame, LongFrame) else frame)
    return raw


def answer(code: int, **fields: str) -> RawCommand:
    return decoded(encode_command(Command(code, opaque=1, flag=1, remark="why", fields=fields)))


@pytest.mark.parametrize(
    ("batch", "code"), [(False, RequestCode.SEND_MESSAGE_V2), (True, RequestCode.SEND_BATCH_MESSAGE)]
)
@pytest.mark.parametrize("flag", [0, 2])
def test_the_frame_says_what_the_header_says(code: RequestCode, flag: int, *, batch: bool) -> None:
    header = SendMessageRequestHeaderV2(
        producer_group="group",
        topic="orders",
        default_topic="TBW102",
        default_topic_queue_nums=4,
        queue_id=3,
        sys_flag=0,
        born_timestamp=1_700_000_000_000,
        flag=0,
        properties="a\x01b\x02UNIQ_KEY\x01ID\x02",
        reconsume_times=0,
        unit_mode=False,
        batch=batch,
        broker_name="broker-a",
    )
    sent = to_command(decoded(request(batch=batch).frame(77, flag)))
    assert request(batch=batch).code == code
    assert sent == Command(code, opaque=77, flag=flag, fields=header.to_fields(), body=b"body")


def test_a_long_body_is_not_copied_into_its_frame() -> None:
    short, long = b"x" * 32_767, b"x" * 32_768
    assert isinstance(request(body=short, batch=True).frame(77, 0), bytes)
    frame = request(body=long, batch=True).frame(77, 0)
    assert isinstance(frame, LongFrame)
    assert frame.body is long
    assert len(frame) == len(frame.head) + len(long)
    sent = to_command(decoded(frame))
    assert (sent.opaque, sent.body) == (77, long)
    assert sent.fields == to_command(decoded(request(batch=True).frame(77, 0))).fields


@pytest.mark.parametrize("code", [0, 10, 11, 12])
def test_what_is_stored_has_a_place(code: int) -> None:
    read = request().read(answer(code, **STORED))
    assert isinstance(read, SendAnswer)
    assert read.status is SendStatus(code)
    sent = OutgoingMessage("orders", b"body", "", "ID")
    assert read.receipt(sent) == SendReceipt("ID", QUEUE, 41, SendStatus(code), STORED["msgId"])


def test_the_queue_is_the_one_that_the_broker_names() -> None:
    read = request().read(answer(0, **STORED | {"queueId": "5"}))
    assert isinstance(read, SendAnswer)
    receipt = read.receipt(OutgoingMessage("orders", b"body", "", "ID"))
    assert receipt.queue == MessageQueue("orders", "broker-a", 5)


def test_a_refusal_stays_as_it_is() -> None:
    refused = answer(14)
    assert request().read(refused) is refused


@pytest.mark.parametrize("missing", list(STORED))
def test_an_answer_without_a_place_makes_no_sense(missing: str) -> None:
    fields = {key: value for key, value in STORED.items() if key != missing}
    with pytest.raises(ValueError, match="missing"):
        request().read(answer(0, **fields))


@pytest.mark.parametrize("wrong", [{"queueId": "x"}, {"queueOffset": "1e3"}, {"queueId": str(1 << 31)}])
def test_a_place_that_is_no_number_makes_no_sense(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not a number"):
        request().read(answer(0, **STORED | wrong))


def test_what_does_not_fit_into_the_header_is_refused() -> None:
    with pytest.raises(ValueError, match="header"):
        request("x" * (1 << 24)).frame(1, 0)
