"""A client for the length of a command, with the addresses and time-outs that the global options say."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from rocketmq_lite.cli.options import GlobalOptions
    from rocketmq_lite.client.client import Client

DEFAULT_NAMESRV = "127.0.0.1:9876"


@asynccontextmanager
async def connected(options: GlobalOptions) -> AsyncIterator[Client]:
    """A client of the cluster that the options name, else of the one that `rmq up` starts by default."""
    from rocketmq_lite.client.addresses import name_servers
    from rocketmq_lite.client.connect import connect

    address = name_servers(options.namesrv) or DEFAULT_NAMESRV
    async with connect(
        address, request_timeout=options.request_timeout, tls=_tls(options) or False
    ) as client:
        yield client


def _tls(options: GlobalOptions) -> ssl.SSLContext | bool | None:
    """What the options say about TLS: the system's trust, a file's, or nothing."""
    if options.tls_ca is None:
        return options.tls
    from rocketmq_lite.transport.tls import client_context

    return client_context(options.tls_ca)
