"""The engine's thread against ours: while Python does not get on, hot requests are served all the same."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import trio
from tests.integration.world import World
from tests.support.raw_client import RawClient, pull_fields

from rocketmq_lite.broker.handlers.admin import AdminHandlers
from rocketmq_lite.clock import SystemClock
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.transport.network import TcpNetwork

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_PATIENCE = 20.0


async def test_a_handler_that_sleeps_delays_no_send_and_no_pull(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeping, hot_done = threading.Event(), threading.Event()
    woken_by_us: list[bool] = []

    def sleep(_self: AdminHandlers) -> dict[str, str]:
        """Python as a whole stands still: this is the only thread that runs Trio."""
        sleeping.set()
        woken_by_us.append(hot_done.wait(_PATIENCE))
        return {}

    def talk(address: str) -> None:
        with RawClient(address) as client, RawClient(address) as asking:
            assert client.send("hot", b"first").code == 0
            assert client.pull("hot", 0, 0).code == 0
            asking.post(RequestCode.GET_BROKER_CONFIG, {})
            assert sleeping.wait(_PATIENCE)
            asking.post(RequestCode.PULL_MESSAGE, pull_fields("hot", 0, 0))
            assert asking.read().code == 0, "the pull behind it, on the same connection"
            for number in range(100):
                assert client.send("hot", b"%d" % number).code == 0
                assert client.pull("hot", 0, number).code == 0
            hot_done.set()
            assert asking.read().code == 0, "and the request that Python slept on"

    monkeypatch.setattr(AdminHandlers, "_properties", sleep)
    world = World("reactor", TcpNetwork(), SystemClock(), tmp_path)
    async with world.broker() as address:
        await trio.to_thread.run_sync(talk, address)
    assert woken_by_us == [True]
