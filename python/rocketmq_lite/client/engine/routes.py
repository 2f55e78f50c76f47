"""Where topics live, as far as this client knows: queues to write, queues to read, broker addresses.

A route is asked for when a topic is first used, every 30 seconds after that, and at once when a call
showed that it is wrong. One that has lost brokers is asked for more often for a while: most of them are being
restarted, and nobody reads their queues meanwhile.

Until a new route comes the old one stays in use: a name server that knows nothing (it just started) must not
stop clients that know better.

The route of a topic that does not exist yet is copied from the template topic; the broker that gets the
first message creates the topic. Such a route is marked, so that it is replaced as soon as there is a real
one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rocketmq_lite.model import MessageQueue, Perm
from rocketmq_lite.protocol.framing import java_hash
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rocketmq_lite.protocol.bodies import TopicRouteData

__all__ = [
    "MASTER_ID",
    "REFRESH_INCOMPLETE_FOR",
    "REFRESH_INCOMPLETE_INTERVAL",
    "REFRESH_INTERVAL",
    "TEMPLATE_QUEUES",
    "RouteTable",
    "TopicRoute",
    "compile_route",
    "queue_for_key",
    "template_route",
]

MASTER_ID: Final = 0
REFRESH_INTERVAL: Final = 30.0
"""Seconds between two looks at the routes in use (Java's ``pollNameServerInterval``)."""
REFRESH_INCOMPLETE_INTERVAL: Final = 3.0
"""Seconds between two looks at a route that has lost brokers."""
REFRESH_INCOMPLETE_FOR: Final = 120.0
"""Seconds after which a broker that is missing counts as gone for good (a name server's patience with a silent one)."""
TEMPLATE_QUEUES: Final = 4
"""Queues asked for when a topic is created that way (Java's ``defaultTopicQueueNums``)."""


@dataclass(frozen=True, slots=True)
class TopicRoute:
    """One topic's route, ready to use.

    Attributes:
        data: What the name server said, with its lists sorted.
        writable: Queues to send to, by broker name and queue id.
        readable: Queues to read from.
        from_template: Whether the topic did not exist when this was made.
    """

    topic: str
    data: TopicRouteData
    writable: tuple[MessageQueue, ...]
    readable: tuple[MessageQueue, ...]
    from_template: bool = False

    @property
    def broker_names(self) -> frozenset[str]:
        """The brokers that have the topic."""
        return frozenset(broker.broker_name for broker in self.data.broker_datas)


def compile_route(topic: str, data: TopicRouteData, *, from_template: bool = False) -> TopicRoute:
    """Work out the queues of a route.

    A queue can be written when its broker group has a master and the topic's write bit is set there. An
    order configuration, where there is one, is the list of queues whatever the health of the brokers.
    """
    data = replace(
        data,
        broker_datas=tuple(sorted(data.broker_datas, key=lambda broker: broker.broker_name)),
        queue_datas=tuple(sorted(data.queue_datas, key=lambda queues: queues.broker_name)),
    )
    masters = {broker.broker_name for broker in data.broker_datas if MASTER_ID in broker.broker_addrs}
    writable = [
        MessageQueue(topic, queues.broker_name, queue_id)
        for queues in data.queue_datas
        if queues.perm & Perm.WRITE and queues.broker_name in masters
        for queue_id in range(queues.write_queue_nums)
    ]
    readable = [
        MessageQueue(topic, queues.broker_name, queue_id)
        for queues in data.queue_datas
        if queues.perm & Perm.READ
        for queue_id in range(queues.read_queue_nums)
    ]
    if data.order_topic_conf:
        writable = _ordered_queues(topic, data.order_topic_conf)
    return TopicRoute(topic, data, tuple(writable), tuple(readable), from_template)


def _ordered_queues(topic: str, configuration: str) -> list[MessageQueue]:
    queues: list[MessageQueue] = []
    for part in configuration.split(";"):
        broker_name, colon, count = part.strip().rpartition(":")
        if colon and count.isdecimal():
            queues += [MessageQueue(topic, broker_name, queue_id) for queue_id in range(int(count))]
    return queues


def template_route(topic: str, template: TopicRouteData, queues: int = TEMPLATE_QUEUES) -> TopicRoute:
    """The route to create ``topic`` by: the template's brokers, with at most ``queues`` queues each."""
    limited = tuple(
        replace(
            entry,
            read_queue_nums=min(queues, entry.read_queue_nums),
            write_queue_nums=min(queues, entry.read_queue_nums),
        )
        for entry in template.queue_datas
    )
    return compile_route(
        topic, replace(template, queue_datas=limited, order_topic_conf=None), from_template=True
    )


def queue_for_key(queues: Sequence[MessageQueue], order_key: str) -> MessageQueue:
    """The queue of an order key, the same that Java's ``SelectMessageQueueByHash`` picks for that text."""
    return queues[abs(java_hash(order_key)) % len(queues)]


class RouteTable:
    """The routes in use and the broker addresses that follow from them."""

    def __init__(self) -> None:
        self._routes: dict[str, TopicRoute] = {}
        self._brokers: dict[str, dict[int, str]] = {}
        self._stale: set[str] = set()
        self._expected: set[str] = set()
        self._lost: dict[str, frozenset[str]] = {}

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics in use."""
        return tuple(self._routes)

    @property
    def incomplete(self) -> tuple[str, ...]:
        """The topics whose routes have lost brokers that did not come back."""
        return tuple(self._lost)

    def expect(self, topic: str) -> None:
        """Have each round of refreshes ask for a topic that does not exist yet."""
        if topic not in self._routes:
            self._expected.add(topic)

    def get(self, topic: str) -> TopicRoute | None:
        """The route of a topic, or ``None`` when it was never asked for."""
        return self._routes.get(topic)

    def learn(self, route: TopicRoute) -> bool:
        """Take a route in; returns whether it changed anything.

        A route from the template never replaces one that a name server gave for the topic itself.
        """
        self._stale.discard(route.topic)
        self._expected.discard(route.topic)
        known = self._routes.get(route.topic)
        if known == route or (known is not None and route.from_template and not known.from_template):
            return False
        self._note_lost(known, route)
        # Last in the table: its addresses are newer than those in the routes of other topics.
        self._routes.pop(route.topic, None)
        self._routes[route.topic] = route
        self._rebuild_brokers()
        return True

    def forget(self, topic: str) -> None:
        """Drop a topic that was deleted or is not needed any more, so that it is not refreshed for ever."""
        self._stale.discard(topic)
        self._expected.discard(topic)
        self._lost.pop(topic, None)
        if self._routes.pop(topic, None) is not None:
            self._rebuild_brokers()

    def mark_stale(self, topic: str) -> None:
        """A call showed that the route is wrong: it is to be refreshed at once."""
        if topic in self._routes:
            self._stale.add(topic)

    def plan_refresh(self, *, all_topics: bool) -> tuple[str, ...]:
        """The topics to ask for now, those that do not exist yet only with all; the stale marks are taken off."""
        stale, self._stale = self._stale, set()
        if all_topics:
            return (*self._routes, *sorted(self._expected))
        return tuple(topic for topic in self._routes if topic in stale)

    def master(self, broker_name: str) -> str | None:
        """Address of a group's master."""
        return self._brokers.get(broker_name, {}).get(MASTER_ID)

    def reader(self, broker_name: str, preferred: int = MASTER_ID) -> str | None:
        """Address to read a group's queues from: the preferred broker id, else the lowest that is there."""
        addresses = self._brokers.get(broker_name, {})
        if preferred in addresses:
            return addresses[preferred]
        return addresses[min(addresses)] if addresses else None

    def brokers_of(self, topic: str) -> tuple[str, ...]:
        """One address of each broker group that has a topic, the masters' first."""
        route = self._routes.get(topic)
        groups = [] if route is None else [broker.broker_addrs for broker in route.data.broker_datas]
        masters = [group[MASTER_ID] for group in groups if MASTER_ID in group]
        return (*masters, *(group[min(group)] for group in groups if group and MASTER_ID not in group))

    def addresses(self, *, slaves: bool) -> tuple[str, ...]:
        """All broker addresses in use, sorted; only masters unless ``slaves``."""
        return tuple(
            sorted(
                {
                    address
                    for group in self._brokers.values()
                    for broker_id, address in group.items()
                    if slaves or broker_id == MASTER_ID
                }
            )
        )

    def _note_lost(self, known: TopicRoute | None, route: TopicRoute) -> None:
        lost = self._lost.pop(route.topic, frozenset())
        if known is not None and not known.from_template:
            lost |= known.broker_names
        if lost := lost - route.broker_names:
            self._lost[route.topic] = lost

    def _rebuild_brokers(self) -> None:
        self._brokers = {
            broker.broker_name: dict(broker.broker_addrs)
            for route in self._routes.values()
            for broker in route.data.broker_datas
        }
