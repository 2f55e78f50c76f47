"""Broadcasting: Apache's clients against our broker, our client against Apache's, and the local file handed to and fro."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
from tests.interop.judge import Sending, sent_as
from tests.interop.servers import REQUEST_SECONDS

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.interop.conftest import OffsetsJudge
    from tests.interop.judge import Event, Judge
    from tests.interop.servers import Cluster

MESSAGES = [b"%d" % number for number in range(12)]
TAKE_SECONDS = 60.0


@pytest.fixture(params=["json_judge", "java_4_9", "go_judge"])
def judge(request: pytest.FixtureRequest) -> Judge:
    """The clients that are in use."""
    chosen: Judge = request.getfixturevalue(request.param)
    return chosen


def bodies(events: Sequence[Event]) -> list[bytes]:
    return sorted(sent_as(event).body for event in events)


def send(judge: Judge, cluster: Cluster, topic: str, messages: Sequence[bytes]) -> None:
    judge.produce(
        cluster.namesrv, topic, [Sending(body) for body in messages], mode="sync", group=f"{topic}-producer"
    )


async def take(
    cluster: Cluster, topic: str, count: int, *, member: str, directory: Path | None = None
) -> list[bytes]:
    """What our member of the group gets next."""
    async with (
        rmq.connect(cluster.namesrv, request_timeout=REQUEST_SECONDS) as client,
        client.consumer(
            f"{topic}-group",
            topic,
            start="earliest",
            model="broadcasting",
            member=member,
            offsets_directory=directory,
        ) as messages,
    ):
        taken: list[bytes] = []
        with trio.fail_after(TAKE_SECONDS):
            while len(taken) < count:
                async with await anext(messages) as message:
                    taken.append(message.body)
        with trio.move_on_after(0.5):
            taken.append((await anext(messages)).body)
        return sorted(taken)


@pytest.mark.parametrize("style", ["consume", "lite-pull"])
async def test_every_member_gets_every_message(
    judge: Judge, json_judge: Judge, single: Cluster, topic: str, style: str
) -> None:
    group = f"{topic}-group"
    with (
        judge.consuming(single.namesrv, topic, group=group, broadcasting=True, style=style) as one,
        judge.consuming(single.namesrv, topic, group=group, broadcasting=True, style=style) as other,
    ):
        send(json_judge, single, topic, MESSAGES)
        assert bodies(one.take(len(MESSAGES))) == sorted(MESSAGES)
        assert bodies(other.take(len(MESSAGES))) == sorted(MESSAGES)
        assert await take(single, topic, len(MESSAGES), member="a") == sorted(MESSAGES)
        assert one.finish() == other.finish() == []


async def test_our_member_goes_on_where_it_was(json_judge: Judge, single: Cluster, topic: str) -> None:
    send(json_judge, single, topic, MESSAGES)
    assert await take(single, topic, len(MESSAGES), member="a") == sorted(MESSAGES)
    send(json_judge, single, topic, [b"later"])
    assert await take(single, topic, 1, member="a") == [b"later"]
    assert await take(single, topic, len(MESSAGES) + 1, member="b") == sorted([*MESSAGES, b"later"])


async def test_javas_local_file_is_ours_and_ours_is_javas(
    offsets_judge: OffsetsJudge, single: Cluster, topic: str
) -> None:
    judge, directory = offsets_judge
    group = f"{topic}-group"

    def java(count: int) -> Iterator[bytes]:
        with judge.consuming(
            single.namesrv, topic, group=group, broadcasting=True, instance=topic
        ) as consumer:
            yield from bodies([*consumer.take(count), *consumer.finish()])

    send(judge, single, topic, MESSAGES)
    assert list(java(len(MESSAGES))) == sorted(MESSAGES)
    [client_id] = [path.name for path in directory.iterdir() if path.name.endswith(f"@{topic}")]
    send(judge, single, topic, [b"for us"])
    assert await take(single, topic, 1, member=client_id, directory=directory) == [b"for us"]
    send(judge, single, topic, [b"for java"])
    assert list(java(1)) == [b"for java"]
