"""How what the engine reports is sorted: decisions for the broker, answers for who asked, its death for everybody."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import trio
import trio.testing

from rocketmq_lite.broker.events import (
    Caller,
    ColdEvent,
    ColdRequest,
    ConnectionClosed,
    MissingGroup,
    MissingTopic,
)
from rocketmq_lite.broker.owner import EngineOwner
from rocketmq_lite.errors import StoreError

if TYPE_CHECKING:
    from rocketmq_lite._native import Cold, Control
    from rocketmq_lite.broker.exchange import Deliver


def cold(kind: str, **members: object) -> Cold:
    blank: dict[str, object] = {
        "conn": 0, "token": 0, "peer": "", "command": None, "name": "", "default_topic": "", "queue_nums": 0,
        "unit": False, "value": None, "level": "", "text": "",
    }  # fmt: skip
    return cast("Cold", SimpleNamespace(kind=kind, **(blank | members)))


class ScriptedOwner(EngineOwner):
    """Remembers what is submitted, and reports what the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[int] = []
        self.delivered: list[ColdEvent] = []

    def submit(self, control: Control, token: int = 0) -> None:  # noqa: ARG002 - what is asked does not matter
        self.tokens.append(token)

    async def listen(self) -> None:
        await trio.lowlevel.checkpoint()

    async def run(self, deliver: Deliver) -> None:  # noqa: ARG002 - the test reports by itself
        await trio.lowlevel.checkpoint()

    def report(self, *batch: Cold) -> None:
        self._take_in(batch, self.delivered.append)


def raw(*, flag: int = 0) -> SimpleNamespace:
    return SimpleNamespace(
        code=34,
        opaque=1,
        flag=flag,
        language="JAVA",
        version=479,
        remark=None,
        fields={},
        body=b"",
        codec="JSON",
    )


def test_what_needs_a_decision_is_delivered_in_order() -> None:
    owner = ScriptedOwner()
    owner.report(
        cold("command", conn=3, token=9, peer="10.0.0.1:5", command=raw()),
        cold("missing_topic", name="T", default_topic="TBW102", queue_nums=4),
        cold("missing_group", name="G"),
        cold("closed", conn=3),
    )
    request, *others = owner.delivered
    assert isinstance(request, ColdRequest)
    assert (request.caller, request.token, request.command.code) == (Caller(3, "10.0.0.1:5"), 9, 34)
    assert others == [MissingTopic("T", "TBW102", 4, unit=False), MissingGroup("G"), ConnectionClosed(3)]


def test_a_clients_answer_is_nobodys_request() -> None:
    owner = ScriptedOwner()
    owner.report(cold("command", conn=3, token=9, peer="10.0.0.1:5", command=raw(flag=1)))
    assert owner.delivered == []


async def test_answers_reach_those_who_asked() -> None:
    owner = ScriptedOwner()
    async with trio.open_nursery() as nursery:

        async def ask() -> None:
            assert await owner.bounds("T", [0]) == {0: (1, 2)}

        async def fail() -> None:
            with pytest.raises(StoreError, match="no such thing"):
                await owner.offsets()

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(fail)
        await trio.testing.wait_all_tasks_blocked()
        first, second = owner.tokens
        owner.report(
            cold("done", token=second, text="no such thing"), cold("done", token=first, value=[(0, 1, 2)])
        )


async def test_an_answer_that_nobody_waits_for_any_more_is_dropped() -> None:
    owner = ScriptedOwner()
    with trio.move_on_after(0):
        await owner.statistics()
    owner.report(cold("done", token=owner.tokens[0], value={}))


def test_log_lines_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    owner = ScriptedOwner()
    with caplog.at_level(logging.INFO):
        owner.report(cold("log", level="warning", text="100 % full"))
    assert caplog.record_tuples == [("rocketmq_lite.broker.exchange", logging.WARNING, "100 % full")]


def test_the_engines_death_is_raised() -> None:
    with pytest.raises(StoreError, match="died: out of luck"):
        ScriptedOwner().report(cold("failed", text="out of luck"))
