"""What Apache's consumers fail to handle: delayed, sent back, handled in the end, or kept as a dead letter."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from tests.interop.judge import Sending

if TYPE_CHECKING:
    from tests.interop.judge import Event, Judge
    from tests.interop.servers import Cluster

ONE_SECOND = 1  # the delay level
retrying = pytest.mark.parametrize("judge", ["json_judge", "java_4_9", "java_4_4", "go_judge"], indirect=True)


def attempts(received: list[Event]) -> list[tuple[bytes, str, int]]:
    return [
        (base64.b64decode(event["body"]), event["topic"], int(event["reconsumeTimes"])) for event in received
    ]


def test_a_delayed_message_comes_at_its_time(judge: Judge, single: Cluster, topic: str) -> None:
    message = Sending(b"later", tag="t", keys="k", properties={"p": "v"}, delay_level=ONE_SECOND)
    with judge.consuming(single.namesrv, topic, group=f"{topic}-group", expression="t") as consumer:
        judge.produce(single.namesrv, topic, [message], mode="sync", group=f"{topic}-producer")
        received = consumer.take(1)
        assert consumer.finish() == []
    assert attempts(received) == [(b"later", topic, 0)]
    assert (received[0]["tag"], received[0]["properties"]["p"]) == ("t", "v")
    assert received[0]["storeTimestamp"] - received[0]["bornTimestamp"] >= 1_000


@retrying
def test_what_fails_twice_is_handled_in_the_end(judge: Judge, single: Cluster, topic: str) -> None:
    group = f"{topic}-group"
    with judge.consuming(single.namesrv, topic, group=group, failures=2, delayLevel=ONE_SECOND) as consumer:
        judge.produce(single.namesrv, topic, [Sending(b"x")], mode="sync", group=f"{topic}-producer")
        received = consumer.take(3)
        assert consumer.finish() == []
    assert attempts(received) == [(b"x", topic, times) for times in (0, 1, 2)]


@retrying
def test_what_fails_too_often_is_a_dead_letter(
    judge: Judge, json_judge: Judge, single: Cluster, topic: str
) -> None:
    group = f"{topic}-group"
    with judge.consuming(
        single.namesrv, topic, group=group, failures=9, delayLevel=ONE_SECOND, maxAttempts=1
    ) as consumer:
        judge.produce(single.namesrv, topic, [Sending(b"x", tag="t")], mode="sync", group=f"{topic}-producer")
        received = consumer.take(2)
        # Java's waits for the topic to come.
        undertaking = json_judge.consuming(single.namesrv, f"%DLQ%{group}", group=f"{topic}-undertaker")
        with undertaking as undertaker:
            dead = undertaker.take(1)
            assert undertaker.finish() == []
        assert consumer.finish() == []
    assert attempts(received) == [(b"x", topic, times) for times in (0, 1)]
    assert attempts(dead) == [(b"x", f"%DLQ%{group}", 2)]
    assert (dead[0]["tag"], dead[0]["properties"]["RETRY_TOPIC"]) == ("t", topic)
