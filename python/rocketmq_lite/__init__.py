"""RocketMQ Lite: name server, broker, client and admin tools in one package.

    async with rmq.embedded() as cluster, rmq.connect(cluster.namesrv) as client:
        await client.producer("order-service").send("orders", b"...")

What is named in ``__all__`` is a promise; everything else may move.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rocketmq_lite.client.admin import Admin
    from rocketmq_lite.client.client import Client, connect
    from rocketmq_lite.client.consumer import Consumer, UnacknowledgedWarning
    from rocketmq_lite.client.message import ReceivedMessage
    from rocketmq_lite.client.producer import Producer
    from rocketmq_lite.embedded import Cluster, embedded
    from rocketmq_lite.errors import (
        BrokerError,
        ClientClosed,
        ConfigError,
        ConnectError,
        ConnectionLost,
        LocalProtocolError,
        NoNameServer,
        NotDurable,
        PortInUse,
        ProtocolError,
        RemoteProtocolError,
        RequestTimeout,
        RocketMQError,
        StoreDamaged,
        StoreError,
        StoreLocked,
        TopicNotFound,
    )
    from rocketmq_lite.model import MessageQueue, SendReceipt, SendStatus, Tags

    __version__: str

_HOMES = {
    "rocketmq_lite.client.admin": ("Admin",),
    "rocketmq_lite.client.client": ("Client", "connect"),
    "rocketmq_lite.client.consumer": ("Consumer", "UnacknowledgedWarning"),
    "rocketmq_lite.client.message": ("ReceivedMessage",),
    "rocketmq_lite.client.producer": ("Producer",),
    "rocketmq_lite.embedded": ("Cluster", "embedded"),
    "rocketmq_lite.errors": (
        "BrokerError",
        "ClientClosed",
        "ConfigError",
        "ConnectError",
        "ConnectionLost",
        "LocalProtocolError",
        "NoNameServer",
        "NotDurable",
        "PortInUse",
        "ProtocolError",
        "RemoteProtocolError",
        "RequestTimeout",
        "RocketMQError",
        "StoreDamaged",
        "StoreError",
        "StoreLocked",
        "TopicNotFound",
    ),
    "rocketmq_lite.model": ("MessageQueue", "SendReceipt", "SendStatus", "Tags"),
    "rocketmq_lite.protocol.framing": ("__version__",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Admin",
    "BrokerError",
    "Client",
    "ClientClosed",
    "Cluster",
    "ConfigError",
    "ConnectError",
    "ConnectionLost",
    "Consumer",
    "LocalProtocolError",
    "MessageQueue",
    "NoNameServer",
    "NotDurable",
    "PortInUse",
    "Producer",
    "ProtocolError",
    "ReceivedMessage",
    "RemoteProtocolError",
    "RequestTimeout",
    "RocketMQError",
    "SendReceipt",
    "SendStatus",
    "StoreDamaged",
    "StoreError",
    "StoreLocked",
    "Tags",
    "TopicNotFound",
    "UnacknowledgedWarning",
    "__version__",
    "connect",
    "embedded",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: `rmq up` starts faster without the client, and the reverse."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
