"""Whether the address that routes tell leads to this very broker: asked once, when it starts.

A wrong address is the most common reason why clients find a broker's route and cannot send. It is found here, by the
broker itself, and said loudly; it is no reason not to start, since an address may work from outside only.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from rocketmq_lite.errors import RocketMQError
from rocketmq_lite.protocol.bodies import KVTable
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.properties_text import load_properties

if TYPE_CHECKING:
    from rocketmq_lite.transport.rpc import Pool

_log: Final = logging.getLogger(__name__)

CHECK_TIMEOUT: Final = 3.0


async def check(pool: Pool, address: str, *, name: str, started_ms: int) -> None:
    """Ask whoever answers at our advertised address who it is, and warn when it is not this broker.

    Args:
        pool: Where connections come from.
        address: The advertised one.
        name: Our name.
        started_ms: When we started; another broker of that name started at another time.
    """
    try:
        problem = await _problem(pool, address, name=name, started_ms=started_ms)
    except RocketMQError as error:
        problem = error.message
    finally:
        pool.close(address)
    if problem is not None:
        _log.warning(
            "clients are sent to %s, which does not lead to this broker\n"
            "  why: %s\n"
            "  try: --advertise HOST[:PORT] with the address under which clients reach it, or open the way there;"
            " if the address works from outside only (NAT), all is well",
            address,
            problem,
        )


async def _problem(pool: Pool, address: str, *, name: str, started_ms: int) -> str | None:
    settings = load_properties((await _ask(pool, address, RequestCode.GET_BROKER_CONFIG)).body)
    figures = KVTable.decode((await _ask(pool, address, RequestCode.GET_BROKER_RUNTIME_INFO)).body).table
    if settings.get("brokerName") != name:
        return f"another broker answers there, {settings.get('brokerName') or 'without a name'}"
    if figures.get("bootTimestamp") != str(started_ms):
        return f"another broker of the name {name} answers there"
    return None


async def _ask(pool: Pool, address: str, code: RequestCode) -> Command:
    answer = await pool.call(address, Command(code), timeout=CHECK_TIMEOUT)
    if answer.code != ResponseCode.SUCCESS:
        raise RocketMQError(f"what answers there is no broker (code {answer.code} to {code.name})")
    return answer
