"""The exception tree: everything that RocketMQ Lite raises on purpose is a :exc:`RocketMQError`.

Rules:

* An error says what happened, and where it helps, why and what to do (``hint``).
* An error is translated once per boundary: bytes in ``protocol``, sockets in ``transport``, codes of
  answers in ``client``. The original stays reachable as ``__cause__``.
* ``retryable`` means that the same call may succeed later or at another address without the caller
  changing anything. It says nothing about whether the first attempt had an effect.

:exc:`ProtocolError` is never raised itself. Code inside raises the local kind (we misused the
protocol); the one entry for received bytes turns it into the remote kind (the peer did).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rocketmq_lite.model import SendReceipt

__all__ = [
    "BrokerError",
    "ClientClosed",
    "ConfigError",
    "ConnectError",
    "ConnectionLost",
    "GroupNotFound",
    "LocalProtocolError",
    "MessageNotFound",
    "NoNameServer",
    "NotAllSent",
    "NotDurable",
    "PortInUse",
    "ProtocolError",
    "RemoteProtocolError",
    "RequestTimeout",
    "RocketMQError",
    "StoreDamaged",
    "StoreError",
    "StoreLocked",
    "TopicNotFound",
]

# RemotingSysResponseCode and ResponseCode values after which another attempt can succeed. Java's
# producers retry these on another broker (1 system error, 2 busy, 14 not available, 16 no permission,
# 17 no topic, 204, 205, 1500 go away); 16 is left out here: nothing changes by asking again.
_RETRYABLE_CODES = frozenset({1, 2, 14, 17, 204, 205, 1500})


class RocketMQError(Exception):
    """Root of the tree.

    Attributes:
        hint: What the user can do about it; empty when there is nothing to add.
        code: RocketMQ's response code when an answer caused the error, else ``None``.
        retryable: Whether the same call may succeed later or elsewhere.
    """

    _retryable: bool = False

    def __init__(self, message: str, *, hint: str = "", code: int | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code

    @property
    def message(self) -> str:
        """What happened, without the hint."""
        return str(self.args[0]) if self.args else ""

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later or at another address."""
        return self._retryable


class ProtocolError(RocketMQError):
    """Somebody broke the remoting protocol; never raised itself."""


class LocalProtocolError(ProtocolError):
    """We tried something that the protocol forbids, or were handed a field that is not valid."""


class RemoteProtocolError(ProtocolError):
    """The peer sent bytes that are not the remoting protocol; the connection cannot be used further."""


class BrokerError(RocketMQError):
    """A broker or name server answered with an error code.

    Attributes:
        remark: The answer's text, for people; never read meaning into it.
    """

    def __init__(self, code: int, remark: str = "", *, hint: str = "", where: str = "") -> None:
        text = remark.strip() or "no reason given"
        super().__init__(
            f"{where}: {text} (code {code})" if where else f"{text} (code {code})", hint=hint, code=code
        )
        self.remark = remark

    @property
    def retryable(self) -> bool:
        """Whether the code is one of those that Java's clients retry."""
        return self.code in _RETRYABLE_CODES


class TopicNotFound(BrokerError):
    """The topic does not exist, or no broker that has it is registered (code 17)."""


class GroupNotFound(BrokerError):
    """The consumer group does not exist (code 26)."""


class MessageNotFound(RocketMQError):
    """No message has that id, or is at that place; it may have been deleted for its age."""


class ConnectError(RocketMQError):
    """No connection to an address could be opened."""

    _retryable = True


class ConnectionLost(RocketMQError):
    """The connection closed before the answer came; the request may or may not have been executed."""

    _retryable = True


class RequestTimeout(RocketMQError):
    """No answer within the time allowed; the request may or may not have been executed."""

    _retryable = True


class NoNameServer(RocketMQError):
    """No name server is configured, or none of the configured ones answers."""

    _retryable = True


class NotDurable(RocketMQError):
    """The message is stored, but more weakly than the broker's settings promise (codes 10, 11, 12).

    Attributes:
        receipt: The receipt of the stored message; of many, the first that is stored more weakly. Sending
            again stores it twice.
        receipts: The receipts of all messages of the call, one each, in order.
    """

    def __init__(
        self,
        message: str,
        *,
        receipt: SendReceipt,
        receipts: tuple[SendReceipt, ...] = (),
        hint: str = "",
        code: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.receipt = receipt
        self.receipts = receipts or (receipt,)


class NotAllSent(RocketMQError):
    """Of many messages some, or all, have no receipt. ``__cause__`` is the first error that stopped them.

    Attributes:
        receipts: One for each message that was taken from the iterable, in order; ``None`` for those that
            have none.
        unsent: Those without a receipt, as they were given and in order: what to send again. If an answer
            was lost, messages among them may be stored all the same. Of a list it includes those that were
            never tried; an iterator still has those.
    """

    def __init__(
        self,
        message: str,
        *,
        receipts: tuple[SendReceipt | None, ...],
        unsent: tuple[object, ...],
        cause: Exception,
    ) -> None:
        code = cause.code if isinstance(cause, RocketMQError) else None
        super().__init__(message, hint="send the attribute `unsent` again, if the reason is gone", code=code)
        self.receipts = receipts
        self.unsent = unsent
        self._retryable = isinstance(cause, RocketMQError) and cause.retryable


class StoreError(RocketMQError):
    """The message store could not do what was asked."""


class StoreLocked(StoreError):
    """Another process has the store directory open."""


class StoreDamaged(StoreError):
    """A stored record that had been made durable is not readable."""


class PortInUse(RocketMQError):
    """Another process listens on the port."""


class ConfigError(RocketMQError):
    """A setting, an argument or an address is not valid."""


class ClientClosed(RocketMQError):
    """The client, or the pool of connections below it, has been closed."""
