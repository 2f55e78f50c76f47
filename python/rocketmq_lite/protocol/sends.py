"""The send request and its answer, made and read without a dictionary: this is done for every message.

The keys are those of :class:`~rocketmq_lite.protocol.headers.send.SendMessageRequestHeaderV2` and
:class:`~rocketmq_lite.protocol.headers.send.SendMessageResponseHeader`, taken from there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from rocketmq_lite.errors import LocalProtocolError
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.framing import FrameTemplate, SendAnswer, to_command
from rocketmq_lite.protocol.headers.send import SendMessageRequestHeaderV2, SendMessageResponseHeader

if TYPE_CHECKING:
    from rocketmq_lite.protocol.framing import RawCommand

__all__ = ["SendRequest", "SendTarget", "send_target"]

_VARYING: Final = SendMessageRequestHeaderV2.keys("queue_id", "sys_flag", "born_timestamp", "properties")
_ANSWERED: Final = SendMessageResponseHeader.keys("msg_id", "queue_id", "queue_offset")

_STORED: Final = frozenset(
    {
        ResponseCode.SUCCESS.value,
        ResponseCode.FLUSH_DISK_TIMEOUT.value,
        ResponseCode.SLAVE_NOT_AVAILABLE.value,
        ResponseCode.FLUSH_SLAVE_TIMEOUT.value,
    }
)


class SendTarget(NamedTuple):
    """What all sends of a group to one broker's part of a topic share."""

    code: RequestCode
    template: FrameTemplate


@lru_cache(maxsize=4096)
def send_target(
    group: str, topic: str, broker_name: str, default_topic: str, default_topic_queues: int, *, batch: bool
) -> SendTarget:
    """The part of a send's header that does not change; made once, as long as it is in use."""
    header = SendMessageRequestHeaderV2(
        producer_group=group,
        topic=topic,
        default_topic=default_topic,
        default_topic_queue_nums=default_topic_queues,
        queue_id=0,
        sys_flag=0,
        born_timestamp=0,
        flag=0,
        reconsume_times=0,
        unit_mode=False,
        batch=batch,
        broker_name=broker_name,
    )
    code = RequestCode.SEND_BATCH_MESSAGE if batch else RequestCode.SEND_MESSAGE_V2
    return SendTarget(code, FrameTemplate(Command(code, fields=header.to_fields()), _VARYING))


class SendRequest:
    """310: store a message; 320: a batch of them."""

    __slots__ = ("_body", "_target", "_values")

    def __init__(
        self,
        target: SendTarget,
        body: bytes,
        *,
        queue_id: int,
        sys_flag: int,
        born_timestamp: int,
        properties: str,
    ) -> None:
        self._target = target
        self._body = body
        self._values = (queue_id, sys_flag, born_timestamp, properties)

    @property
    def code(self) -> int:
        """The request's code."""
        return self._target.code

    def frame(self, opaque: int, flag: int) -> bytes:
        """The whole frame."""
        return self._target.template.frame(opaque, flag, self._values, self._body)

    def read(self, raw: RawCommand) -> SendAnswer | Command:
        """What a broker said that has stored it; of one that has not, its answer as it is.

        Raises:
            LocalProtocolError: It says that it has stored it, and not where.
        """
        if raw.code not in _STORED:
            return to_command(raw)
        try:
            return raw.send_answer(*_ANSWERED)
        except ValueError as error:
            raise LocalProtocolError(f"where the message is stored cannot be read: {error}") from error
