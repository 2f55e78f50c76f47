"""A network that lives in memory: addresses are names, connections are buffers, and the clock may be Trio's mock one.

It keeps the promises of TCP that the rest of the code relies on: bytes arrive in order and in pieces of any size, a
closed end is seen by the other as end of stream, a port is taken once, and nobody listens on a port that was closed.

Surprise: there is no back-pressure. A stream takes whatever is sent, as trio's memory streams do; what must not pile up
has to be bounded by who sends it.

Example:
    network = MemoryNetwork()
    listener = await network.listen("127.0.0.1", 0)
    stream = await network.dial(listener.address)
"""

from __future__ import annotations

from typing import Final

import trio
import trio.testing

from rocketmq_lite.errors import ConnectError, PortInUse
from rocketmq_lite.records import dataclass
from rocketmq_lite.transport.address import format_address, parse_address
from rocketmq_lite.transport.network import Listener

__all__ = ["MemoryNetwork", "MemoryNetworkStatistics"]

_FIRST_FREE_PORT: Final = 20_000
_FIRST_CLIENT_PORT: Final = 40_000
_BACKLOG: Final = 1024
_ANY_HOST: Final = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class MemoryNetworkStatistics:
    """What is open right now; a test that leaves nothing behind sees zeros."""

    listeners: int
    connections: int
    dialed: int


class MemoryNetwork:
    """See the module's text; the interface is ``rocketmq_lite.transport.network.Network``."""

    def __init__(self) -> None:
        self._listeners: dict[int, _MemoryListener] = {}
        self._open: dict[_End, str] = {}
        self._next_port = _FIRST_FREE_PORT
        self._dialed = 0

    async def dial(self, address: str) -> trio.abc.Stream:
        """Open a stream to a listener of this network.

        Raises:
            ConnectError: Nothing listens there.
            ConfigError: The text is not an address.
        """
        await trio.lowlevel.checkpoint()
        _host, port = parse_address(address)
        listener = self._listeners.get(port)
        if listener is None or not listener.answers(address):
            raise ConnectError(f"cannot connect to {address}: nothing listens there")
        client_address = f"127.0.0.1:{_FIRST_CLIENT_PORT + self._dialed % (65_536 - _FIRST_CLIENT_PORT)}"
        ours, theirs = (_End(self, half) for half in trio.testing.memory_stream_pair())
        try:
            listener.arrivals.send_nowait((theirs, client_address))
        except trio.WouldBlock:
            raise ConnectError(f"cannot connect to {address}: its backlog is full") from None
        self._dialed += 1
        self._open[ours] = self._open[theirs] = listener.address
        return ours

    async def listen(self, host: str, port: int) -> Listener:
        """Open a port; 0 picks a free one.

        Raises:
            PortInUse: It is taken.
        """
        await trio.lowlevel.checkpoint()
        if port == 0:
            port = self._free_port()
        if port in self._listeners:
            raise PortInUse(f"cannot listen on {format_address(host, port)}: the port is in use")
        self._listeners[port] = listener = _MemoryListener(self, host, port)
        return listener

    async def cut(self, address: str) -> int:
        """Break every open connection to a listener's address, as a failing network would; how many ends there were."""
        ends = [end for end, where in self._open.items() if where == address]
        for end in ends:
            await trio.aclose_forcefully(end)
        return len(ends)

    def statistics(self) -> MemoryNetworkStatistics:
        """What is open right now, counting each connection once however many of its ends are open."""
        return MemoryNetworkStatistics(len(self._listeners), (len(self._open) + 1) // 2, self._dialed)

    def _free_port(self) -> int:
        while self._next_port in self._listeners:
            self._next_port += 1
        self._next_port += 1
        return self._next_port - 1

    def forget_listener(self, port: int) -> None:
        """A listener has closed."""
        self._listeners.pop(port, None)

    def forget_end(self, end: _End) -> None:
        """One end of a connection has closed."""
        self._open.pop(end, None)


class _End(trio.abc.Stream):
    """One end of a connection, which the network can count and cut."""

    def __init__(
        self,
        network: MemoryNetwork,
        half: trio.StapledStream[trio.testing.MemorySendStream, trio.testing.MemoryReceiveStream],
    ) -> None:
        self._network = network
        self._half = half

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._half.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._half.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return bytes(await self._half.receive_some(max_bytes))

    async def aclose(self) -> None:
        self._network.forget_end(self)
        await self._half.aclose()


class _MemoryListener(Listener):
    def __init__(self, network: MemoryNetwork, host: str, port: int) -> None:
        self._network = network
        self._host = host
        self._port = port
        self._peers: dict[trio.abc.Stream, str] = {}
        self.arrivals, self._accepting = trio.open_memory_channel[tuple[_End, str]](_BACKLOG)

    @property
    def address(self) -> str:
        return format_address(self._host, self._port)

    def answers(self, address: str) -> bool:
        """Whether a dial to this address reaches this listener."""
        host, _port = parse_address(address)
        return self._host in _ANY_HOST or host in {self._host, "localhost"}

    def peer_address(self, stream: trio.abc.Stream) -> str:
        return self._peers.pop(stream, super().peer_address(stream))

    async def accept(self) -> trio.abc.Stream:
        try:
            stream, peer = await self._accepting.receive()
        except trio.EndOfChannel:
            raise trio.ClosedResourceError from None
        self._peers[stream] = peer
        return stream

    async def aclose(self) -> None:
        self._network.forget_listener(self._port)
        self.arrivals.close()
        while True:
            try:
                stream, _peer = self._accepting.receive_nowait()
            except (trio.WouldBlock, trio.EndOfChannel, trio.ClosedResourceError):
                break
            await trio.aclose_forcefully(stream)
        self._accepting.close()
        await trio.lowlevel.checkpoint()
