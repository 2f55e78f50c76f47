"""Keeps the route table true: asks name servers again every 30 seconds, and sooner where something went wrong.

Everything that talks to a name server goes through :meth:`Routing.ask`, which leaves a name server that
does not answer for the next one. A name server that answers with an error is not left: the next would say
the same.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, TypeVar

import trio

from rocketmq_lite.client.engine.routes import (
    REFRESH_INCOMPLETE_FOR,
    REFRESH_INCOMPLETE_INTERVAL,
    REFRESH_INTERVAL,
    RouteTable,
    compile_route,
    template_route,
)
from rocketmq_lite.errors import (
    BrokerError,
    ConnectError,
    ConnectionLost,
    NoNameServer,
    RemoteProtocolError,
    RequestTimeout,
    RocketMQError,
    TopicNotFound,
)
from rocketmq_lite.protocol.codes import ResponseCode
from rocketmq_lite.protocol.reserved import TEMPLATE_TOPIC

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rocketmq_lite.client.engine.name_servers import NameServers
    from rocketmq_lite.client.engine.routes import TopicRoute
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.protocol.bodies import TopicRouteData

__all__ = ["UNREACHABLE", "Routing"]

_log = logging.getLogger(__name__)

T = TypeVar("T")

UNREACHABLE = (ConnectError, ConnectionLost, RequestTimeout, RemoteProtocolError)
"""Errors after which another server may be asked: this one did not answer, or not sensibly."""

_STALE_GAP = 0.1
"""Seconds between two refreshes of routes that failed; a busy producer reports each failed send."""


class Routing:
    """The routes of one client and the tasks that keep them.

    Args:
        remote: The calls.
        name_servers: Which name server to ask.
    """

    def __init__(self, remote: Remote, name_servers: NameServers) -> None:
        self.table = RouteTable()
        self._remote = remote
        self._name_servers = name_servers
        self._lookup = trio.Lock()
        self._wake = trio.Event()
        self._next_look = math.inf
        self._look_until = -math.inf
        self._trouble = ""
        self._listeners: list[Callable[[], None]] = []

    @property
    def name_server(self) -> str:
        """The name server in use."""
        return self._name_servers.chosen

    @property
    def name_servers(self) -> tuple[str, ...]:
        """All configured name servers."""
        return self._name_servers.addresses

    def master(self, broker_name: str) -> str:
        """Address of a broker's master.

        Raises:
            ConnectError: None is known.
        """
        address = self.table.master(broker_name)
        if address is None:
            raise ConnectError(f"no master of broker {broker_name} is known")
        return address

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called, without waiting, whenever a route changes."""
        self._listeners.append(listener)

    def unsubscribe(self, listener: Callable[[], None]) -> None:
        """Undo :meth:`subscribe`."""
        self._listeners.remove(listener)

    async def check(self) -> None:
        """Make sure that a name server is there.

        Raises:
            NoNameServer: None answers, or what answers is no name server.
        """
        try:
            await self.look_up(TEMPLATE_TOPIC)
        except TopicNotFound:
            return  # brokers that create no topics on demand do not register it; an answer is an answer
        except BrokerError as error:
            if error.code != ResponseCode.REQUEST_CODE_NOT_SUPPORTED:
                raise
            raise NoNameServer(
                f"{self.name_server} is not a name server: it knows no routes",
                hint="the address of a broker was given? name servers listen on 9876 by default",
            ) from error

    async def ask(self, call: Callable[[str], Awaitable[T]]) -> T:
        """Make a call to the chosen name server, and to the others in turn as long as none answers.

        Raises:
            NoNameServer: None of them answered.
            BrokerError: One answered with an error.
        """
        failures: list[RocketMQError] = []
        address = self._name_servers.chosen
        for _ in self._name_servers.addresses:
            try:
                return await call(address)
            except UNREACHABLE as error:
                failures.append(error)
                address = self._name_servers.failed(address)
        raise NoNameServer(
            f"no name server answers ({'; '.join(failure.message for failure in failures)})",
            hint="start one with 'rmq up', or check the address",
        ) from failures[-1]

    async def look_up(self, topic: str) -> TopicRouteData:
        """What the name server says now about a topic; nothing is remembered.

        Raises:
            TopicNotFound: It does not know the topic.
            NoNameServer: None answers.
        """
        return await self.ask(lambda address: self._remote.route(address, topic))

    async def ensure(self, topic: str, *, create: bool = False) -> TopicRoute:
        """The route of a topic, asked for when it is not known yet.

        Args:
            topic: Which one.
            create: Fall back to the template topic, so that the first message creates the topic.

        Raises:
            TopicNotFound: No name server knows the topic.
            NoNameServer: None answers.
        """
        if (known := self.table.get(topic)) is not None and (create or not known.from_template):
            return known
        # One question at a time: of many tasks that begin to send to one topic, the first asks.
        async with self._lookup:
            if (known := self.table.get(topic)) is not None and (create or not known.from_template):
                return known
            try:
                return await self._look_up(topic)
            except TopicNotFound:
                if not create:
                    raise
            return await self._look_up_template(topic)

    async def follow(self, topic: str) -> None:
        """Keep the route of a topic from now on, whether or not the topic exists yet."""
        self.table.expect(topic)
        await self._refresh_all((topic,))

    async def refresh(self, topic: str) -> TopicRoute | None:
        """Ask for a route now; the known one stays when there is no answer.

        Raises:
            NoNameServer: None answers.
        """
        try:
            return await self._look_up(topic)
        except TopicNotFound:
            return self.table.get(topic)

    def mark_stale(self, topic: str) -> None:
        """Have a route refreshed in the background, now: a call showed that it is wrong."""
        self.table.mark_stale(topic)
        self._wake.set()

    async def run(self) -> None:
        """Refresh routes when they are due, until cancelled."""
        next_round = trio.current_time() + REFRESH_INTERVAL
        while True:
            with trio.move_on_at(min(next_round, self._next_look)):
                await self._wake.wait()
            self._wake = trio.Event()
            now = trio.current_time()
            topics = self.table.plan_refresh(all_topics=now >= next_round)
            if now >= next_round:
                next_round = now + REFRESH_INTERVAL
            if now >= self._next_look:
                topics = tuple(dict.fromkeys((*topics, *self.table.incomplete)))
                self._plan_look(now)
            await self._refresh_all(topics)
            await trio.sleep(_STALE_GAP)

    def _plan_look(self, now: float) -> None:
        """Decide when to look at routes that have lost brokers."""
        wanted = self.table.incomplete and now < self._look_until
        self._next_look = now + REFRESH_INCOMPLETE_INTERVAL if wanted else math.inf

    async def _refresh_all(self, topics: tuple[str, ...]) -> None:
        trouble = ""
        for topic in topics:
            try:
                await self.refresh(topic)
            except NoNameServer as error:
                trouble = f"routes were not refreshed: {error}"
                break  # the other topics would wait for the same silence
            except RocketMQError as error:
                trouble = f"the route of topic {topic} was not refreshed: {error}"
        if trouble and trouble != self._trouble:
            _log.warning("%s", trouble)
        if topics:
            self._trouble = trouble

    async def _look_up(self, topic: str) -> TopicRoute:
        data = await self.look_up(topic)
        return self._learn(compile_route(topic, data))

    async def _look_up_template(self, topic: str) -> TopicRoute:
        try:
            data = await self.look_up(TEMPLATE_TOPIC)
        except TopicNotFound as error:
            raise TopicNotFound(
                ResponseCode.TOPIC_NOT_EXIST,
                f"topic {topic} does not exist and no broker creates topics on demand",
                hint=f"create it with 'rmq topic create {topic}', or start a broker",
            ) from error
        return self._learn(template_route(topic, data))

    def _learn(self, route: TopicRoute) -> TopicRoute:
        if self.table.learn(route):
            if self.table.incomplete:
                self._look_until = trio.current_time() + REFRESH_INCOMPLETE_FOR
                self._plan_look(trio.current_time())
                self._wake.set()
            for listener in tuple(self._listeners):
                listener()
        return self.table.get(route.topic) or route
