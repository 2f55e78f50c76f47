"""The pull request and its answer, made and read without a dictionary, and the messages without a copy.

The keys are those of :class:`~rocketmq_lite.protocol.headers.pull.PullMessageRequestHeader` and
:class:`~rocketmq_lite.protocol.headers.pull.PullMessageResponseHeader`, taken from there.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.framing import FrameTemplate, MessageBatch, messages_of, to_command
from rocketmq_lite.protocol.headers.pull import (
    PullMessageRequestHeader,
    PullMessageResponseHeader,
    PullSysFlag,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rocketmq_lite.protocol.framing import RawCommand

__all__ = ["PULL_HOLD_MS", "PullAnswer", "PullRequest", "PullStatus", "PullTarget", "pull_target"]

PULL_HOLD_MS: Final = 15_000
"""How long a broker may hold a pull of an empty queue (Java's ``BROKER_SUSPEND_MAX_TIME_MILLIS``)."""
_PULL_BYTES: Final = 262_144
"""Bytes of messages asked for at a time (Java)."""

_VARYING: Final = PullMessageRequestHeader.keys("queue_offset", "max_msg_nums", "sys_flag", "commit_offset")
_ANSWERED: Final = PullMessageResponseHeader.keys(
    "next_begin_offset", "max_offset", "suggest_which_broker_id"
)
_NOTHING: Final = MessageBatch(b"")


class PullStatus(Enum):
    """What the answer to a pull says."""

    FOUND = "found"
    NOTHING = "nothing"
    """No message there, or none that matches."""
    OFFSET_MOVED = "offset moved"
    """The broker does not have that offset; the answer says where to go on."""


_STATUS: Final[dict[int, PullStatus]] = {
    ResponseCode.SUCCESS: PullStatus.FOUND,
    ResponseCode.PULL_NOT_FOUND: PullStatus.NOTHING,
    ResponseCode.PULL_RETRY_IMMEDIATELY: PullStatus.NOTHING,
    ResponseCode.PULL_OFFSET_MOVED: PullStatus.OFFSET_MOVED,
}


class PullAnswer(NamedTuple):
    """The answer to a pull that was not refused.

    Attributes:
        next_offset: Where the next pull reads.
        max_offset: The end of the queue.
        suggested_broker_id: Which member of the replica group to ask next.
    """

    status: PullStatus
    next_offset: int
    max_offset: int
    suggested_broker_id: int
    messages: MessageBatch


class PullTarget(NamedTuple):
    """What all pulls of a group from one queue share.

    Attributes:
        flags: Those of a pull that carries no position.
        committing: Those of one that does.
    """

    code: RequestCode
    flags: int
    committing: int
    template: FrameTemplate


@lru_cache(maxsize=4096)
def pull_target(
    group: str,
    topic: str,
    broker_name: str,
    queue_id: int,
    *,
    sub_version: int,
    subscription: str | None,
    expression_type: str,
) -> PullTarget:
    """The part of a pull's header that does not change; made once, as long as it is in use.

    Without a ``subscription`` it is 11, for the messages that the broker knows from heartbeats to be wanted; else 361.
    """
    code, flags = RequestCode.PULL_MESSAGE, PullSysFlag.SUSPEND
    if subscription is not None:
        code, flags = (
            RequestCode.LITE_PULL_MESSAGE,
            flags | PullSysFlag.SUBSCRIPTION | PullSysFlag.LITE_PULL,
        )
    header = PullMessageRequestHeader(
        consumer_group=group,
        topic=topic,
        queue_id=queue_id,
        queue_offset=0,
        max_msg_nums=0,
        sys_flag=0,
        commit_offset=0,
        suspend_timeout_millis=PULL_HOLD_MS,
        subscription=subscription,
        sub_version=sub_version,
        expression_type=expression_type,
        max_msg_bytes=_PULL_BYTES,
        broker_name=broker_name,
    )
    return PullTarget(
        code,
        flags=int(flags),
        committing=int(flags | PullSysFlag.COMMIT_OFFSET),
        template=FrameTemplate(Command(code, fields=header.to_fields()), _VARYING),
    )


class PullRequest:
    """11 or 361: messages from an offset on, held by the broker while there are none.

    Args:
        target: Whose, and of which queue.
        offset: Where to read.
        count: At most so many.
        commit_offset: The group's position, stored along the way unless it is ``None`` or 0.
        take: Takes the answer as soon as it has come, unless the broker refused; must not wait.
    """

    __slots__ = ("_answer", "_take", "_target", "_values")

    def __init__(
        self,
        target: PullTarget,
        *,
        offset: int,
        count: int,
        commit_offset: int | None,
        take: Callable[[PullAnswer], None] | None = None,
    ) -> None:
        flags = target.committing if commit_offset else target.flags
        self._target = target
        self._values = (offset, count, flags, commit_offset or 0)
        self._take = take
        self._answer: PullAnswer | None = None

    @property
    def code(self) -> int:
        """The request's code."""
        return self._target.code

    def frame(self, opaque: int, flag: int) -> bytes:
        """The whole frame."""
        return self._target.template.frame(opaque, flag, self._values)

    def arrived(self, raw: RawCommand) -> None:
        """Have the answer taken; of one that makes no sense :meth:`read` tells."""
        if self._take is None or raw.code not in _STATUS:
            return
        try:
            self._answer = self._read(raw, _STATUS[raw.code])
        except LocalProtocolError:
            return
        self._take(self._answer)

    def read(self, raw: RawCommand) -> PullAnswer | Command:
        """What was found; of a broker that refused, its answer as it is.

        Raises:
            LocalProtocolError: It makes no sense.
        """
        if self._answer is not None:
            return self._answer
        status = _STATUS.get(raw.code)
        if status is None:
            return to_command(raw)
        return self._read(raw, status)

    def _read(self, raw: RawCommand, status: PullStatus) -> PullAnswer:
        try:
            next_offset, max_offset, suggested = raw.numbers(_ANSWERED)
        except ValueError as error:
            raise LocalProtocolError(f"where to go on cannot be read: {error}") from error
        messages = messages_of(raw) if status is PullStatus.FOUND else _NOTHING
        return PullAnswer(status, next_offset, max_offset, suggested, messages)
