"""Apache's broker telling our members at once where their group goes on (220), as all of its brokers before 5.0 do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
from tests.interop import apache
from tests.interop import mqadmin as printed
from tests.interop.messages import tagged
from tests.interop.mqadmin import MqAdmin
from tests.interop.servers import REQUEST_SECONDS
from tests.interop.taking import acknowledged, ids, polled

import rocketmq_lite as rmq

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.interop.judge import Judge
    from tests.interop.maven import Java
    from tests.interop.servers import Cluster

MESSAGES = 12
SECONDS = 120.0
SMALL = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def pushing(java: Java, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A broker of Apache's that keeps no reset for the next pull."""
    directory = tmp_path_factory.mktemp("pushing")
    with apache.on_store(
        java,
        directory,
        directory / "store",
        useServerSideResetOffset="false",
        mappedFileSizeCommitLog=SMALL,
    ) as cluster:
        yield cluster


@pytest.mark.parametrize("style", ["consumer", "in order", "puller"])
async def test_our_members_go_on_where_the_broker_says(
    json_judge: Judge, admin_tool: Judge, pushing: Cluster, name: str, style: str
) -> None:
    send = partial(json_judge.produce, pushing.namesrv, name, tagged(["t"] * MESSAGES), mode="sync")
    await trio.to_thread.run_sync(partial(json_judge.create_topic, pushing.namesrv, pushing.name, name))
    sent = await trio.to_thread.run_sync(partial(send, group=f"{name}-producer"))
    expected = sorted(str(event["msgId"]) for event in sent)
    mqadmin, group = MqAdmin(admin_tool, pushing.namesrv), f"{name}-group"

    async def reset() -> None:
        arguments = ("resetOffsetByTime", "-g", group, "-t", name, "-s", "0")
        rows = printed.rows(await trio.to_thread.run_sync(partial(mqadmin.run, *arguments)))
        assert [row["offset"] for row in rows] == ["0"] * 4

    async def twice(
        take: Callable[[], Awaitable[list[rmq.ReceivedMessage] | list[rmq.StoredMessage]]],
    ) -> None:
        assert ids(await take()) == expected
        await reset()
        assert ids(await take()) == expected

    with trio.fail_after(SECONDS):
        async with rmq.connect(pushing.namesrv, request_timeout=REQUEST_SECONDS) as client:
            if style == "puller":
                async with client.puller(group, name, start="earliest") as puller:
                    await twice(partial(polled, puller, MESSAGES, done=True))
            else:
                async with client.consumer(
                    group, name, start="earliest", ordered=style == "in order"
                ) as messages:
                    await twice(partial(acknowledged, messages, MESSAGES))
