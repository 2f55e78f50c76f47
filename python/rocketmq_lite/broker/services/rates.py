"""Samples the engine's counters and times, for what tools show of the last minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from rocketmq_lite.broker.engine.rates import SAMPLE_SECONDS

if TYPE_CHECKING:
    from rocketmq_lite.broker.engine.put_times import PutTimes
    from rocketmq_lite.broker.engine.rates import Rates
    from rocketmq_lite.broker.owner import EngineOwner
    from rocketmq_lite.clock import Clock


async def run(rates: Rates, put_times: PutTimes, owner: EngineOwner, clock: Clock) -> None:
    """Sample every ten seconds, until cancelled."""
    while True:
        rates.sample(clock.mono(), await owner.statistics())
        put_times.sample(clock.mono(), await owner.put_times())
        await trio.sleep(SAMPLE_SECONDS)
