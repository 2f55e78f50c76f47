"""Who this client is: its id at the brokers and the ids of its messages.

The client id has Java's form ``<ip>@<pid>#<number>`` and is new for each client, so that two clients of one
process can be members of one consumer group. Message ids have Java's layout, because admin tools read the
time of sending out of them.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from datetime import datetime
from typing import TYPE_CHECKING

from rocketmq_lite.protocol.framing import UniqueKeys

if TYPE_CHECKING:
    from rocketmq_lite.clock import Clock

__all__ = ["Identity", "host_member", "month_start_ms", "own_address"]

# TEST-NET-1: never assigned, so the system answers by its default route. Nothing is sent.
_ELSEWHERE = ("192.0.2.1", 9)
_LOOPBACK = "127.0.0.1"
_DECEMBER = 12


def own_address() -> str:
    """The IPv4 address that this machine uses towards others; the loopback address without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
            address: str = probe.getsockname()[0]
        except OSError:
            return _LOOPBACK
    return address


def host_member() -> str:
    """This machine's name, written as groups are: what a broadcasting member is called unless it says otherwise."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", socket.gethostname()) or "localhost"


def month_start_ms(now_ms: int, *, following: bool = False) -> int:
    """The first millisecond of the local month that ``now_ms`` lies in, or of the following month."""
    start = datetime.fromtimestamp(now_ms / 1000).astimezone()
    start = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if following:
        wraps = start.month == _DECEMBER
        start = start.replace(year=start.year + wraps, month=1 if wraps else start.month + 1)
    # The offset of the first of the month may differ from today's: let the system find it.
    return int(start.replace(tzinfo=None).timestamp() * 1000)


class Identity:
    """One client's ids.

    Args:
        clock: Where the time in message ids comes from.
        address: This machine's IPv4 address.
        instance: What tells this client from others of this machine; made up when ``None``.
    """

    def __init__(self, clock: Clock, *, address: str, instance: str | None = None) -> None:
        self._clock = clock
        process_id = os.getpid()
        self.client_id = f"{address}@{instance or f'{process_id}#{secrets.randbits(48)}'}"
        now = clock.wall_ms()
        self._month_ends = month_start_ms(now, following=True)
        self._keys = UniqueKeys(
            socket.inet_aton(address), process_id & 0xFFFF, secrets.randbits(32), month_start_ms(now)
        )

    def next_message_id(self) -> str:
        """A message id that no other message has."""
        now = self._clock.wall_ms()
        if now >= self._month_ends:
            self._begin_month(now)
        return self._keys.next(now)

    def message_ids(self) -> tuple[UniqueKeys, int]:
        """What makes message ids, set to this month, and the time that ids made now carry."""
        now = self._clock.wall_ms()
        if now >= self._month_ends:
            self._begin_month(now)
        return self._keys, now

    def _begin_month(self, now: int) -> None:
        self._keys.start_month(month_start_ms(now))
        self._month_ends = month_start_ms(now, following=True)
