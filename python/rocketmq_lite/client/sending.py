"""From a message to an answer: on which queue it is tried, how often, and what a failure means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, final

import trio

from rocketmq_lite.client.asking import refusal
from rocketmq_lite.client.engine.faults import BrokerFaults
from rocketmq_lite.client.engine.retry import SEND_ATTEMPTS, Verdict, judge_send
from rocketmq_lite.client.remote_sends import send_request
from rocketmq_lite.client.routing import UNREACHABLE
from rocketmq_lite.errors import BrokerError, RocketMQError
from rocketmq_lite.model import Perm
from rocketmq_lite.protocol.codes import ResponseCode
from rocketmq_lite.protocol.framing import SendAnswer, to_command

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from rocketmq_lite.client.engine.routes import TopicRoute
    from rocketmq_lite.client.remote import Remote
    from rocketmq_lite.client.routing import Routing
    from rocketmq_lite.clock import Clock
    from rocketmq_lite.model import MessageQueue
    from rocketmq_lite.protocol.framing import OutgoingMessage

__all__ = ["Choose", "Sending"]

Choose: TypeAlias = "Callable[[Sequence[MessageQueue], Collection[str]], MessageQueue | None]"
"""Picks one of the queues that can be written, if possible not of the brokers named."""


_NO_BROKER: Final[frozenset[str]] = frozenset()


@final
class Sending:
    """The attempts of one producer group.

    Attributes:
        retries: Attempts beyond the first of their message.
    """

    def __init__(self, group: str, *, remote: Remote, routing: Routing, clock: Clock) -> None:
        self.retries = 0
        self._group = group
        self._remote = remote
        self._routing = routing
        self._table = routing.table
        self._clock = clock
        self._faults = BrokerFaults()

    async def store(self, message: OutgoingMessage, choose: Choose) -> SendAnswer:
        """Try until a broker has stored it, or no attempt is left; with an order key there is only one."""
        errors: list[RocketMQError] = []
        failed_on: str | None = None
        for _ in range(SEND_ATTEMPTS if message.order_key is None else 1):
            self.retries += failed_on is not None
            route = self._table.get(message.topic)
            if route is None or not route.writable:
                route = await self.writable(message.topic)
            queue, address = self._assign(route, choose, failed_on)
            try:
                answer = await self._remote.send(
                    address, send_request(self._group, message, queue, self._clock.wall_ms())
                )
                if not isinstance(answer, SendAnswer):
                    raise refusal(address, to_command(answer))
            except UNREACHABLE as error:
                self._faults.failed(queue.broker_name, trio.current_time())
                errors.append(error)
            except BrokerError as error:
                errors.append(error)
                if judge_send(error.code or 0) is Verdict.FAIL:
                    break
            else:
                if self._faults:
                    self._faults.answered(queue.broker_name)
                if route.from_template:
                    self._routing.mark_stale(message.topic)  # the broker has just created the topic
                return answer
            failed_on = queue.broker_name
            self._routing.mark_stale(message.topic)
        raise _last_of(errors)

    async def post(self, message: OutgoingMessage, choose: Choose) -> None:
        """Send it once, without asking for an answer."""
        queue, address = self._assign(await self.writable(message.topic), choose, failed_on=None)
        request = send_request(self._group, message, queue, self._clock.wall_ms())
        try:
            await self._remote.send_oneway(address, request)
        except UNREACHABLE:
            self._faults.failed(queue.broker_name, trio.current_time())
            self._routing.mark_stale(message.topic)
            raise

    async def writable(self, topic: str) -> TopicRoute:
        """A route with queues to write to, if there are any."""
        route = await self._routing.ensure(topic, create=True)
        return route if route.writable else await self._routing.refresh(topic) or route

    def _assign(self, route: TopicRoute, choose: Choose, failed_on: str | None) -> tuple[MessageQueue, str]:
        """Choose the queue of the next attempt and find its master."""
        avoid = _NO_BROKER
        if self._faults or failed_on is not None or route.data.order_topic_conf:
            avoid = self._avoided(route, failed_on)
        queue = choose(route.writable, avoid)
        address = None if queue is None else self._table.master(queue.broker_name)
        if queue is None or address is None:
            raise _nothing_to_write(route)
        return queue, address

    def _avoided(self, route: TopicRoute, failed_on: str | None) -> frozenset[str]:
        """The brokers that had better not be chosen."""
        names = (queue.broker_name for queue in route.writable)
        faulty = self._faults.around(names, failed_on, trio.current_time())
        if not route.data.order_topic_conf:
            return faulty
        # An order configuration lists its queues whatever the health of their brokers.
        return faulty | {
            queue.broker_name for queue in route.writable if self._table.master(queue.broker_name) is None
        }


def _last_of(errors: list[RocketMQError]) -> RocketMQError:
    """The error that ended the attempts, with notes on those before."""
    *earlier, last = errors
    for error in earlier:
        last.add_note(f"an earlier attempt failed: {error}")
    return last


def _nothing_to_write(route: TopicRoute) -> BrokerError:
    if any(entry.perm & Perm.WRITE for entry in route.data.queue_datas):
        return BrokerError(
            ResponseCode.SERVICE_NOT_AVAILABLE,
            f"no master of topic {route.topic} is registered",
            hint="only slaves are left: messages can be read, not sent, until a master is back",
        )
    return BrokerError(
        ResponseCode.NO_PERMISSION,
        f"topic {route.topic} cannot be written",
        hint="give it the permission 'rw'",
    )
