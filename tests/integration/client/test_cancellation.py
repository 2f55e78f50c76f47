"""Every client call, cancelled after each possible number of scheduler steps, leaves the client usable.

The cancellation comes between any two steps of any task, the servers' included, so each point at which the
call can be interrupted is met, with the answer not yet sent, on its way, or there.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trio
from tests.integration.client.taking import take

if TYPE_CHECKING:
    from rocketmq_lite.client.message import ReceivedMessage

ENOUGH = 3000


class StepCounter(trio.abc.Instrument):
    """Cancels a scope when so many steps have been made, by whatever task."""

    def __init__(self, steps: int, scope: trio.CancelScope) -> None:
        self._left = steps
        self._scope = scope

    def before_task_step(self, task: trio.lowlevel.Task) -> None:  # noqa: ARG002 - any task's step counts
        self._left -= 1
        if self._left == 0:
            self._scope.cancel()


@contextmanager
def cancelled_after(steps: int):
    with trio.CancelScope() as scope:
        counter = StepCounter(steps, scope)
        trio.lowlevel.add_instrument(counter)
        try:
            yield scope
        finally:
            trio.lowlevel.remove_instrument(counter)


async def at_every_step(call, check):
    """Cancel ``call`` after 1, 2, 3 … steps until it is no longer cut short; ``check`` after each."""
    for steps in range(1, ENOUGH):
        with cancelled_after(steps) as scope:
            await call()
        with trio.fail_after(20):
            await check()
        if not scope.cancelled_caught:
            return steps
    raise AssertionError("it never ended by itself")


@pytest.fixture
async def orders(cluster):
    """A client, a producer that has never sent, and a topic with one message in each queue."""
    async with cluster.connect() as client:
        await client.admin.create_topic("orders", queues=2)
        producer = client.producer("filler")
        for _ in range(2):
            await producer.send("orders", b"x")
        yield client


def tasks():
    return trio.lowlevel.current_statistics().tasks_living


async def quiet(client):
    """Nothing of a cancelled call is waited for any more."""
    await trio.testing.wait_all_tasks_blocked()
    assert [link.pending for link in client.statistics().connections.links] == [0, 0]


async def test_sending(autojump_clock, orders):
    async def call():
        await orders.producer("p").send("orders", b"x", tag="t", keys="k")

    async def check():
        assert (await orders.producer("p").send("orders", b"x")).offset >= 0
        await quiet(orders)

    assert await at_every_step(call, check) > 3


async def test_sending_what_has_to_wait_for_room(autojump_clock, orders):
    body = bytes(range(256)) * 8192

    async def call():
        async with trio.open_nursery() as nursery:
            for _ in range(6):
                nursery.start_soon(orders.producer("p").send, "orders", body)

    async def check():
        await orders.producer("p").send("orders", b"x")
        await quiet(orders)

    assert await at_every_step(call, check) > 10


async def test_the_first_send_to_a_topic_that_does_not_exist(autojump_clock, orders):
    numbers = iter(range(ENOUGH))

    async def call():
        await orders.producer("p").send(f"fresh-{next(numbers)}", b"x")

    async def check():
        await orders.producer("p").send(f"fresh-{next(numbers)}", b"x")

    assert await at_every_step(call, check) > 10


async def test_sending_many(autojump_clock, orders):
    async def call():
        await orders.producer("p").send_many("orders", [b"x"] * 64)

    async def check():
        receipts = await orders.producer("p").send_many("orders", [b"x"] * 40)
        assert len({(receipt.queue, receipt.offset) for receipt in receipts}) == 40
        await quiet(orders)

    assert await at_every_step(call, check) > 5


async def test_sending_oneway(autojump_clock, orders):
    async def call():
        await orders.producer("p").send_oneway("orders", b"x")

    async def check():
        await orders.producer("p").send_oneway("orders", b"x")
        await orders.producer("p").send("orders", b"x")
        await quiet(orders)

    assert await at_every_step(call, check) > 1


@pytest.mark.parametrize(
    "name", ["topics", "route", "cluster", "topic_stats", "create_topic", "delete_topic"]
)
async def test_administration(autojump_clock, orders, name):
    arguments = () if name in {"topics", "cluster"} else ("orders",)

    async def call():
        await getattr(orders.admin, name)(*arguments)

    async def check():
        await orders.admin.create_topic("orders", queues=2)
        await orders.producer("p").send("orders", b"x")
        assert "orders" in await orders.admin.topics()

    assert await at_every_step(call, check) > 2


@pytest.mark.slow
async def test_connecting(autojump_clock, cluster):
    before = tasks()

    async def call():
        async with cluster.connect() as client:
            client.producer("p")
            await client.admin.topics()

    async def check():
        await trio.testing.wait_all_tasks_blocked()
        assert cluster.network.statistics().connections == idle
        assert tasks() == before
        async with cluster.connect() as client:
            await client.admin.topics()

    await trio.testing.wait_all_tasks_blocked()
    idle = cluster.network.statistics().connections
    assert await at_every_step(call, check) > 10


@pytest.mark.slow
async def test_consuming(autojump_clock, orders):
    before = tasks()
    producer = orders.producer("p")
    acknowledged = set()

    async def call():
        await producer.send("orders", b"x")
        async with orders.consumer("g", "orders", start="earliest") as messages:
            async with await anext(messages) as message:
                await trio.lowlevel.checkpoint()
            acknowledged.add((message.queue, message.offset))

    async def check():
        await trio.sleep(2.5)  # the broker's side of a pull that nobody waits for may go on
        assert orders.statistics().consumer_groups == ()
        assert tasks() == before
        async with orders.consumer("g", "orders", start="earliest") as messages:
            sent = await producer.send("orders", b"y")
            found: list[ReceivedMessage] = []
            while not found or (found[-1].queue, found[-1].offset) != (sent.queue, sent.offset):
                found += await take(messages, 1)
        # What was acknowledged before does not come again: every way out commits.
        assert not acknowledged & {(message.queue, message.offset) for message in found}
        acknowledged.update((message.queue, message.offset) for message in found)

    assert await at_every_step(call, check) > 50


async def test_waiting_for_a_message(autojump_clock, orders):
    async with orders.consumer("g", "orders") as messages:
        sent, taken = [], []

        async def call():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(send)
                async with await anext(messages) as message:
                    taken.append(message.message_id)

        async def send():
            with trio.CancelScope(shield=True):
                sent.append((await orders.producer("p").send("orders", b"x")).message_id)

        async def check():
            while len(taken) < len(sent):
                taken.extend(message.message_id for message in await take(messages, 1))

        assert await at_every_step(call, check) > 5
        assert sorted(taken) == sorted(sent)
