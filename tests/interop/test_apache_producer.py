"""Messages of Apache's producers: every one is stored, and read back as it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.interop.judge import Sending, sent_as
from tests.interop.messages import assorted, sorted_by_body

if TYPE_CHECKING:
    from tests.interop.judge import Judge
    from tests.interop.servers import Cluster


@pytest.mark.parametrize("mode", ["sync", "async", "oneway"])
def test_every_message_arrives_as_it_was_sent(judge: Judge, single: Cluster, topic: str, mode: str) -> None:
    messages = assorted(60)
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group") as consumer:
        judge.produce(single.namesrv, topic, messages, mode=mode, group=f"{topic}-producer")
        received = consumer.take(len(messages))
        late = consumer.finish()

    assert late == []
    assert sorted_by_body(map(sent_as, received)) == sorted_by_body(messages)


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


def test_messages_of_one_key_keep_their_order_in_one_queue(judge: Judge, single: Cluster, topic: str) -> None:
    keys = [f"customer-{number}" for number in range(8)]
    messages = [Sending(f"{key} {turn}".encode(), order_key=key) for turn in range(10) for key in keys]
    sent = judge.produce(single.namesrv, topic, messages, mode="ordered", group=f"{topic}-producer")
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group") as consumer:
        received = consumer.take(len(messages))

    assert len({event["queueId"] for event in sent}) > 1
    stored = sorted(received, key=lambda message: int(message["queueOffset"]))
    for key in keys:
        own = [message for message in stored if sent_as(message).body.split()[0] == key.encode()]
        assert len({message["queueId"] for message in own}) == 1
        assert [sent_as(message).body.split()[1] for message in own] == [b"%d" % turn for turn in range(10)]


def test_a_batch_is_stored_in_its_order_in_one_queue(judge: Judge, single: Cluster, topic: str) -> None:
    messages = assorted(50)
    sent = judge.produce(single.namesrv, topic, messages, mode="batch", group=f"{topic}-producer")
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group") as consumer:
        received = consumer.take(len(messages))
        late = consumer.finish()

    assert late == []
    assert len({(event["broker"], event["queueId"]) for event in sent}) == 1
    assert {event["status"] for event in sent} == {"SEND_OK"}
    place = ("broker", "queueId", "queueOffset", "offsetMsgId")
    stored = sorted(received, key=lambda message: int(message["queueOffset"]))
    assert [[message[key] for key in place] for message in stored] == [
        [e[key] for key in place] for e in sent
    ]
    assert [sent_as(message) for message in stored] == messages


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
    assert sorted_by_body(map(sent_as, received)) == sorted_by_body(messages)
