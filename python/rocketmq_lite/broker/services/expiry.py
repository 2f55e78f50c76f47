"""Ends what clients have fallen silent about: their connections, and the locks that they do not renew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from rocketmq_lite.broker.engine.locks import LockTable
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.broker.presence import Presence
    from rocketmq_lite.clock import Clock

SCAN_SECONDS: Final = 10.0  # Apache's ClientHousekeepingService


async def run(presence: Presence, locks: LockTable, owner: EngineOwner, clock: Clock) -> None:
    """Look every ten seconds, until cancelled."""
    while True:
        await trio.sleep(SCAN_SECONDS)
        presence.expire()
        for group in locks.expire(clock.mono()):
            owner.set_orderly(group, orderly=False)
