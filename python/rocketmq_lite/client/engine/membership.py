"""Who has to be told about us: which brokers are due for a heartbeat.

A broker knows a producer or consumer only from heartbeats and forgets it after 120 seconds, or at once
when the connection closes. So a broker is due when it has never heard of us, when the set of our groups
changed since, when 30 seconds have passed, or when somebody noticed that it no longer knows us. One that
could not be told is left alone for a while.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["HEARTBEAT_INTERVAL", "Membership"]

HEARTBEAT_INTERVAL: Final = 30.0
"""Seconds between heartbeats to one broker (Java's ``heartbeatBrokerInterval``)."""
_RETRY_AFTER: Final = 3.0
"""Seconds before a broker that could not be told is tried again."""


class Membership:
    """The heartbeats that were sent, by broker address."""

    def __init__(self, interval: float = HEARTBEAT_INTERVAL) -> None:
        self._interval = interval
        self._version = 0
        self._sent: dict[str, tuple[int, float]] = {}
        self._told: set[str] = set()
        self._not_before: dict[str, float] = {}

    @property
    def version(self) -> int:
        """Grows with every change of the groups; note it when a heartbeat is made."""
        return self._version

    @property
    def known_at(self) -> tuple[str, ...]:
        """The brokers that may have us in their tables."""
        return tuple(sorted(self._told))

    def changed(self) -> None:
        """A group joined or left: every broker has to hear it."""
        self._version += 1

    def forgotten_by(self, address: str) -> None:
        """The connection to a broker broke, or it answered that it does not know us."""
        self._sent.pop(address, None)
        self._told.discard(address)

    def is_due(self, address: str, now: float) -> bool:
        """Whether ``address`` has not heard all of us, or not lately."""
        version, at = self._sent.get(address, (-1, now))
        return version != self._version or now >= at + self._interval

    def plan(self, addresses: Iterable[str], now: float) -> tuple[str, ...]:
        """The brokers among ``addresses`` to tell now; what is known about others is dropped."""
        listed = set(addresses)
        for table in (self._sent, self._not_before):
            for gone in table.keys() - listed:
                del table[gone]
        self._told &= listed
        return tuple(
            address
            for address in sorted(listed)
            if self.is_due(address, now) and now >= self._not_before.get(address, -math.inf)
        )

    def telling(self, address: str) -> None:
        """A heartbeat is about to go to ``address``; from now on it may know us, even if we never hear that it does."""
        self._told.add(address)

    def sent(self, address: str, version: int, now: float) -> None:
        """A heartbeat that was made at ``version`` arrived at ``address``."""
        self._sent[address] = (version, now)
        self._told.add(address)
        self._not_before.pop(address, None)

    def failed(self, address: str, now: float) -> None:
        """A heartbeat did not arrive."""
        self.forgotten_by(address)
        self._not_before[address] = now + _RETRY_AFTER

    def next_due(self, now: float) -> float:
        """When :meth:`plan` next has something to say, if nothing else happens."""
        regular = [at + self._interval for _, at in self._sent.values()]
        return min([*regular, *self._not_before.values()], default=now + self._interval)
