"""Settings that may change while the broker runs. All others are read at the start, and built into the broker then.

A change is refused as a whole, with the reason, when one of its keys cannot be changed; Apache's broker ignores such keys
in silence. Changes last until the broker stops: its file stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rocketmq_lite.broker.conf.keys import KEYS, REFUSED, Changes, known_to_apache, with_changes
from rocketmq_lite.errors import BrokerError
from rocketmq_lite.protocol.codes import ResponseCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rocketmq_lite.config import BrokerSettings

__all__ = ["LIVE", "LiveSettings"]

LIVE: Final = frozenset(
    {key.apache for key in KEYS if key.field.startswith("retention.")} | {"autoCreateSubscriptionGroup"}
)
"""Apache's names of the keys that may change."""
_BY_NAME: Final = {key.apache: key for key in KEYS}


class LiveSettings:
    """The settings in force. Whoever heeds one that may change asks for it each time.

    Args:
        settings: Those of the start.
        heed: Called with each change.

    Attributes:
        current: Those of now.
        changes: How often they were changed.
    """

    def __init__(self, settings: BrokerSettings, *, heed: Callable[[BrokerSettings], None]) -> None:
        self.current = settings
        self._heed = heed
        self.changes = 0

    def change(self, pairs: Mapping[str, str]) -> None:
        """Change settings, given under Apache's names.

        Raises:
            BrokerError: 16: one of them cannot be changed now; 29: it cannot have that value. Nothing has changed.
        """
        changes: Changes = {}
        for name, text in pairs.items():
            if name not in LIVE:
                raise BrokerError(ResponseCode.NO_PERMISSION, f"{name} {_why_not(name)}")
            key = _BY_NAME[name]
            try:
                changes[key.field] = key.kind.read(text.strip())
            except (ValueError, LookupError) as error:
                raise BrokerError(
                    ResponseCode.INVALID_PARAMETER, f"{name} cannot be {text!r}: give {key.kind.allowed}"
                ) from error
        self.current = with_changes(self.current, changes)
        self.changes += 1
        self._heed(self.current)


def _why_not(name: str) -> str:
    if name in REFUSED:
        return f"cannot be changed: {REFUSED[name].why}"
    if name in _BY_NAME:
        return f"is read at the start only; these can be changed now: {', '.join(sorted(LIVE))}"
    if name in known_to_apache():
        return "is a setting of Apache's broker that changes nothing here"
    return "is not known"
