"""The table of calls: how many of them are answered at once, and Ctrl-C while an answer is being taken."""

from __future__ import annotations

import contextlib
import signal
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from tests.support.rpc import ADDRESS, Peer, pool_on

from rocketmq_lite.errors import ConnectionLost
from rocketmq_lite.protocol.command import FLAG_RESPONSE, Command
from rocketmq_lite.protocol.framing import CommandDecoder, RawCommand, encode_command
from rocketmq_lite.protocol.request import CommandRequest
from rocketmq_lite.testing.network import MemoryNetwork
from rocketmq_lite.transport.calls import Calls

if TYPE_CHECKING:
    from collections.abc import Callable


def answer(opaque: int) -> RawCommand:
    (raw,) = CommandDecoder().feed(encode_command(Command(0, opaque=opaque, flag=FLAG_RESPONSE)))
    return raw


async def wait_quietly(calls: Calls, opaque: int, deadline: float) -> None:
    with contextlib.suppress(ConnectionLost, trio.TooSlowError):
        await calls.wait(opaque, deadline)


END = {
    "answered": lambda calls, _scope: calls.deliver([answer(1), answer(2)]),
    "cancelled": lambda _calls, scope: scope.cancel(),
    "connection lost": lambda calls, _scope: calls.fail(partial(ConnectionLost, "gone")),
    "too late": lambda _calls, _scope: None,
}


@pytest.mark.parametrize("end", END.values(), ids=END.keys())
async def test_calls_that_have_ended_are_not_under_way(
    end: Callable[[Calls, trio.CancelScope], object], autojump_clock: trio.testing.MockClock
) -> None:
    calls = Calls(lambda: None, lambda: None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(calls.expire)
        await trio.testing.wait_all_tasks_blocked()
        async with trio.open_nursery() as waiting:
            for opaque in (1, 2):
                waiting.start_soon(wait_quietly, calls, opaque, trio.current_time() + 5)
            await trio.testing.wait_all_tasks_blocked()
            assert calls.prompt == len(calls) == 2
            end(calls, waiting.cancel_scope)
        assert calls.prompt == len(calls) == 0
        nursery.cancel_scope.cancel()


def test_a_ctrl_c_while_an_answer_is_taken_comes_once_it_is_taken() -> None:
    taken: list[str] = []

    def take(_answer: RawCommand) -> None:
        signal.raise_signal(signal.SIGINT)
        taken.append("whole")

    async def main() -> None:
        network = MemoryNetwork()
        async with trio.open_nursery() as nursery:
            await nursery.start(Peer(network).run)
            async with pool_on(network) as pool:
                await pool.ask(ADDRESS, CommandRequest(Command(1)), on_arrival=take)
                await trio.sleep_forever()

    with pytest.raises(BaseExceptionGroup) as raised:
        trio.run(main)
    assert raised.value.split(KeyboardInterrupt)[1] is None
    assert taken == ["whole"]
