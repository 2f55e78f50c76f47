"""What a puller was asked to do, and what brokers are told of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rocketmq_lite.client.consumer_settings import ConsumerSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.client.engine.subscription import Subscription
    from rocketmq_lite.protocol.bodies import ConsumerData

__all__ = ["PullerSettings"]


@dataclass(frozen=True, slots=True)
class PullerSettings(ConsumerSettings):
    """As of a consumer, but that nothing comes back through ``%RETRY%``.

    Attributes:
        auto_commit: Whether what is done is committed by itself.
    """

    auto_commit: bool = True

    @property
    def subscriptions(self) -> Mapping[str, Subscription]:
        """All that a heartbeat tells."""
        return self.topics

    @property
    def membership(self) -> ConsumerData:
        """The group as a heartbeat tells it."""
        # In full: with slots, the class that a bare super() would look for is not this one.
        consumer = super(PullerSettings, self).membership
        return replace(consumer, consume_type="CONSUME_ACTIVELY")
