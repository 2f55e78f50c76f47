"""One message handed to one member of a group (309): mqadmin and our administration, Java's members and ours."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
from tests.interop import mqadmin as printed
from tests.interop.messages import tagged
from tests.interop.servers import REQUEST_SECONDS

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from tests.interop.judge import Event, Judge
    from tests.interop.mqadmin import MqAdmin
    from tests.interop.servers import Cluster

SECONDS = 90.0
FIVE_MINUTES = 9  # the delay level


@pytest.fixture
def judge(json_judge: Judge) -> Judge:
    """The tool itself writes JSON headers; that the client can do both is shown elsewhere."""
    return json_judge


@pytest.fixture
def stored(judge: Judge, single: Cluster, topic: str) -> Event:
    """One message."""
    (sent,) = judge.produce(single.namesrv, topic, tagged(["t"]), mode="sync", group=f"{topic}-producer")
    return sent


def only_member(mqadmin: MqAdmin, group: str) -> str:
    """The client id of a group's only member."""
    rows = printed.rows(mqadmin.run("consumerConnection", "-g", group))
    (name,) = (row["ClientId"] for row in rows if "ClientId" in row)
    return name


def handed_over(mqadmin: MqAdmin, topic: str, group: str, message: Event) -> dict[str, str]:
    """What mqadmin prints of the member's answer."""
    to_whom = ("-g", group, "-d", only_member(mqadmin, group))
    output = mqadmin.run("queryMsgById", "-t", topic, "-i", message["offsetMsgId"], *to_whom)
    return printed.consumed_directly(output)


@pytest.mark.parametrize(
    ("options", "result"),
    [
        ({}, "CR_SUCCESS"),
        ({"failures": 9, "delayLevel": FIVE_MINUTES}, "CR_LATER"),
        ({"orderly": True}, "CR_SUCCESS"),
    ],
)
async def test_javas_member_gets_it_again(
    judge: Judge,
    mqadmin: MqAdmin,
    single: Cluster,
    topic: str,
    *,
    stored: Event,
    options: dict[str, Any],
    result: str,
) -> None:
    group = f"{topic}-group"
    ordered = "orderly" in options
    with judge.consuming(single.namesrv, topic, group=group, **options) as consumer:
        await trio.to_thread.run_sync(consumer.take, 1)
        told = await trio.to_thread.run_sync(handed_over, mqadmin, topic, group, stored)
        (again,) = await trio.to_thread.run_sync(consumer.take, 1)
        assert again["msgId"] == stored["msgId"]
        assert (told["consumeResult"], told["order"]) == (result, str(ordered).lower())
        with trio.fail_after(SECONDS):
            async with rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client:
                message = await client.admin.message(stored["offsetMsgId"])
                ours = await client.admin.consume_directly(group, message)
        assert (ours.result, ours.ordered) == (result, ordered)
        (again,) = await trio.to_thread.run_sync(consumer.take, 1)
        assert again["msgId"] == stored["msgId"]


async def test_our_member_gets_it_again(mqadmin: MqAdmin, single: Cluster, topic: str, stored: Event) -> None:
    group = f"{topic}-group"
    told: list[dict[str, str]] = []

    async def hand_over() -> None:
        call = partial(handed_over, mqadmin, topic, group, stored)
        told.append(await trio.to_thread.run_sync(call))

    with trio.fail_after(SECONDS):
        async with (
            rmq.connect(single.namesrv, request_timeout=REQUEST_SECONDS) as client,
            client.consumer(group, topic, start="earliest") as messages,
        ):
            async with await anext(messages) as message:
                assert not message.direct
            for error in (None, rmq.RetryLater(1), ValueError("no")):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(hand_over)
                    async with await anext(messages) as message:
                        assert (message.direct, message.message_id) == (True, stored["msgId"])
                        if error is not None:
                            raise error
            assert messages.statistics().delivered == 1
            arguments = ("-t", topic, "-i", stored["offsetMsgId"], "-g", group, "-d", "nobody")
            with pytest.raises(printed.MqAdminError, match="not online"):
                await trio.to_thread.run_sync(mqadmin.run, "queryMsgById", *arguments)
    assert [each["consumeResult"] for each in told] == ["CR_SUCCESS", "CR_LATER", "CR_THROW_EXCEPTION"]
    assert told[2]["remark"] == "ValueError: no"
