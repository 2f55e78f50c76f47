"""Ctrl-C: what the first press does inside and outside of a marked block, and what the second does anywhere."""

from __future__ import annotations

import os
import signal

import pytest
import trio

from rocketmq_lite.cli.interrupt import cancelled_by_ctrl_c, heeding_ctrl_c


async def test_the_first_cancels_the_block_and_lets_the_rest_be_tidied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    tidied = False

    async def command() -> None:
        nonlocal tidied
        try:
            with cancelled_by_ctrl_c():
                signal.raise_signal(signal.SIGINT)
                await trio.sleep_forever()
        finally:
            await trio.lowlevel.checkpoint()
            assert ended == []
            tidied = True
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), heeding_ctrl_c():
        await command()
    assert tidied
    assert ended == [130]


async def test_outside_of_a_block_it_is_python_s() -> None:
    async def command() -> None:
        signal.raise_signal(signal.SIGINT)
        await trio.sleep_forever()

    with pytest.raises(KeyboardInterrupt), heeding_ctrl_c():
        await command()


async def test_a_block_that_ends_by_itself() -> None:
    before = signal.getsignal(signal.SIGINT)
    with heeding_ctrl_c():
        with cancelled_by_ctrl_c():
            await trio.lowlevel.checkpoint()
        await trio.lowlevel.checkpoint()
    assert signal.getsignal(signal.SIGINT) is before
