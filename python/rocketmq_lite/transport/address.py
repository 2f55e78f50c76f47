"""``host:port`` text to its parts and back; IPv6 hosts stand in brackets when a port follows."""

from __future__ import annotations

from typing import Final

from rocketmq_lite.errors import ConfigError

__all__ = ["format_address", "parse_address"]

_MAX_PORT: Final = 65_535


def parse_address(text: str) -> tuple[str, int]:
    """Split an address into host and port.

    ``[::1]:9876``, ``broker:9876``, ``127.0.0.1:9876`` and, as Java writes IPv6 addresses in routes,
    ``::1:9876`` (the last colon separates the port).

    Raises:
        ConfigError: There is no host or no port between 0 and 65535.
    """
    host, colon, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif host.startswith("[") or host.endswith("]"):
        host = ""
    if not (colon and host and port.isascii() and port.isdecimal()) or int(port) > _MAX_PORT:
        raise ConfigError(f"{text!r} is not an address", hint="give host:port, an IPv6 host in brackets")
    return host, int(port)


def format_address(host: str, port: int) -> str:
    """Join host and port, with brackets where the host holds colons."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
