"""Which name server is asked: one is chosen, kept while it works, and left for the next when it fails.

Name servers do not know each other, so two of them can differ for up to 30 seconds; keeping one gives a
client a steady view. Where to start is the caller's choice (chance is an argument).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NameServers"]


class NameServers:
    """The configured addresses and the one in use.

    Args:
        addresses: All name servers, at least one.
        start: Index of the first choice, taken modulo their number.
    """

    def __init__(self, addresses: Sequence[str], start: int) -> None:
        if not addresses:
            raise ConfigError("no name server address is given")
        self._addresses = tuple(addresses)
        self._index = start % len(self._addresses)

    @property
    def addresses(self) -> tuple[str, ...]:
        """All of them, as configured."""
        return self._addresses

    @property
    def chosen(self) -> str:
        """The one to ask."""
        return self._addresses[self._index]

    def failed(self, address: str) -> str:
        """Record that ``address`` did not answer; return the one to ask now.

        A report about an address that has been left already changes nothing: many calls can fail on
        one name server at the same time, and must not make us skip the healthy one behind it.
        """
        if address == self.chosen:
            self._index = (self._index + 1) % len(self._addresses)
        return self.chosen
