"""Samples the engine's counters, for the rates that tools show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from rocketmq_lite.broker.engine.rates import SAMPLE_SECONDS

if TYPE_CHECKING:
    from rocketmq_lite.broker.engine.rates import Rates
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.clock import Clock


async def run(rates: Rates, owner: EngineOwner, clock: Clock) -> None:
    """Sample every ten seconds, until cancelled."""
    while True:
        rates.sample(clock.mono(), await owner.statistics())
        await trio.sleep(SAMPLE_SECONDS)
