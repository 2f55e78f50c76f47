"""From a handler's result, or its failure, to the answer that the protocol asks for.

The generic answers are here and nowhere else: 1 when a handler raised, 3 for an unknown code, none at all
to a one-way request, whatever happened.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from rocketmq_lite.errors import BrokerError, RocketMQError
from rocketmq_lite.protocol.codes import ResponseCode, request_name
from rocketmq_lite.protocol.command import Command

__all__ = ["Handler", "not_supported", "respond", "table_handler"]

_log = logging.getLogger(__name__)

PeerT = TypeVar("PeerT")

Handler = Callable[[PeerT, Command], Awaitable[Command | None]]
"""Answers a request of a peer; ``None`` when there is no answer (or none yet: then it is the handler's)."""


def not_supported(request: Command) -> Command:
    """The answer to a code that nobody handles; the blank in front is Apache's."""
    return request.answer(
        ResponseCode.REQUEST_CODE_NOT_SUPPORTED, remark=f" request type {request.code} not supported"
    )


def table_handler(table: Mapping[int, Handler[PeerT]]) -> Handler[PeerT]:
    """One handler that looks the request's code up in a table."""

    async def handle(peer: PeerT, request: Command) -> Command | None:
        handler = table.get(request.code)
        return not_supported(request) if handler is None else await handler(peer, request)

    return handle


async def respond(handle: Handler[PeerT], peer: PeerT, request: Command) -> Command | None:
    """Run a handler; whatever it does, the result is what must be sent back, if anything."""
    try:
        answer = await handle(peer, request)
    except BrokerError as error:
        # A handler that refuses, with the code and the remark it means.
        answer = request.answer(error.code or ResponseCode.SYSTEM_ERROR, remark=error.remark)
    except RocketMQError as error:
        answer = request.answer(ResponseCode.SYSTEM_ERROR, remark=error.message)
    except Exception as error:  # noqa: BLE001 - a failing handler must not end its connection
        _log.exception("handling %s for %s failed", request_name(request.code), peer)
        answer = request.answer(ResponseCode.SYSTEM_ERROR, remark=f"{type(error).__name__}: {error}")
    return None if request.is_oneway else answer
