"""Which name servers are meant when nobody says: those of the environment."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["name_servers"]

ENVIRONMENT: Final = ("ROCKETMQ_NAMESRV", "NAMESRV_ADDR")
"""Variables that are asked, in this order; the second is Apache's."""


def name_servers(given: str | None) -> str | None:
    """The addresses given, else those of the environment, as ``host:port;host:port``; ``None`` when there are none."""
    if given is not None:
        return given
    return next((value for variable in ENVIRONMENT if (value := os.environ.get(variable))), None)
