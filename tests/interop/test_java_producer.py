"""Messages of Apache's Java producer: every one is stored, and read back as it was sent."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from tests.interop.judge import JudgeError, Sending, sent_as
from tests.interop.remoting import GET_MAX_OFFSET, Remote

if TYPE_CHECKING:
    from tests.interop.judge import Judge
    from tests.interop.servers import Cluster

TAGS = ("paid", "refunded", None)


def assorted(count: int) -> list[Sending]:
    """Messages that differ in all that a message can differ in; no two bodies are the same."""
    plain = [
        Sending(
            f"{number}: größe {number * 7}\0\x01\x02".encode(),
            tag=TAGS[number % len(TAGS)],
            keys=f"key-{number} order-{number // 2}" if number % 2 else None,
            properties={"number": str(number), "ort": "Zürich 東京", "blank": "a b"} if number % 5 else {},
        )
        for number in range(count - 2)
    ]
    # The client compresses what is longer than 4 KiB: once with effect, once in vain.
    return [*plain, Sending(b"compressible " * 2000), Sending(hashlib.shake_128(b"body").digest(1 << 20))]


def in_order_of_bodies(messages: list[Sending]) -> list[Sending]:
    return sorted(messages, key=lambda message: message.body)


@pytest.mark.parametrize("mode", ["sync", "async", "oneway"])
def test_every_message_arrives_as_it_was_sent(judge: Judge, single: Cluster, topic: str, mode: str) -> None:
    messages = assorted(60)
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group") as consumer:
        judge.produce(single.namesrv, topic, messages, mode=mode, group=f"{topic}-producer")
        received = consumer.take(len(messages))
        late = consumer.finish()

    assert late == []
    assert in_order_of_bodies([sent_as(message) for message in received]) == in_order_of_bodies(messages)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_receipts_name_the_place_where_the_message_is_read(
    judge: Judge, single: Cluster, topic: str, mode: str
) -> None:
    messages = assorted(24)
    sent = judge.produce(single.namesrv, topic, messages, mode=mode, group=f"{topic}-producer")
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group") as consumer:
        received = consumer.take(len(messages))

    place = ("topic", "broker", "queueId", "queueOffset", "msgId", "offsetMsgId")
    assert {event["status"] for event in sent} == {"SEND_OK"}
    assert {event["regionId"] for event in sent} == {"DefaultRegion"}
    assert {event["broker"] for event in sent} == {single.broker.name}
    assert {event["queueId"] for event in sent} == {0, 1, 2, 3}
    by_id = {message["msgId"]: message for message in received}
    for event, message in zip(sent, messages, strict=True):
        read = by_id[event["msgId"]]
        assert [event[key] for key in place] == [read[key] for key in place]
        assert sent_as(read) == message


def test_the_broker_adds_what_apache_adds(judge: Judge, single: Cluster, topic: str) -> None:
    judge.produce(single.namesrv, topic, [Sending(b"body")], mode="sync", group=f"{topic}-producer")
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group") as consumer:
        (message,) = consumer.take(1)

    added = message["properties"]
    assert added["UNIQ_KEY"] == message["msgId"]
    assert added["CLUSTER"] == single.name
    assert added["MSG_REGION"] == "DefaultRegion"
    assert added["TRACE_ON"] == "true"
    assert message["reconsumeTimes"] == 0
    assert 0 < message["bornTimestamp"] <= message["storeTimestamp"]


def test_offsets_of_a_queue_have_no_gaps(judge: Judge, single: Cluster, topic: str) -> None:
    judge.produce(single.namesrv, topic, assorted(200), mode="async", group=f"{topic}-producer")
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group") as consumer:
        received = consumer.take(200)

    for queue in range(4):
        offsets = [message["queueOffset"] for message in received if message["queueId"] == queue]
        assert sorted(offsets) == list(range(len(offsets)))


def test_the_first_send_creates_its_topic(judge: Judge, single: Cluster, name: str) -> None:
    messages = assorted(16)
    sent = judge.produce(single.namesrv, name, messages, mode="sync", group=f"{name}-producer")
    with judge.consuming(single.namesrv, name, group=f"{name}-group") as consumer:
        received = consumer.take(len(messages))

    # The client asks for four queues unless told otherwise.
    assert {event["queueId"] for event in sent} == {0, 1, 2, 3}
    assert in_order_of_bodies([sent_as(message) for message in received]) == in_order_of_bodies(messages)


@pytest.mark.parametrize("single", ["lite"], indirect=True)
def test_a_delayed_message_is_refused_not_stored(judge: Judge, single: Cluster, topic: str) -> None:
    later = Sending(b"later", delay_level=3)
    with pytest.raises(JudgeError) as refused:
        judge.produce(single.namesrv, topic, [later], mode="sync", group=f"{topic}-producer")

    assert refused.value.code in {13, 16}
    with Remote(single.broker.address) as remote:
        stored = [
            remote.ask(GET_MAX_OFFSET, topic=topic, queueId=queue).fields["offset"] for queue in range(4)
        ]
    assert stored == ["0"] * 4
