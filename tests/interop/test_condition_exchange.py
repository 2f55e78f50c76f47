"""Conditions of groups that are away go with the store: from our broker to Apache's, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import trio
from tests.interop import apache, lite
from tests.interop.servers import REQUEST_SECONDS

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.maven import Java
    from tests.interop.servers import Cluster

TOPIC, GROUP = "priced", "dear-group"
CONDITION = "price > 4"
SECONDS = 90.0


def _kept(store: Path) -> dict[str, Any]:
    """What `consumerFilter.json` says of the group."""
    document = json.loads((store / "config" / "consumerFilter.json").read_bytes())
    found: dict[str, Any] = document["filterDataByTopic"][TOPIC]["groupFilterData"][GROUP]
    return found


async def _send_and_consume(cluster: Cluster, *prices: int) -> list[bytes]:
    """What the group gets, which is all that it has not had and that fits its condition."""
    wanted = sum(price > 4 for price in prices)
    received: list[bytes] = []
    with trio.fail_after(SECONDS):
        async with rmq.connect(cluster.namesrv, request_timeout=REQUEST_SECONDS) as client:
            for price in prices:
                await client.producer("p").send(TOPIC, b"%d" % price, properties={"price": str(price)})
            async with client.consumer(GROUP, TOPIC, where=CONDITION, start="earliest") as messages:
                async for message in messages:
                    async with message:
                        received.append(message.body)
                    if len(received) == wanted:
                        break
    return sorted(received)


async def test_a_group_goes_on_with_its_condition_at_the_other_broker(java: Java, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with lite.single(tmp_path / "first", data=data) as ours:
        assert await _send_and_consume(ours, 1, 5, 6) == [b"5", b"6"]
    written = _kept(data / "store")
    assert (written["expression"], written["expressionType"]) == (CONDITION, "SQL92")
    with apache.on_store(java, tmp_path / "apache", data / "store", orderly=True) as theirs:
        assert await _send_and_consume(theirs, 2, 7, 8) == [b"7", b"8"]
    rewritten = _kept(data / "store")
    assert rewritten["clientVersion"] > written["clientVersion"], "Apache's broker wrote it"
    same = ("bornTime", "bloomFilterData", "expression", "expressionType", "topic", "consumerGroup")
    assert [rewritten[name] for name in same] == [written[name] for name in same], "and had read it"
    with lite.single(tmp_path / "second", data=data) as ours:
        assert await _send_and_consume(ours, 3, 9) == [b"9"]
    assert [_kept(data / "store")[name] for name in same] == [written[name] for name in same]
