"""Consumers by SQL92 conditions: Apache's on our broker and ours on Apache's, and each on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
from tests.interop.judge import JudgeError, Sending
from tests.interop.messages import bodies
from tests.interop.servers import REQUEST_SECONDS

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from tests.interop.judge import Judge
    from tests.interop.servers import Cluster

CONDITION = "(price > 1 AND region IN ('eu', 'us')) OR TAGS = 'urgent'"
PRICES = ("1", "2", "3000000000", "1.5", "free", None)
REGIONS = ("eu", "us", "asia", None)
SECONDS = 60.0
PARSE_FAILED = 23


def priced() -> list[Sending]:
    """A message for each price, region and tag."""
    return [
        Sending(
            f"{price} {region} {tag}".encode(),
            tag=tag,
            properties={
                **({} if price is None else {"price": price}),
                **({} if region is None else {"region": region}),
            },
        )
        for price in PRICES
        for region in REGIONS
        for tag in ("urgent", None)
    ]


def is_wanted(message: Sending) -> bool:
    """What the condition says. A price that is no 32-bit integer is an error, which hides what stands behind it."""
    price, region = message.properties.get("price"), message.properties.get("region")
    if price in {"3000000000", "1.5", "free"}:
        return False
    return (price == "2" and region in {"eu", "us"}) or message.tag == "urgent"


def wanted() -> list[bytes]:
    """The bodies of what the condition selects."""
    return sorted(message.body for message in priced() if is_wanted(message))


@pytest.mark.parametrize(
    ("style", "judge"),
    [
        *((style, "json_judge") for style in ("consume", "orderly", "lite-pull")),
        *((style, "go_judge") for style in ("consume", "orderly")),
    ],
    indirect=["judge"],
)
def test_apaches_take_what_the_condition_selects(
    judge: Judge, json_judge: Judge, single: Cluster, topic: str, style: str
) -> None:
    options = {"orderly": True} if style == "orderly" else {"style": style}
    consuming = judge.consuming(single.namesrv, topic, group=f"{topic}-group", condition=CONDITION, **options)
    with consuming as consumer:
        json_judge.produce(single.namesrv, topic, priced(), mode="sync", group=f"{topic}-producer")
        received = consumer.take(len(wanted()))
        late = consumer.finish()

    assert bodies(received) == wanted()
    assert late == []


def test_javas_pull_consumer_takes_what_the_condition_selects(
    json_judge: Judge, single: Cluster, topic: str
) -> None:
    json_judge.produce(single.namesrv, topic, priced(), mode="sync", group=f"{topic}-producer")
    events = json_judge.pulling(single.namesrv, topic, group=f"{topic}-group", condition=CONDITION).rest()
    assert bodies([event for event in events if event["event"] == "message"]) == wanted()


def test_java_is_told_of_a_mistake_when_it_starts(json_judge: Judge, single: Cluster, topic: str) -> None:
    with (
        pytest.raises(JudgeError) as caught,
        json_judge.consuming(single.namesrv, topic, group=f"{topic}-group", condition="price >"),
    ):
        pass
    assert caught.value.code == PARSE_FAILED


async def test_python_takes_what_the_condition_selects(
    json_judge: Judge, single: Cluster, topic: str
) -> None:
    json_judge.produce(single.namesrv, topic, priced(), mode="sync", group=f"{topic}-producer")
    received: list[bytes] = []
    with trio.fail_after(SECONDS):
        async with (
            rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client,
            client.consumer(f"{topic}-group", topic, where=CONDITION, start="earliest") as messages,
        ):
            async for message in messages:
                async with message:
                    received.append(message.body)
                if len(received) == len(wanted()):
                    break
    assert sorted(received) == wanted()
