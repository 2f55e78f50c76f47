"""What a test judges: a running cluster, ours or Apache's, seen through its addresses alone."""

from __future__ import annotations

from dataclasses import dataclass

REQUEST_SECONDS = 10.0
"""What a request of ours may take: Apache's broker may need a second for its first answers."""


@dataclass(frozen=True, slots=True)
class Broker:
    """One running broker."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """A name server and the masters that registered with it."""

    kind: str
    namesrv: str
    name: str
    brokers: tuple[Broker, ...]

    @property
    def broker(self) -> Broker:
        """The only broker."""
        (only,) = self.brokers
        return only
