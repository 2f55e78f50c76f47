"""`rmq dlq` as a stranger uses it."""

from __future__ import annotations

import json

import pytest
import trio
from tests.support.cli import Run, rmq

import rocketmq_lite

pytestmark = [pytest.mark.slow]


def give_up(namesrv: str, topic: str, group: str, count: int) -> None:
    """A group gives up that many messages."""

    async def run() -> None:
        async with rocketmq_lite.connect(namesrv) as client:
            await client.admin.create_topic(topic, queues=1)
            async with client.consumer(group, topic) as messages:
                await client.producer("p").send_many(
                    topic, [b"message %d" % n for n in range(count)], tag="t"
                )
                for _ in range(count):
                    async with await anext(messages):
                        raise rocketmq_lite.DeadLetter("bad")
                while messages.statistics().queues[0].unfinished:  # noqa: ASYNC110 - no event tells that it was given back
                    await trio.sleep(0.01)

    trio.run(run)


def lines(run: Run) -> list[dict[str, object]]:
    assert run.code == 0, run.err
    return [json.loads(line) for line in run.out.splitlines()]


def test_the_life_of_dead_letters(namesrv: str) -> None:
    give_up(namesrv, "lost", "undertakers", 3)
    counted = rmq("dlq", "ls", namesrv=namesrv).json()
    assert {"group": "undertakers", "kept": 3, "waiting": 3} in counted
    shown = lines(rmq("dlq", "show", "undertakers", namesrv=namesrv))
    assert sorted(str(each["body"]) for each in shown) == ["message 0", "message 1", "message 2"]
    assert {(each["origin_topic"], each["attempts"], each["resent"], each["tag"]) for each in shown} == {
        ("lost", 1, False, "t")
    }
    text = rmq("dlq", "show", "undertakers", "--count", "1", "--output", "table", namesrv=namesrv).out
    assert text.startswith("lost, 1 attempts: ")
    assert text.endswith(f"{shown[0]['body']}\n")
    assert lines(rmq("dlq", "export", "undertakers", "--output", "table", namesrv=namesrv)) == shown

    refused = rmq("dlq", "resend", "undertakers", stdin=b"n\n", namesrv=namesrv)
    assert refused.code == 1
    assert "sends 3 dead letters of group undertakers to the topics they came from" in refused.err
    resent = rmq("dlq", "resend", "undertakers", "--yes", namesrv=namesrv)
    assert resent.json() == {"group": "undertakers", "sent": 3, "skipped": 0}
    nothing = rmq("dlq", "resend", "undertakers", namesrv=namesrv)
    assert nothing.json()["sent"] == 0
    assert lines(rmq("dlq", "show", "undertakers", "--waiting", namesrv=namesrv)) == []
    alone = rmq("dlq", "resend", "undertakers", "--again", "--to-retry", "--yes", namesrv=namesrv)
    assert alone.json()["sent"] == 3
    again = rmq("group", "lag", "undertakers", namesrv=namesrv).json()["queues"]
    assert {each["topic"]: each["lag"] for each in again} == {"lost": 3, "%RETRY%undertakers": 3}

    kept = rmq("dlq", "purge", "undertakers", namesrv=namesrv)
    assert kept.code == 1
    assert "removes 3 dead letters of group undertakers, 0 of them never sent again" in kept.err
    purged = rmq("dlq", "purge", "undertakers", "--yes", namesrv=namesrv)
    assert purged.json() == {"group": "undertakers", "removed": 3}
    assert "undertakers" not in [each["group"] for each in rmq("dlq", "ls", namesrv=namesrv).json()]


def test_a_group_without_dead_letters(namesrv: str) -> None:
    shown = rmq("dlq", "show", "nobody", namesrv=namesrv)
    assert (shown.code, shown.out) == (0, "")
    assert "group nobody has no dead letters" in shown.err
    assert rmq("dlq", "purge", "nobody", namesrv=namesrv).json() == {"group": "nobody", "removed": 0}
