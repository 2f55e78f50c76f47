"""What a broker tells others about where it is, and what it finds out about that by itself."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import trio

from rocketmq_lite.broker.address import advertised_address
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.transport.server import CommandServer

if TYPE_CHECKING:
    from tests.integration.world import World
    from trio.testing import MockClock

    from rocketmq_lite.protocol.command import Command
    from rocketmq_lite.transport.server import Peer

WHERE = "127.0.0.1:10999"


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.endswith(".reach")]


async def test_an_address_that_leads_to_the_broker_is_no_news(
    world: World, time: MockClock | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with world.broker(advertise="127.0.0.1") as address, world.peer(address) as peer:
        await trio.sleep(0.5)
        assert (await peer.send("orders")).code == 0
    assert warnings(caplog) == []


async def test_nothing_answers_there(
    world: World, time: MockClock | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with world.broker(advertise="127.0.0.1:1") as address:
        assert address == "127.0.0.1:1"  # it serves all the same: the address may work from elsewhere
        with trio.fail_after(10):
            while not warnings(caplog):  # noqa: ASYNC110 - a log tells nobody
                await trio.sleep(0.01)
    (warning,) = warnings(caplog)
    assert "clients are sent to 127.0.0.1:1, which does not lead to this broker" in warning
    assert "why: cannot connect to 127.0.0.1:1" in warning
    assert "try: --advertise" in warning


@pytest.mark.parametrize("name", ["broker-a", "broker-b"])
async def test_another_broker_answers_there(
    pump_world: World, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    async with pump_world.broker(name=name) as other:
        await trio.sleep(1)  # no two brokers start in one millisecond
        async with pump_world.broker(advertise=other):
            await trio.sleep(1)
    (warning,) = warnings(caplog)
    assert f"another broker {'of the name broker-a ' if name == 'broker-a' else ''}answers there" in warning


@pytest.mark.parametrize("silent", [True, False])
async def test_something_else_answers_there(
    pump_world: World, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, *, silent: bool
) -> None:
    async def refuse(_peer: Peer, request: Command) -> Command | None:
        return None if silent else request.answer(3)

    async with trio.open_nursery() as nursery:
        listener = await pump_world.network.listen("127.0.0.1", 10999)
        await nursery.start(CommandServer(refuse).serve, listener)
        async with pump_world.broker(advertise=WHERE):
            await trio.sleep(10)
        nursery.cancel_scope.cancel()
    (warning,) = warnings(caplog)
    assert ("did not answer" if silent else "what answers there is no broker") in warning


@pytest.mark.parametrize("advertise", ["127.0.0.1", "localhost:10911", "[::1]:10911", "127.1.2.3"])
async def test_a_loopback_address_of_a_broker_that_listens_elsewhere_is_refused(advertise: str) -> None:
    with pytest.raises(ConfigError, match="its own machine") as caught:
        await advertised_address(advertise, "10.0.0.5:10911")
    assert "advertise an address" in caught.value.hint


@pytest.mark.parametrize(
    ("advertise", "bound", "address"),
    [
        (None, "10.0.0.5:10911", "10.0.0.5:10911"),
        ("127.0.0.1", "127.0.0.2:10911", "127.0.0.1:10911"),
        ("10.0.0.6:80", "10.0.0.5:10911", "10.0.0.6:80"),
        # A container publishes its ports on its host's loopback address.
        ("127.0.0.1:10911", "0.0.0.0:10911", "127.0.0.1:10911"),
    ],
)
async def test_what_is_told(advertise: str | None, bound: str, address: str) -> None:
    assert (await advertised_address(advertise, bound)).address == address


async def test_a_name_that_means_this_machine_is_as_good_as_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def resolve(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.1.1", 0))]

    monkeypatch.setattr(trio.socket, "getaddrinfo", resolve)  # a host's own name, as some installers write it
    with pytest.raises(ConfigError, match=r"box \(127\.0\.1\.1\)"):
        await advertised_address("box", "10.0.0.5:10911")
