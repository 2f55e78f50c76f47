"""Closes connections whose clients have fallen silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

if TYPE_CHECKING:
    from rocketmq_lite.broker.presence import Presence

SCAN_SECONDS: Final = 10.0  # Apache's ClientHousekeepingService


async def run(presence: Presence) -> None:
    """Look every ten seconds, until cancelled."""
    while True:
        await trio.sleep(SCAN_SECONDS)
        presence.expire()
