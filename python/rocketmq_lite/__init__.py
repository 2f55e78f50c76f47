"""RocketMQ Lite: name server, broker, client and admin tools in one package.

Everything public is here; what other modules hold may move. Start with :func:`connect`, or with
:func:`embedded` for a cluster in this process.

Example:
    >>> import rocketmq_lite as rmq
    >>> async with rmq.embedded() as cluster, rmq.connect(cluster.namesrv) as client:
    ...     await cluster.create_topic("orders", queues=4)
    ...     await client.producer("order-service").send("orders", b"...")

A name's module is imported when the name is first used: the command line imports this package too, and
must not pay for a client when it starts a broker.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from rocketmq_lite.embedded import embedded

if TYPE_CHECKING:
    from rocketmq_lite.client.admin import Admin
    from rocketmq_lite.client.administration.brokers import BrokerReport
    from rocketmq_lite.client.administration.dead_letters import DeadLetterCount, KeptDeadLetter
    from rocketmq_lite.client.administration.direct import DirectConsumption
    from rocketmq_lite.client.administration.group_reports import (
        GroupClient,
        GroupClients,
        GroupLag,
        GroupSummary,
        QueueLag,
    )
    from rocketmq_lite.client.administration.positions import PositionChange
    from rocketmq_lite.client.administration.resending import Resent
    from rocketmq_lite.client.client import Client, ClientStatistics
    from rocketmq_lite.client.connect import connect
    from rocketmq_lite.client.consumer import Consumer, ConsumerStatistics
    from rocketmq_lite.client.engine.balance import AllocationStrategy
    from rocketmq_lite.client.engine.diagnosis import Problem
    from rocketmq_lite.client.engine.events import (
        ConsumerEvent,
        GroupProblem,
        OffsetMoved,
        QueueGained,
        QueueLost,
    )
    from rocketmq_lite.client.engine.giving_back import DeadLetter, RetryLater
    from rocketmq_lite.client.engine.hashed_strategies import AllocateByConsistentHash, AllocateByRendezvous
    from rocketmq_lite.client.engine.queue_locks import LockTimings
    from rocketmq_lite.client.engine.strategies import (
        AllocateAveragely,
        AllocateAveragelyByCircle,
        AllocateByConfig,
        AllocateByMachineRoom,
        AllocateNearby,
    )
    from rocketmq_lite.client.fetcher import PulledStatistics
    from rocketmq_lite.client.message import ReceivedMessage
    from rocketmq_lite.client.message_view import StoredMessage
    from rocketmq_lite.client.producer import Producer
    from rocketmq_lite.client.puller import Puller, PullerStatistics
    from rocketmq_lite.client.reader import QueueStatistics
    from rocketmq_lite.client.tally import ProducerStatistics
    from rocketmq_lite.client.unentered import UnacknowledgedWarning
    from rocketmq_lite.embedded import Cluster
    from rocketmq_lite.errors import (
        BrokerError,
        ClientClosed,
        ConfigError,
        ConnectError,
        ConnectionLost,
        GroupNotFound,
        LocalProtocolError,
        MessageNotFound,
        NoNameServer,
        NotAllSent,
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
    from rocketmq_lite.model import Message, MessageQueue, SendReceipt, SendStatus, Tags, Where

    __version__: str

__all__ = [
    "Admin",
    "AllocateAveragely",
    "AllocateAveragelyByCircle",
    "AllocateByConfig",
    "AllocateByConsistentHash",
    "AllocateByMachineRoom",
    "AllocateByRendezvous",
    "AllocateNearby",
    "AllocationStrategy",
    "BrokerError",
    "BrokerReport",
    "Client",
    "ClientClosed",
    "ClientStatistics",
    "Cluster",
    "ConfigError",
    "ConnectError",
    "ConnectionLost",
    "Consumer",
    "ConsumerEvent",
    "ConsumerStatistics",
    "DeadLetter",
    "DeadLetterCount",
    "DirectConsumption",
    "GroupClient",
    "GroupClients",
    "GroupLag",
    "GroupNotFound",
    "GroupProblem",
    "GroupSummary",
    "KeptDeadLetter",
    "LocalProtocolError",
    "LockTimings",
    "Message",
    "MessageNotFound",
    "MessageQueue",
    "NoNameServer",
    "NotAllSent",
    "NotDurable",
    "OffsetMoved",
    "PortInUse",
    "PositionChange",
    "Problem",
    "Producer",
    "ProducerStatistics",
    "ProtocolError",
    "PulledStatistics",
    "Puller",
    "PullerStatistics",
    "QueueGained",
    "QueueLag",
    "QueueLost",
    "QueueStatistics",
    "ReceivedMessage",
    "RemoteProtocolError",
    "RequestTimeout",
    "Resent",
    "RetryLater",
    "RocketMQError",
    "SendReceipt",
    "SendStatus",
    "StoreDamaged",
    "StoreError",
    "StoreLocked",
    "StoredMessage",
    "Tags",
    "TopicNotFound",
    "UnacknowledgedWarning",
    "Where",
    "__version__",
    "connect",
    "embedded",
]

_HOMES: Final = {
    "Admin": ".client.admin",
    "AllocateAveragely": ".client.engine.strategies",
    "AllocateAveragelyByCircle": ".client.engine.strategies",
    "AllocateByConfig": ".client.engine.strategies",
    "AllocateByConsistentHash": ".client.engine.hashed_strategies",
    "AllocateByMachineRoom": ".client.engine.strategies",
    "AllocateByRendezvous": ".client.engine.hashed_strategies",
    "AllocateNearby": ".client.engine.strategies",
    "AllocationStrategy": ".client.engine.balance",
    "BrokerError": ".errors",
    "BrokerReport": ".client.administration.brokers",
    "Client": ".client.client",
    "ClientClosed": ".errors",
    "ClientStatistics": ".client.client",
    "Cluster": ".embedded",
    "ConfigError": ".errors",
    "ConnectError": ".errors",
    "ConnectionLost": ".errors",
    "Consumer": ".client.consumer",
    "ConsumerEvent": ".client.engine.events",
    "ConsumerStatistics": ".client.consumer",
    "DeadLetter": ".client.engine.giving_back",
    "DeadLetterCount": ".client.administration.dead_letters",
    "DirectConsumption": ".client.administration.direct",
    "GroupClient": ".client.administration.group_reports",
    "GroupClients": ".client.administration.group_reports",
    "GroupLag": ".client.administration.group_reports",
    "GroupNotFound": ".errors",
    "GroupProblem": ".client.engine.events",
    "GroupSummary": ".client.administration.group_reports",
    "KeptDeadLetter": ".client.administration.dead_letters",
    "LocalProtocolError": ".errors",
    "Message": ".model",
    "MessageNotFound": ".errors",
    "LockTimings": ".client.engine.queue_locks",
    "MessageQueue": ".model",
    "NoNameServer": ".errors",
    "NotAllSent": ".errors",
    "NotDurable": ".errors",
    "OffsetMoved": ".client.engine.events",
    "PortInUse": ".errors",
    "PositionChange": ".client.administration.positions",
    "Problem": ".client.engine.diagnosis",
    "Producer": ".client.producer",
    "ProducerStatistics": ".client.tally",
    "ProtocolError": ".errors",
    "QueueGained": ".client.engine.events",
    "PulledStatistics": ".client.fetcher",
    "Puller": ".client.puller",
    "PullerStatistics": ".client.puller",
    "QueueLag": ".client.administration.group_reports",
    "QueueLost": ".client.engine.events",
    "QueueStatistics": ".client.reader",
    "ReceivedMessage": ".client.message",
    "RemoteProtocolError": ".errors",
    "RequestTimeout": ".errors",
    "Resent": ".client.administration.resending",
    "RetryLater": ".client.engine.giving_back",
    "RocketMQError": ".errors",
    "SendReceipt": ".model",
    "SendStatus": ".model",
    "StoreDamaged": ".errors",
    "StoreError": ".errors",
    "StoreLocked": ".errors",
    "StoredMessage": ".client.message_view",
    "Tags": ".model",
    "TopicNotFound": ".errors",
    "UnacknowledgedWarning": ".client.unentered",
    "Where": ".model",
    "__version__": ".protocol.framing",
    "connect": ".client.connect",
}


def __getattr__(name: str) -> object:
    """Import a public name on its first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
