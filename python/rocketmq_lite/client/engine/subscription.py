"""A subscription by tags: what is asked of the broker, and the check of the text that arrives.

The broker compares only hashes of tags, so two tags with one hash both arrive; the consumer compares the
text again. That check is :meth:`TagExpression.matches`.
"""

from __future__ import annotations

from dataclasses import dataclass

from rocketmq_lite.errors import ConfigError
from rocketmq_lite.protocol.framing import java_hash

__all__ = ["EVERYTHING", "EVERY_TAG", "TagExpression"]

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
    def codes(self) -> tuple[int, ...]:
        """The hashes that the broker compares."""
        return tuple(java_hash(tag) for tag in self.tags)

    def matches(self, tag: str | None) -> bool:
        """Whether a message with this tag is meant."""
        return not self.tags or tag in self.tags


EVERYTHING = TagExpression(EVERY_TAG, ())
