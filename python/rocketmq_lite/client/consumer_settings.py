"""What a consumer was asked to do: the arguments of ``Client.consumer``, checked once, and what brokers are told of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from rocketmq_lite.client.engine.failed_head import AttemptLimits
from rocketmq_lite.client.engine.names import check_topic
from rocketmq_lite.client.engine.process_queue import QueueLimits
from rocketmq_lite.client.engine.queue_locks import LockTimings
from rocketmq_lite.client.engine.subscription import EVERYTHING, Condition, TagExpression
from rocketmq_lite.errors import ConfigError
from rocketmq_lite.model import Tags, Where
from rocketmq_lite.protocol.bodies import ConsumerData, SubscriptionData
from rocketmq_lite.protocol.reserved import retry_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rocketmq_lite.client.engine.balance import AllocationStrategy
    from rocketmq_lite.client.engine.events import ConsumerEvent
    from rocketmq_lite.client.engine.subscription import Subscription

__all__ = [
    "ConsumerSettings",
    "Model",
    "OrderSettings",
    "Start",
    "check_attempts",
    "check_grace",
    "check_model",
    "check_order",
    "check_prefetch",
    "check_start",
    "check_topics",
]

_log = logging.getLogger(__name__)

Model = Literal["clustering", "broadcasting"]
"""Whether the members of a group share the messages, or each gets all of them."""
Start = Literal["latest", "earliest"] | datetime
"""Where a group begins to read that has no position yet."""


@dataclass(frozen=True, slots=True)
class OrderSettings:
    """How each queue is consumed in order.

    Attributes:
        locks: When the locks of queues are renewed and end.
        attempts: What becomes of a message that fails again and again.
    """

    locks: LockTimings
    attempts: AttemptLimits


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """What a consumer was asked to do.

    Attributes:
        group: The consumer group.
        topics: Which messages of which topics.
        start: Where to begin without a position.
        limits: How much of one queue may be unacknowledged.
        broadcasting: Whether each member gets every message, instead of sharing them with the others.
        max_attempts: Deliveries of a message before it is a dead letter; None leaves that to the group's settings.
        strategy: How the group shares out queues.
        grace: Seconds that a queue may take to go from one member to another.
        on_event: Is called with what happens beside messages.
        sub_version: Tells this subscription from an older one of the same client; a wall time.
        order: Whether and how each queue is consumed in order.
        auto_ack: Whether asking for the next message acknowledges the last.
    """

    group: str
    topics: Mapping[str, Subscription]
    start: Start
    limits: QueueLimits
    strategy: AllocationStrategy
    grace: float
    on_event: Callable[[ConsumerEvent], None] | None
    sub_version: int
    broadcasting: bool = False
    max_attempts: int | None = None
    order: OrderSettings | None = None
    auto_ack: bool = False

    @property
    def retry_topic(self) -> str:
        """The topic through which messages come back to the group."""
        return retry_topic(self.group)

    @property
    def subscriptions(self) -> Mapping[str, Subscription]:
        """All that a heartbeat tells. Members have to agree: brokers keep one subscription a group and topic.

        Nothing comes back to a broadcasting group, so it does not subscribe its retry topic; nor does Java's.
        """
        if self.broadcasting:
            return self.topics
        return {**self.topics, self.retry_topic: EVERYTHING}

    @property
    def membership(self) -> ConsumerData:
        """The group as a heartbeat tells it; where a new group begins is decided here, not by the broker."""
        return ConsumerData(
            group_name=self.group,
            consume_type="CONSUME_PASSIVELY",
            message_model="BROADCASTING" if self.broadcasting else "CLUSTERING",
            consume_from_where="CONSUME_FROM_LAST_OFFSET",
            subscription_data_set=tuple(
                SubscriptionData(
                    topic=topic,
                    sub_string=expression.text,
                    tags_set=expression.tags,
                    code_set=expression.codes,
                    sub_version=self.sub_version,
                    expression_type=expression.expression_type,
                )
                for topic, expression in self.subscriptions.items()
            ),
        )

    def tell(self, event: ConsumerEvent) -> None:
        """Call ``on_event``; what goes wrong there is logged and does not end the consumer."""
        if self.on_event is None:
            return
        try:
            self.on_event(event)
        except Exception:  # noqa: BLE001 - the user's own code
            _log.exception("on_event of group %s failed at %r", self.group, event)


def check_topics(
    topics: str | Mapping[str, Tags | Where], tags: str, where: str | None
) -> dict[str, Subscription]:
    """The topics with what is wanted of each.

    Raises:
        ConfigError: The arguments contradict each other, or one of them is not valid.
    """
    if tags != "*" and where is not None:
        raise ConfigError(
            "both tags= and where= are given", hint="a condition can ask for tags: TAGS = 'paid'"
        )
    if isinstance(topics, str):
        return {check_topic(topics): TagExpression.parse(tags) if where is None else Condition.parse(where)}
    if tags != "*" or where is not None:
        raise ConfigError(
            "tags= and where= are for one topic",
            hint='with several give {"topic": rmq.Tags("a || b"), "other": rmq.Where("price > 1")}',
        )
    if not topics:
        raise ConfigError("no topic is given")
    return {check_topic(topic): _subscription(topic, wanted) for topic, wanted in topics.items()}


def _subscription(topic: str, wanted: object) -> Subscription:
    match wanted:
        case Tags():
            return TagExpression.parse(wanted.expression)
        case Where():
            return Condition.parse(wanted.expression)
        case _:
            raise ConfigError(
                f"topic {topic!r} is given with {wanted!r}",
                hint='give rmq.Tags("a || b") or rmq.Where("price > 1")',
            )


def check_start(start: Start) -> Start:
    """Where to begin.

    Raises:
        ConfigError: It is none of the three.
    """
    if isinstance(start, str) and start not in {"latest", "earliest"}:
        raise ConfigError(f"start is {start!r}", hint="give 'latest', 'earliest' or a datetime")
    return start


def check_model(model: Model, **others: object) -> bool:
    """Whether it is broadcasting.

    Args:
        model: What was given.
        others: Arguments that only broadcasting has, ``None`` where they are not given.

    Raises:
        ConfigError: It is neither, or one of the others is given without it.
    """
    if model not in {"clustering", "broadcasting"}:
        raise ConfigError(f"model is {model!r}", hint="give 'clustering' or 'broadcasting'")
    for name, value in others.items():
        if model == "clustering" and value is not None:
            raise ConfigError(
                f"{name} is for broadcasting", hint="give model='broadcasting', or leave it out"
            )
    return model == "broadcasting"


def check_attempts(attempts: int | None) -> int | None:
    """How often a message is delivered.

    Raises:
        ConfigError: Less than once.
    """
    if attempts is not None and attempts < 1:
        raise ConfigError(f"max_attempts is {attempts}, it must be at least 1")
    return attempts


def check_order(
    *, ordered: bool | LockTimings, broadcasting: bool, max_attempts: int | None, park_after: int | None
) -> OrderSettings | None:
    """Whether and how queues are consumed in order.

    Raises:
        ConfigError: The arguments contradict each other, or one of them is not valid.
    """
    if park_after is not None and park_after < 1:
        raise ConfigError(f"park_after is {park_after}, it must be at least 1")
    if ordered is False:
        if park_after is not None:
            raise ConfigError(
                "park_after= is for ordered=True", hint="max_attempts= limits attempts without order"
            )
        return None
    if broadcasting:
        raise ConfigError(
            "ordered= is not for broadcasting", hint="queues belong to nobody there; use one worker instead"
        )
    if max_attempts is not None and park_after is not None and park_after > max_attempts:
        raise ConfigError(
            f"park_after is {park_after}, but after max_attempts, {max_attempts}, the queue stands"
        )
    return OrderSettings(
        locks=LockTimings() if ordered is True else ordered,
        attempts=AttemptLimits(max_attempts=max_attempts, park_after=park_after),
    )


def check_grace(grace: float) -> float:
    """How long a queue may take to change hands.

    Raises:
        ConfigError: Less than no time.
    """
    if not grace >= 0:
        raise ConfigError(f"grace is {grace}, it must not be negative")
    return grace


def check_prefetch(messages: int, size: int, *, span: int) -> QueueLimits:
    """How much of a queue may be unacknowledged; more messages than ``span`` also widen the span.

    Raises:
        ConfigError: No message, or not a byte.
    """
    for name, value in (("prefetch", messages), ("prefetch_bytes", size)):
        if value < 1:
            raise ConfigError(f"{name} is {value}, it must be at least 1")
    return QueueLimits(messages, size, max(span, messages))
