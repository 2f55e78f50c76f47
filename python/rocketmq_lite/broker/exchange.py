"""Controls for the engine, and what comes back from it.

Rules:
- Controls are applied in the order they were given; a table update given before an answer is in force when the answer
  leaves.
- ``run`` has to be running for any ``async`` method to return.
- When the engine dies, ``run`` raises and the broker is over: nobody goes on with half a broker.

Surprise: tokens come in two kinds that never meet. Ours number what we asked the engine; the engine's number the requests
it has parked for us.
"""

from __future__ import annotations

import itertools
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite._native import Control
from rocketmq_lite.broker.events import (
    Caller,
    ColdEvent,
    ColdRequest,
    ConnectionClosed,
    MissingGroup,
    MissingTopic,
)
from rocketmq_lite.errors import ConnectionLost, RequestTimeout, StoreError
from rocketmq_lite.protocol.framing import to_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rocketmq_lite._native import Cold
    from rocketmq_lite.protocol.command import Command

    Deliver = Callable[[ColdEvent], None]

__all__ = ["BATCH", "EngineExchange"]

_log: Final = logging.getLogger(__name__)
_LEVELS: Final = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

BATCH: Final = 256  # cold events taken at a time: a crossing costs as much as handling a few of them


class EngineExchange(ABC):
    """What an owner of the engine has to provide, and the waiting for answers that is made of it."""

    def __init__(self) -> None:
        self._tokens = itertools.count(1)
        self._answers: dict[int, _Answer] = {}
        self._replies: dict[int, _Reply] = {}

    # --- what an owner has to provide

    @abstractmethod
    def submit(self, control: Control, token: int = 0) -> None:
        """Give the engine a control; with a token other than 0 its result comes back under it."""

    @abstractmethod
    async def listen(self) -> None:
        """Accept connections from now on.

        Raises:
            PortInUse: Somebody else has the port.
        """

    @abstractmethod
    async def run(self, deliver: Deliver) -> None:
        """Pass cold events on, in order, until cancelled.

        Raises:
            StoreError: The engine has died.
        """

    # --- asking

    async def ask(self, control: Control) -> object:
        """Give the engine a control and wait for its result.

        Raises:
            StoreError: The engine could not do it.
        """
        token = next(self._tokens)
        answer = self._answers[token] = _Answer()
        try:
            self.submit(control, token)
            await answer.arrived.wait()
        finally:
            del self._answers[token]
        if answer.problem is not None:
            raise StoreError(answer.problem)
        return answer.value

    # --- clients

    def push(self, conn: int, request: Command) -> None:
        """Send a one-way request to a client; one that has gone does not get it."""
        self.submit(_push(conn, request, oneway=True))

    async def call(self, conn: int, request: Command, *, timeout: float) -> Command:
        """Send a request to a client and wait for its answer.

        Args:
            conn: Whom to.
            request: Its opaque is the engine's to choose.
            timeout: Seconds to wait.

        Raises:
            ConnectionLost: The client has gone.
            RequestTimeout: It does not answer.
        """
        token = next(self._tokens)
        delivered = self._answers[token] = _Answer()
        reply = self._replies[token] = _Reply()
        try:
            self.submit(_push(conn, request, oneway=False), token)
            await delivered.arrived.wait()
            if not delivered.value:
                raise ConnectionLost("the client has closed its connection")
            with trio.move_on_after(timeout):
                await reply.arrived.wait()
        finally:
            del self._answers[token], self._replies[token]
        if reply.command is None:
            raise RequestTimeout(f"the client did not answer within {timeout:g} s")
        return reply.command

    def close_connection(self, conn: int) -> None:
        """Close a client's connection."""
        self.submit(Control.close_connection(conn))

    # --- for owners

    def _take_in(self, batch: Iterable[Cold], deliver: Deliver) -> None:
        for cold in batch:
            event = self._sort(cold)
            if event is not None:
                deliver(event)

    def _sort(self, cold: Cold) -> ColdEvent | None:
        """What Python has to decide, after the engine's own messages were seen to."""
        match cold.kind:
            case "command":
                assert cold.command is not None  # noqa: S101 - the extension's promise
                command = to_command(cold.command)
                if not command.is_response:
                    return ColdRequest(Caller(cold.conn, cold.peer), cold.token, command)
                self._replied(cold.token, command)
            case "missing_topic":
                return MissingTopic(cold.name, cold.default_topic, cold.queue_nums, cold.unit)
            case "missing_group":
                return MissingGroup(cold.name)
            case "closed":
                return ConnectionClosed(cold.conn)
            case "done":
                self._done(cold)
            case "log":
                _log.log(_LEVELS.get(cold.level, logging.INFO), "%s", cold.text)
            case "failed":
                raise StoreError(
                    f"the message engine has died: {cold.text}", hint="restart the broker; please report this"
                )
        return None

    def _done(self, cold: Cold) -> None:
        answer = self._answers.get(cold.token)
        if answer is not None:  # else: its asker was cancelled
            answer.value = cold.value
            answer.problem = cold.text or None
            answer.arrived.set()

    def _replied(self, token: int, command: Command) -> None:
        reply = self._replies.get(token)
        if reply is not None:  # else: too late
            reply.command = command
            reply.arrived.set()


class _Answer:
    """A place for the result of a control."""

    def __init__(self) -> None:
        self.arrived = trio.Event()
        self.value: object = None
        self.problem: str | None = None


class _Reply:
    """A place for a client's answer."""

    def __init__(self) -> None:
        self.arrived = trio.Event()
        self.command: Command | None = None


def _push(conn: int, request: Command, *, oneway: bool) -> Control:
    return Control.push(
        conn, code=request.code, fields=dict(request.fields), body=request.body, oneway=oneway
    )
