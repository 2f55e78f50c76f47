"""Where the engine's cold events go: one task a request, none of which holds up another.

Rules:
- Everything here runs beside the message engine; however slow a handler is, sends and pulls go on.
- Heartbeats and other short answers are not limited, nor is what only waits for a client. Requests that write files or
  wait for name servers share a limited number of slots, so that a flood of them costs memory, not open files and threads.
- Heartbeats and good-byes of one connection are handled in the order they came: a heartbeat that waits for a file must not
  bring back a member that has left meanwhile.
- A connection may close while requests of it are still being answered; what those did to the client table is undone
  when the last of them ends.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeVar

import trio

from rocketmq_lite.broker.events import (
    ONE_WAY,
    Caller,
    ColdEvent,
    ColdRequest,
    ConnectionClosed,
    MissingGroup,
    MissingTopic,
)
from rocketmq_lite.errors import RocketMQError
from rocketmq_lite.protocol.codes import RequestCode
from rocketmq_lite.records import dataclass
from rocketmq_lite.transport.dispatch import Handler, respond

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rocketmq_lite.broker.catalog import Catalog
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.broker.presence import Presence
    from rocketmq_lite.transport.nursery import ProtectedNursery

_log: Final = logging.getLogger(__name__)

EventT = TypeVar("EventT")

SLOW_SLOTS: Final = 64  # as many as one connection may have parked; each may wait for a disk or a name server
_UNLIMITED: Final = frozenset(
    {
        RequestCode.HEART_BEAT,
        RequestCode.UNREGISTER_CLIENT,
        RequestCode.GET_CONSUMER_LIST_BY_GROUP,
        RequestCode.LOCK_BATCH_MQ,
        RequestCode.UNLOCK_BATCH_MQ,
        RequestCode.GET_CONSUMER_RUNNING_INFO,
        RequestCode.CONSUME_MESSAGE_DIRECTLY,
        RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS,
    }
)


_IN_ORDER: Final = frozenset({RequestCode.HEART_BEAT, RequestCode.UNREGISTER_CLIENT})


@dataclass(frozen=True, slots=True)
class _Turn:
    """When a request may be handled, and how the next one of its connection learns that it was."""

    before: trio.Event | None
    done: trio.Event


class Router:
    """Starts what each event asks for in a nursery that its owner watches."""

    def __init__(
        self,
        nursery: ProtectedNursery,
        *,
        owner: EngineOwner,
        handle: Handler[Caller],
        catalog: Catalog,
        presence: Presence,
    ) -> None:
        self._nursery = nursery
        self._owner = owner
        self._handle = handle
        self._catalog = catalog
        self._presence = presence
        self._slots = trio.CapacityLimiter(SLOW_SLOTS)
        self._in_work: Counter[int] = Counter()
        self._gone: set[int] = set()
        self._last_turn: dict[int, trio.Event] = {}

    def deliver(self, event: ColdEvent) -> None:
        """Take one event; never waits."""
        match event:
            case ColdRequest():
                self._in_work[event.caller.conn] += 1
                self._nursery.start_soon(self._answer, event, self._turn(event))
            case ConnectionClosed(conn):
                self._presence.closed(conn)
                if self._in_work[conn]:
                    self._gone.add(conn)
                else:
                    del self._in_work[conn]
            case MissingTopic():
                self._nursery.start_soon(self._create, self._catalog.create_missing_topic, event)
            case MissingGroup():
                self._nursery.start_soon(self._create, self._catalog.create_missing_group, event)

    def _turn(self, request: ColdRequest) -> _Turn | None:
        if request.command.code not in _IN_ORDER:
            return None
        conn = request.caller.conn
        turn = _Turn(self._last_turn.get(conn), trio.Event())
        self._last_turn[conn] = turn.done
        return turn

    async def _answer(self, request: ColdRequest, turn: _Turn | None) -> None:
        conn = request.caller.conn
        try:
            if turn is not None and turn.before is not None:
                await turn.before.wait()
            if request.command.code in _UNLIMITED:
                answer = await respond(self._handle, request.caller, request.command)
            else:
                async with self._slots:
                    answer = await respond(self._handle, request.caller, request.command)
            if answer is not None and request.token != ONE_WAY:
                self._owner.respond(request.token, answer)
        finally:
            if turn is not None:
                turn.done.set()
            self._ended(conn)

    def _ended(self, conn: int) -> None:
        self._in_work[conn] -= 1
        if not self._in_work[conn]:
            del self._in_work[conn]
            self._last_turn.pop(conn, None)
            if conn in self._gone:
                self._gone.discard(conn)
                self._presence.closed(conn)

    async def _create(self, create: Callable[[EventT], Awaitable[None]], event: EventT) -> None:
        async with self._slots:
            try:
                await create(event)
            except RocketMQError as error:
                _log.error("%s was created but %s", event, error)
