"""Opening a client: its connections, and everything that runs in the background (the refresh of routes, the heartbeats).

When the block ends, consumers and producers are taken off the brokers and all connections are closed.
"""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from rocketmq_lite.client.addresses import name_servers
from rocketmq_lite.client.admin import Admin
from rocketmq_lite.client.client import Client
from rocketmq_lite.client.engine.name_servers import NameServers
from rocketmq_lite.client.heartbeats import Heartbeats
from rocketmq_lite.client.identity import Identity, own_address
from rocketmq_lite.client.pushes import Pushes
from rocketmq_lite.client.remote import Remote
from rocketmq_lite.client.remote_admin import AdminRemote
from rocketmq_lite.client.routing import Routing
from rocketmq_lite.clock import SystemClock
from rocketmq_lite.config import split_addresses
from rocketmq_lite.errors import ConfigError, NoNameServer
from rocketmq_lite.transport.dispatch import table_handler
from rocketmq_lite.transport.network import TcpNetwork
from rocketmq_lite.transport.nursery import background_nursery
from rocketmq_lite.transport.rpc import open_pool
from rocketmq_lite.transport.tls import client_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from rocketmq_lite.clock import Clock
    from rocketmq_lite.transport.network import Network

__all__ = ["connect"]


@asynccontextmanager
async def connect(
    namesrv: str | None = None,
    *,
    request_timeout: float = 3.0,
    instance: str | None = None,
    tls: ssl.SSLContext | bool = False,
    network: Network | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Client]:
    """A client of a RocketMQ cluster for as long as the block lasts.

    Args:
        namesrv: Its name servers, ``"host:port"`` or ``"host:port;host:port"``. Without it the environment
            is asked: ``ROCKETMQ_NAMESRV``, then ``NAMESRV_ADDR``. One is chosen by chance and kept as long
            as it answers.
        request_timeout: Seconds for each request, connecting included. Long polls of consumers have
            their own.
        instance: What tells this client from others of this machine; made up when left out. The client
            id is ``<ip>@<instance>``, and must be unique in a consumer group.
        tls: Encrypt every connection. ``True`` trusts the servers that the system trusts; an ``ssl.SSLContext`` says
            whom else, and which certificate to show.
        network: Where connections come from instead of TCP. For tests.
        clock: Where time comes from; the system's when left out. For tests.

    Raises:
        ConfigError: An argument is not valid.
        NoNameServer: No address is given, none of the addresses answers, or what answers is none.

    Leaving the block, also by cancellation, takes this client's groups off the brokers (for which they
    get two seconds) and closes every connection.

    Example:
        >>> async with rmq.connect("127.0.0.1:9876") as client:
        ...     await client.producer("order-service").send("orders", b"...")
    """
    addresses = _addresses(namesrv)
    if not request_timeout > 0:
        raise ConfigError(f"request_timeout is {request_timeout}, it must be above 0")
    clock = clock or SystemClock()
    identity = Identity(clock, address=own_address(), instance=instance)
    pushes = Pushes()
    async with (
        open_pool(
            network or TcpNetwork(client_context() if tls is True else tls or None),
            clock,
            request_timeout=request_timeout,
            on_push=table_handler(pushes.table()),
        ) as pool,
        background_nursery() as nursery,
    ):
        remote = Remote(pool)
        routing = Routing(remote, NameServers(addresses, start=secrets.randbelow(len(addresses))))
        await routing.check()
        heartbeats = pushes.heartbeats = Heartbeats(nursery, remote, routing, identity.client_id)
        pool.subscribe_disconnects(heartbeats.disconnected)
        client = Client(
            identity=identity,
            clock=clock,
            remote=remote,
            routing=routing,
            heartbeats=heartbeats,
            connections=pool.statistics,
            admin=Admin(AdminRemote(pool), routing),
        )
        nursery.start_soon(routing.run)
        nursery.start_soon(heartbeats.run)
        try:
            yield client
        finally:
            client.close()
            await heartbeats.leave_all()


def _addresses(namesrv: str | None) -> tuple[str, ...]:
    wanted = name_servers(namesrv)
    if wanted is None:
        raise NoNameServer(
            "no name server is given",
            hint="pass 'host:port' to connect() or set ROCKETMQ_NAMESRV; 'rmq up' starts one on 127.0.0.1:9876",
        )
    return split_addresses(wanted)
