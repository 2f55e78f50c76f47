"""Asking a server: what a refusal and an answer without sense become.

An error code becomes a :exc:`~rocketmq_lite.errors.BrokerError` (17 a :exc:`~rocketmq_lite.errors.TopicNotFound`, 26 a
:exc:`~rocketmq_lite.errors.GroupNotFound`); an answer that is not what the code promises becomes a
:exc:`~rocketmq_lite.errors.RemoteProtocolError`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rocketmq_lite.errors import BrokerError, GroupNotFound, LocalProtocolError, TopicNotFound
from rocketmq_lite.protocol.codes import RequestCode, ResponseCode
from rocketmq_lite.protocol.command import Command
from rocketmq_lite.protocol.explanations import advice_on
from rocketmq_lite.transport.failures import senseless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rocketmq_lite.protocol.headers.shape import Header
    from rocketmq_lite.transport.rpc import Pool

__all__ = ["ask", "reading", "refusal"]

_KINDS: Final[dict[int, type[BrokerError]]] = {
    ResponseCode.TOPIC_NOT_EXIST: TopicNotFound,
    ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST: GroupNotFound,
}


async def ask(
    pool: Pool, address: str, code: RequestCode, header: Header | None = None, *, body: bytes = b""
) -> Command:
    """Make a call to which every code but 0 is an error.

    Raises:
        BrokerError: The server refused.
        RocketMQError: It could not be reached.
    """
    fields = {} if header is None else header.to_fields()
    answer = await pool.call(address, Command(code, fields=fields, body=body))
    if answer.code != ResponseCode.SUCCESS:
        raise refusal(address, answer)
    return answer


def refusal(address: str, answer: Command) -> BrokerError:
    """The error that an answer's code means."""
    kind = _KINDS.get(answer.code, BrokerError)
    return kind(answer.code, answer.remark or "", hint=advice_on(answer.code), where=address)


@contextmanager
def reading(address: str) -> Iterator[None]:
    """Turn what is wrong with an answer into an error of the peer."""
    try:
        yield
    except LocalProtocolError as error:
        raise senseless(address, error) from error
