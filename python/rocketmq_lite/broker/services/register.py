"""Keeps every name server informed of this broker: one task and one lease each.

Rules:
- All name servers are told in parallel and none waits for another; they do not know each other.
- ``announce`` returns when the name servers that hold our lease have been told, or after three seconds: a name server
  that hangs must not stop producers from using a topic that exists.
- The connections are kept: a name server forgets a broker at once when its connection closes. When one does,
  we register again as soon as the name server is back.
- A name server that cannot be reached is reported once, not at each attempt.
- An answer may name the topics that have an order configuration; what to do about them is the broker's.
"""

from __future__ import annotations

import logging
import zlib
from typing import TYPE_CHECKING, Final

import trio

from rocketmq_lite.broker.engine.lease import Lease, LeaseState, Registration
from rocketmq_lite.errors import RocketMQError
from rocketmq_lite.protocol.bodies import KVTable
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.headers.route import RegisterBrokerRequestHeader, UnregisterBrokerRequestHeader
from rocketmq_lite.records import dataclass
from rocketmq_lite.transport.nursery import ProtectedNursery

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from rocketmq_lite.clock import Clock
    from rocketmq_lite.transport.rpc import Pool

_log: Final = logging.getLogger(__name__)

REGISTER_TIMEOUT: Final = 24.0  # Apache's registerBrokerTimeoutMills
ANNOUNCE_TIMEOUT: Final = 3.0  # what a client waits for the answer it gets afterwards
LEAVE_TIMEOUT: Final = 3.0
_CRC_MASK: Final = 0x7FFF_FFFF


@dataclass(frozen=True, slots=True)
class Identity:
    """How this broker appears in routes."""

    name: str
    cluster: str
    broker_id: int
    address: str
    ha_address: str


class Registrar:
    """Registers with all name servers, repeats it, and says good-bye.

    Args:
        servers: Addresses of the name servers; none is fine.
        picture: The registration body for some topics, or for all.
        mark_ordered: Given the topics that have an order configuration; runs beside the registrations.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        servers: tuple[str, ...],
        clock: Clock,
        interval: float,
        picture: Callable[[frozenset[str] | None], bytes],
        mark_ordered: Callable[[frozenset[str]], Awaitable[None]],
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._picture = picture
        self._mark_ordered = mark_ordered
        self._leases = {server: Lease(interval) for server in servers}
        self._changed = trio.lowlevel.ParkingLot()
        self._progress = trio.lowlevel.ParkingLot()
        self._problems: dict[str, str] = {}
        self._identity: Identity | None = None
        pool.subscribe_disconnects(self._disconnected)

    async def run(
        self, identity: Identity, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Register until cancelled. Started means that a name server knows us, if there is any."""
        self._identity = identity
        async with ProtectedNursery() as nursery:
            for server, lease in self._leases.items():
                nursery.start_soon(self._keep, server, lease, identity, nursery)
            while self._leases and not self._known_somewhere():
                await self._progress.park()
            task_status.started()

    async def announce(self, topics: frozenset[str] | None) -> None:
        """Tell the name servers that these topics are new or different, or (None) that some have gone."""
        numbers = {server: lease.changed(topics) for server, lease in self._leases.items() if not lease.ended}
        self._changed.unpark_all()
        with trio.move_on_after(ANNOUNCE_TIMEOUT):
            while any(self._leases[server].owes(number) for server, number in numbers.items()):
                await self._progress.park()

    async def leave(self) -> None:
        """Take this broker out of all routes. A name server that does not answer will notice by itself."""
        known = [server for server, lease in self._leases.items() if lease.known]
        for lease in self._leases.values():
            if not lease.ended:
                lease.left()
        self._changed.unpark_all()
        if self._identity is None:
            return
        with trio.move_on_after(LEAVE_TIMEOUT):
            async with ProtectedNursery() as nursery:
                for server in known:
                    nursery.start_soon(self._unregister, server, self._identity)

    def statistics(self) -> Mapping[str, LeaseState]:
        """Where we stand with each name server."""
        return {server: lease.state for server, lease in self._leases.items()}

    def _known_somewhere(self) -> bool:
        return any(lease.known for lease in self._leases.values())

    def _disconnected(self, server: str) -> None:
        lease = self._leases.get(server)
        if lease is not None and not lease.ended:
            lease.lost(self._clock.mono())
            self._changed.unpark_all()

    async def _keep(self, server: str, lease: Lease, identity: Identity, nursery: ProtectedNursery) -> None:
        while not lease.ended:
            plan = lease.plan_registration(self._clock.mono())
            if plan is None:
                with trio.move_on_at(lease.next_due()):
                    await self._changed.park()
                continue
            problem, ordered = await self._register(server, plan, identity)
            self._report(server, lease, plan, problem)
            if ordered:
                nursery.start_soon(self._mark_ordered, ordered)

    def _report(self, server: str, lease: Lease, plan: Registration, problem: str | None) -> None:
        """Record how a registration ended; one that ends after our good-bye does not count."""
        if lease.ended:
            return
        if problem is None:
            lease.registered(plan, self._clock.mono())
        else:
            lease.failed(plan, self._clock.mono())
        self._log_news(server, problem)
        self._progress.unpark_all()

    def _log_news(self, server: str, problem: str | None) -> None:
        before = self._problems.pop(server, None)
        if problem is not None:
            self._problems[server] = problem
        if problem is None and before is not None:
            _log.warning("registered with name server %s again", server)
        elif problem != before:
            _log.warning("registration with name server %s failed, trying again: %s", server, problem)

    async def _register(
        self, server: str, plan: Registration, identity: Identity
    ) -> tuple[str | None, frozenset[str]]:
        """Send a registration; why it did not work (or None), and the topics that have an order configuration."""
        body = self._picture(plan.topics)
        request = Command(
            code=RequestCode.REGISTER_BROKER,
            fields=RegisterBrokerRequestHeader(
                broker_name=identity.name,
                broker_addr=identity.address,
                cluster_name=identity.cluster,
                ha_server_addr=identity.ha_address,
                broker_id=identity.broker_id,
                enable_acting_master=False,
                body_crc32=zlib.crc32(body) & _CRC_MASK,
            ).to_fields(),
            body=body,
        )
        try:
            answer = await self._pool.call(server, request, timeout=REGISTER_TIMEOUT)
            ordered = KVTable.decode(answer.body).table if answer.body else {}
        except RocketMQError as error:
            return error.message, frozenset()
        if answer.code == ResponseCode.SUCCESS:
            return None, frozenset(ordered)
        return f"code {answer.code}, {answer.remark or 'no reason given'}", frozenset()

    async def _unregister(self, server: str, identity: Identity) -> None:
        request = Command(
            code=RequestCode.UNREGISTER_BROKER,
            fields=UnregisterBrokerRequestHeader(
                broker_name=identity.name,
                broker_addr=identity.address,
                cluster_name=identity.cluster,
                broker_id=identity.broker_id,
            ).to_fields(),
        )
        try:
            await self._pool.call(server, request, timeout=LEAVE_TIMEOUT)
        except RocketMQError as error:
            _log.info("name server %s was not told that we leave: %s", server, error.message)
