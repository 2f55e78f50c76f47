"""`rmq doctor` as a stranger uses it, and watching a broadcasting group."""

from __future__ import annotations

import pytest
import trio
from tests.support.cli import rmq

import rocketmq_lite as rmq_lite

pytestmark = [pytest.mark.slow]


def test_it_ends_with_one_if_something_is_wrong(namesrv: str) -> None:
    rmq("msg", "send", "sick", "hello", namesrv=namesrv)
    well = rmq("doctor", namesrv=namesrv)
    assert (well.code, [row for row in well.json() if row["subject"] == "patients"]) == (0, [])
    trio.run(_give_up, namesrv)
    found = rmq("doctor", namesrv=namesrv)
    assert found.code == 1
    assert [row["kind"] for row in found.json() if row["subject"] == "patients"] == ["dead-letters"]
    shown = rmq("group", "show", "patients", namesrv=namesrv).json()
    assert [row["kind"] for row in shown["problems"]] == ["dead-letters"]
    assert "dead-letters" in rmq("doctor", "--output", "table", namesrv=namesrv).out


def test_broadcasting_is_watched_under_a_group(namesrv: str) -> None:
    rmq("msg", "send", "cast", "hello", namesrv=namesrv)
    arguments = ("msg", "tail", "cast", "--broadcast", "--from", "earliest", "--count", "1")
    seen = rmq(*arguments, "--group", "casters", namesrv=namesrv)
    assert (seen.code, seen.json()["body"]) == (0, "hello")
    refused = rmq(*arguments, namesrv=namesrv)
    assert refused.code == 2
    assert "--broadcast needs --group" in refused.err


async def _give_up(namesrv: str) -> None:
    async with (
        rmq_lite.connect(namesrv) as client,
        client.consumer("patients", "sick", start="earliest") as messages,
    ):
        async with await anext(messages):
            raise rmq_lite.DeadLetter("no cure")
        with trio.fail_after(30):
            while await client.admin.group_problems("patients") == ():  # noqa: ASYNC110 - a broker tells nobody
                await trio.sleep(0.05)
