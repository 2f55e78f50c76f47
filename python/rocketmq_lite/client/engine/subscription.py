"""What is asked of the broker: messages with certain tags, or with properties that a condition describes.

The broker compares only hashes of tags, so two tags with one hash both arrive; the consumer compares the
text again. That check is :meth:`TagExpression.matches`. Conditions are the broker's matter alone.
"""

from __future__ import annotations

from typing import TypeAlias

from rocketmq_lite.errors import ConfigError, LocalProtocolError
from rocketmq_lite.protocol.conditions import SQL92, check_condition
from rocketmq_lite.protocol.framing import java_hash
from rocketmq_lite.records import dataclass

__all__ = ["EVERYTHING", "EVERY_TAG", "Condition", "Subscription", "TagExpression"]

EVERY_TAG = "*"


@dataclass(frozen=True, slots=True)
class TagExpression:
    """A parsed tag expression.

    Attributes:
        text: As sent to the broker.
        tags: The accepted tags in the order written; empty accepts every message.
    """

    text: str
    tags: tuple[str, ...]

    @classmethod
    def parse(cls, expression: str) -> TagExpression:
        """Parse ``"*"`` or ``"a || b"``.

        Raises:
            ConfigError: It is written with another operator, or names no tag.
        """
        if expression.strip() in {"", EVERY_TAG}:
            return EVERYTHING
        tags = tuple(dict.fromkeys(part.strip() for part in expression.split("||") if part.strip()))
        if not tags:
            raise ConfigError(f"tag expression {expression!r} names no tag", hint="use '*' for every message")
        for tag in tags:
            if "|" in tag or "&" in tag or tag.split() != [tag]:
                raise ConfigError(
                    f"tag expression {expression!r} is not a list of tags",
                    hint="separate tags by '||': 'paid || refunded'",
                )
        return cls(" || ".join(tags), tags)

    @property
    def expression_type(self) -> str:
        """What heartbeats call it."""
        return "TAG"

    @property
    def codes(self) -> tuple[int, ...]:
        """The hashes that the broker compares."""
        return tuple(java_hash(tag) for tag in self.tags)

    def matches(self, tag: str | None) -> bool:
        """Whether a message with this tag is meant."""
        return not self.tags or tag in self.tags


@dataclass(frozen=True, slots=True)
class Condition:
    """An SQL92 condition over properties.

    Attributes:
        text: As sent to the broker.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Check a condition as the broker will.

        Raises:
            ConfigError: It is none; the message says what is wrong, in which line and column.
        """
        try:
            check_condition(text)
        except LocalProtocolError as error:
            raise ConfigError(
                f"where={text!r} is no condition: {error}",
                hint="write it over properties: price > 1 AND region IN ('eu', 'us')",
            ) from error
        return cls(text)

    @property
    def expression_type(self) -> str:
        """What heartbeats call it."""
        return SQL92

    @property
    def tags(self) -> tuple[str, ...]:
        """None: any tag is meant."""
        return ()

    @property
    def codes(self) -> tuple[int, ...]:
        """None."""
        return ()

    def matches(self, tag: str | None) -> bool:  # noqa: ARG002 - as of a TagExpression
        """Whether a message with this tag is meant: always."""
        return True


Subscription: TypeAlias = TagExpression | Condition

EVERYTHING = TagExpression(EVERY_TAG, ())
