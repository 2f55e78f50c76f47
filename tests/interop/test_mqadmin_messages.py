"""Apache's mqadmin sending, consuming and showing messages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.interop import mqadmin as printed
from tests.interop.judge import Sending, sent_as
from tests.interop.messages import tagged

if TYPE_CHECKING:
    from tests.interop.judge import Judge
    from tests.interop.mqadmin import MqAdmin
    from tests.interop.servers import Cluster


@pytest.fixture
def judge(json_judge: Judge) -> Judge:
    """The tool itself writes JSON headers; that the client can do both is shown elsewhere."""
    return json_judge


def test_send_message_says_where_it_went(judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str) -> None:
    anywhere = mqadmin.run("sendMessage", "-t", topic, "-p", "hello", "-c", "paid", "-k", "key-1")
    there = mqadmin.run("sendMessage", "-t", topic, "-p", "there", "-b", single.broker.name, "-i", "2")
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group") as consumer:
        received = {message["msgId"]: message for message in consumer.take(2)}

    (first,), (second,) = printed.rows(anywhere), printed.rows(there)
    assert second["QID"] == "2"
    for row, sent in ((first, Sending(b"hello", "paid", "key-1")), (second, Sending(b"there"))):
        assert row["Send Result"] == "SEND_OK"
        message = received[row["MsgId"]]
        assert sent_as(message) == sent
        assert (row["Broker Name"], row["QID"]) == (message["broker"], str(message["queueId"]))


def test_consume_message_prints_what_is_there(
    judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str
) -> None:
    sent = judge.produce(single.namesrv, topic, tagged(["t"] * 12), mode="sync", group=f"{topic}-producer")
    everything = printed.consumed(mqadmin.run("consumeMessage", "-t", topic))
    some = mqadmin.run(
        "consumeMessage", "-t", topic, "-b", single.broker.name, "-i", "1", "-o", "1", "-c", "2"
    )

    places = sorted((event["msgId"], event["queueId"], event["queueOffset"]) for event in sent)
    assert sorted(everything) == places
    assert printed.consumed(some) == sorted(
        (place for place in places if place[1] == 1 and place[2] in (1, 2)), key=lambda place: place[2]
    )


@pytest.mark.parametrize("identifier", ["offsetMsgId", "msgId"])
def test_query_by_id_shows_the_message(
    judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str, identifier: str
) -> None:
    message = Sending(b"the body", tag="paid", keys="key-1 key-2", properties={"amount": "12"})
    (sent,) = judge.produce(single.namesrv, topic, [message], mode="sync", group=f"{topic}-producer")

    shown = printed.message(mqadmin.run("queryMsgById", "-i", sent[identifier], "-t", topic))

    _check(shown, single, message, sent)


def test_query_by_offset_shows_the_message(
    judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str
) -> None:
    message = Sending(b"the body", tag="paid", keys="key-1 key-2", properties={"amount": "12"})
    (sent,) = judge.produce(single.namesrv, topic, [message], mode="sync", group=f"{topic}-producer")

    queue, offset = str(sent["queueId"]), str(sent["queueOffset"])
    place = ("-t", topic, "-b", single.broker.name, "-i", queue, "-o", offset)
    shown = printed.message(mqadmin.run("queryMsgByOffset", *place))

    assert "MIN_OFFSET=0" in shown["Properties"]
    assert "MAX_OFFSET=1" in shown["Properties"]
    _check(shown, single, message, sent)


def _check(shown: dict[str, str], single: Cluster, message: Sending, sent: dict[str, object]) -> None:
    # The tool keeps the body in a file of its own choosing, named by the message.
    body = Path(shown.pop("Message Body Path"))
    assert body.name == sent["msgId"]
    assert body.read_bytes() == message.body
    body.unlink()
    assert shown["OffsetID"] == sent["offsetMsgId"]
    assert shown["Topic"] == sent["topic"]
    assert shown["Tags"] == "[paid]"
    assert shown["Keys"] == "[key-1 key-2]"
    assert shown["Queue ID"] == str(sent["queueId"])
    assert shown["Queue Offset"] == str(sent["queueOffset"])
    assert shown["Reconsume Times"] == "0"
    assert shown["Store Host"] == single.broker.address
    assert f"UNIQ_KEY={sent['msgId']}" in shown["Properties"]
    assert "amount=12" in shown["Properties"]
