"""RocketMQ's version numbers as text: headers carry the place of a release in a fixed list (protocol.md 7)."""

from __future__ import annotations

from typing import Final

__all__ = ["version_constant", "version_text"]

_FIRST: Final = 213  # 4.0.0; older releases do not follow the arithmetic, and nobody runs them
_LAST: Final = 612  # "something newer"
_A_MAJOR, _A_MINOR, _A_PATCH = 200, 20, 2


def version_text(number: int) -> str:
    """The release a version number stands for, as ``5.3.3`` or ``5.3.3-snapshot``; the number itself where unknown."""
    if not _FIRST <= number < _LAST:
        return str(number)
    snapshot = (number - _FIRST) % _A_PATCH
    major, rest = divmod(number + snapshot - _FIRST, _A_MAJOR)
    minor, rest = divmod(rest, _A_MINOR)
    return f"{4 + major}.{minor}.{rest // _A_PATCH}" + ("-snapshot" if snapshot else "")


def version_constant(number: int) -> str:
    """The same as Java's constants spell it: ``V5_3_3``."""
    return "V" + version_text(number).replace(".", "_").replace("-", "_").upper()
