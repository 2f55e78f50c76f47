"""Having one consumer work on one message, whatever the positions of its group are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.client.administration.part import AdminPart
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.protocol.bodies import ConsumeDirectlyResult
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from rocketmq_lite.client.message_view import StoredMessage

__all__ = ["DirectAdmin", "DirectConsumption"]

_DONE: Final = frozenset({ConsumeDirectlyResult.SUCCESS, ConsumeDirectlyResult.COMMIT})


@dataclass(frozen=True, slots=True)
class DirectConsumption:
    """How a consumer's work on a message ended that it was handed directly.

    Attributes:
        client_id: Which member of the group it was.
        result: RocketMQ's name for it: ``CR_SUCCESS``, ``CR_COMMIT``, ``CR_LATER`` (it wants the message again later),
            ``CR_ROLLBACK``, ``CR_THROW_EXCEPTION``, ``CR_RETURN_NULL``.
        remark: What it says about that; with an exception, which.
        spent_ms: Milliseconds that the work took.
        ordered: Whether it consumes in order.
    """

    client_id: str
    result: str
    remark: str | None
    spent_ms: int
    ordered: bool

    @property
    def succeeded(self) -> bool:
        """Whether it is done with the message."""
        return self.result in _DONE


class DirectAdmin(AdminPart):
    """The part of `Admin` that hands messages to consumers."""

    async def consume_directly(
        self, group: str, message: StoredMessage, *, client_id: str | None = None
    ) -> DirectConsumption:
        """Have a member of a consumer group work on a message now; no position moves, and nothing is sent back.

        Our consumers get it from their iteration, marked ``direct``. A broker gives a member 10 seconds.

        Args:
            group: The group.
            message: What to work on.
            client_id: Which member; may be left out when there is only one.

        Raises:
            ConfigError: Nobody of the group is online at the broker that has the message, or it is not said who of several.
            BrokerError: The member did not answer in time (207), is not online or cannot be handed messages (1).
            RocketMQError: A server could not be reached.
        """
        broker = message.queue.broker_name
        address = (await self._masters(broker=broker))[broker]
        if client_id is None:
            client_id = await self._only_member(group, broker, address)
        found = await self._remote.consume_directly(address, group, client_id, message.offset_message_id)
        return DirectConsumption(
            client_id, found.consume_result, found.remark, found.spent_time_mills, found.order
        )

    async def _only_member(self, group: str, broker: str, address: str) -> str:
        view = await self._remote.consumer_connection(address, group)
        ids = [] if view is None else sorted({each.client_id for each in view.connection_set})
        match ids:
            case [only]:
                return only
            case []:
                raise ConfigError(
                    f"nobody of group {group} is online at {broker}, which has the message",
                    hint=f"`rmq group clients {group}` says who is anywhere",
                )
            case _:
                raise ConfigError(
                    f"group {group} has {len(ids)} members",
                    hint=f"say which one is to work on the message: {', '.join(ids)}",
                )
