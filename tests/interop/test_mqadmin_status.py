"""Apache's mqadmin asking the members of a group how far they are and how they do, Java's members and ours."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
from tests.interop import mqadmin as printed
from tests.interop.messages import STORED
from tests.interop.servers import REQUEST_SECONDS
from tests.interop.taking import acknowledged, polled

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.interop.judge import Event, Judge
    from tests.interop.mqadmin import MqAdmin
    from tests.interop.servers import Cluster

SECONDS = 90.0


@pytest.fixture
def judge(json_judge: Judge) -> Judge:
    """The tool itself writes JSON headers; that the client can do both is shown elsewhere."""
    return json_judge


@asynccontextmanager
async def member(style: str, judge: Judge, single: Cluster, topic: str) -> AsyncIterator[str]:
    """The group of a member that has consumed all twelve messages and stays."""
    group = f"{topic}-group"
    with trio.fail_after(SECONDS):
        if style in {"consume", "lite-pull"}:
            with judge.consuming(single.namesrv, topic, group=group, style=style) as theirs:
                await trio.to_thread.run_sync(theirs.take, STORED)
                yield group
                await trio.to_thread.run_sync(theirs.finish)
            return
        async with rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client:
            if style == "ours":
                async with client.consumer(group, topic, start="earliest") as messages:
                    await acknowledged(messages, STORED)
                    yield group
            else:
                async with client.puller(group, topic, start="earliest") as puller:
                    await polled(puller, STORED, done=True)
                    yield group


@pytest.mark.parametrize("style", ["consume", "ours", "our puller"])
async def test_each_member_says_how_far_it_is(
    judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str, *, stored: list[Event], style: str
) -> None:
    # Java's lite pull consumer does not answer this.
    ends = {str(queue): str(count) for queue, count in Counter(each["queueId"] for each in stored).items()}
    async with member(style, judge, single, topic) as group:
        ask = partial(mqadmin.run, "getConsumerStatus", "-g", group, "-t", topic)
        while True:
            rows = printed.rows(await trio.to_thread.run_sync(ask))
            if {row["queueId"]: row["offset"] for row in rows} == ends:
                break  # a position follows its message after a moment
    assert {row["brokerName"] for row in rows} == {single.broker.name}
    assert len({row["clientId"] for row in rows}) == 1


@pytest.mark.parametrize("style", ["consume", "lite-pull", "ours", "our puller"])
async def test_each_member_says_how_it_does(
    judge: Judge, mqadmin: MqAdmin, single: Cluster, topic: str, *, stored: list[Event], style: str
) -> None:
    async with member(style, judge, single, topic) as group:
        everyone = await trio.to_thread.run_sync(mqadmin.run, "consumerStatus", "-g", group)
        (row,) = printed.rows(everyone)
        details = await trio.to_thread.run_sync(
            mqadmin.run, "consumerStatus", "-g", group, "-i", row["ClientId"]
        )
    assert "Same subscription in the same group of consumer" in everyone
    assert "Rebalance OK" in everyone
    properties = printed.totals(details.partition("#Consumer Subscription#")[0])
    assert properties["PROP_CONSUME_TYPE"] == (
        "CONSUME_PASSIVELY" if style in {"consume", "ours"} else "CONSUME_ACTIVELY"
    )
    assert f"Topic: {topic}" in details
    queues = details.partition("#Consumer Offset#")[2].partition("#Consumer MQ Detail#")[0]
    assert sorted(line.split()[2] for line in queues.splitlines() if line.startswith(topic)) == list("0123")
