"""What a producer has done so far, and what it says about messages that are stored too weakly."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from rocketmq_lite.errors import NotDurable
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rocketmq_lite.model import SendReceipt

__all__ = ["ProducerStatistics", "Tally"]


@dataclass(frozen=True, slots=True)
class ProducerStatistics:
    """What a producer has done so far.

    Attributes:
        sent: Messages whose receipt was returned.
        weaker: Messages stored more weakly than asked, returned or raised as ``NotDurable``.
        failed: Sends that ended with another error; of many messages each without a receipt is one.
        retries: Attempts beyond the first; a batch counts once.
        oneway: Messages sent without waiting for an answer.
    """

    sent: int
    weaker: int
    failed: int
    retries: int
    oneway: int


@final
class Tally:
    """The counters of a producer, named as in :class:`ProducerStatistics`."""

    def __init__(self) -> None:
        self.sent = self.weaker = self.failed = self.oneway = 0

    def stored(
        self, receipts: tuple[SendReceipt, ...], weaker: Sequence[SendReceipt], *, accept_weaker: bool
    ) -> None:
        """Count the messages of one call, which are all stored.

        Raises:
            NotDurable: Some of them more weakly than asked.
        """
        self.sent += len(receipts) - len(weaker)
        self.weaker += len(weaker)
        if weaker and not accept_weaker:
            raise _not_durable(weaker, receipts)

    def statistics(self, retries: int) -> ProducerStatistics:
        """A snapshot; ``retries`` are counted where they happen."""
        return ProducerStatistics(self.sent, self.weaker, self.failed, retries, self.oneway)


def _not_durable(weaker: Sequence[SendReceipt], receipts: tuple[SendReceipt, ...]) -> NotDurable:
    first = weaker[0]
    what = (
        f"message {first.message_id} is"
        if len(receipts) == 1
        else f"{len(weaker)} of {len(receipts)} messages are"
    )
    return NotDurable(
        f"{what} stored, but only as {first.status.name}",
        receipt=first,
        receipts=receipts,
        hint="do not send it again, it is there; accept_weaker=True returns the receipt instead",
        code=first.status.value,
    )
