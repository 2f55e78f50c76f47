"""Brokers that lately did not answer: sends go around them as long as another broker is left.

Without this every n-th send of a producer would first wait for a broker that hangs. It is Java's latency fault
tolerance (there an option) without the latencies: a broker is either avoided or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["AVOID_SECONDS", "BrokerFaults"]

AVOID_SECONDS: Final = 10.0
"""How long a broker is avoided that did not answer (Java: a failed send counts as one of 10 s, which costs 10 s)."""


class BrokerFaults(dict[str, float]):
    """When each broker may be tried again that has not answered since it failed; mostly empty."""

    def failed(self, broker_name: str, now: float) -> None:
        """A broker did not answer."""
        self[broker_name] = now + AVOID_SECONDS

    def answered(self, broker_name: str) -> None:
        """A broker answered, whatever it said."""
        self.pop(broker_name, None)

    def around(self, broker_names: Iterable[str], last: str | None, now: float) -> frozenset[str]:
        """The brokers to avoid among those that have queues.

        Args:
            broker_names: All that could be chosen.
            last: The one that this very message has just failed on.
            now: The time.
        """
        if not self and last is None:
            return frozenset()
        names = frozenset(broker_names)
        just_failed = frozenset() if last is None else frozenset({last})
        faulty = frozenset(name for name in names if now < self.get(name, now)) | just_failed
        return faulty if names - faulty else just_failed
