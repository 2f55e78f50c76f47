"""What the message engine tells Python: the few things that it does not decide itself.

The two owners of the engine (``plane`` and ``pump``) turn what the extension reports into these, so that everything
above them is the same for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from rocketmq_lite.protocol.command import Command

ONE_WAY: Final = 0
"""The token of a request that nobody waits for."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The connection a request came by.

    Attributes:
        conn: The engine's number of the connection; never used twice.
        address: The other end's ``host:port``.
    """

    conn: int
    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True)
class ColdRequest:
    """A request that the engine does not know. It is parked under its token until it is answered."""

    caller: Caller
    token: int
    command: Command


@dataclass(frozen=True, slots=True)
class MissingTopic:
    """Sends to a topic that is not in the engine's table wait for a retry or a refusal."""

    name: str
    default_topic: str
    queue_nums: int
    unit: bool


@dataclass(frozen=True, slots=True)
class MissingGroup:
    """Requests of a group that is not in the engine's table wait for a retry or a refusal."""

    name: str


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """A connection has gone; nothing more will come by it."""

    conn: int


ColdEvent = ColdRequest | MissingTopic | MissingGroup | ConnectionClosed
