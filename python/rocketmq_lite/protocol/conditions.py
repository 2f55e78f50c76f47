"""SQL92 conditions over message properties: whether a text is one, before it is sent or registered.

The broker's engine compiles what heartbeats register by itself; nothing is evaluated here.
"""

from __future__ import annotations

from typing import Final

from rocketmq_lite import _native
from rocketmq_lite.errors import LocalProtocolError

__all__ = ["SQL92", "check_condition"]

SQL92: Final = "SQL92"
"""The expression type of conditions, in heartbeats and pulls."""


def check_condition(text: str) -> None:
    """Compile a condition and forget it.

    Raises:
        LocalProtocolError: It is none; the message says what is wrong, in which line and column.
    """
    try:
        _native.SqlFilter(text)
    except _native.SqlError as error:
        raise LocalProtocolError(str(error)) from error
