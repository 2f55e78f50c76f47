"""Where a broker listens, and what it tells others about that.

Rules:
- Routes carry ``advertise`` where it is set, else the bound address. A name in ``advertise`` is passed on as it is; what
  is stored with each message is numeric, because the record has room for nothing else.
- A loopback address is told only by who listens there: everybody else would look for the broker on his own machine.
- The HA address is the port above ours, as Apache's shipped configuration has it.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Final

import trio

from rocketmq_lite.errors import ConfigError
from rocketmq_lite.records import dataclass
from rocketmq_lite.transport.address import format_address, parse_address
from rocketmq_lite.transport.failures import listening

_ANY: Final = frozenset({"0.0.0.0", "::"})
_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker is reached.

    Attributes:
        address: ``host:port`` as routes carry it.
        ha_address: The same for replication.
        store_host: ``host:port`` as messages carry it, numeric.
    """

    address: str
    ha_address: str
    store_host: str

    @property
    def host(self) -> str:
        """The host that routes carry."""
        return parse_address(self.address)[0]

    @property
    def port(self) -> int:
        """The port that routes carry."""
        return parse_address(self.address)[1]

    @property
    def ha_port(self) -> int:
        """The port for replication."""
        return parse_address(self.ha_address)[1]


async def advertised_address(advertise: str | None, bound: str) -> BrokerAddress:
    """What a broker that is bound to an address tells others.

    Raises:
        ConfigError: Nobody could reach what it would tell them.
    """
    host, port = parse_address(bound)
    bound_to = host
    if advertise is not None:
        host, port = with_port(advertise, port)
    if host in _ANY:
        raise ConfigError(
            f"{host} means every address of this machine, so clients cannot be told to connect to it",
            hint="say under which address clients reach this broker (--advertise HOST[:PORT])",
        )
    numeric = await _numeric(host)
    if _is_loopback(numeric) and not (bound_to in _ANY or _is_loopback(bound_to)):
        name = host if host == numeric else f"{host} ({numeric})"
        raise ConfigError(
            f"{name} leads every client to its own machine, and this broker listens on {bound_to} only",
            hint="advertise an address under which clients reach this broker, or listen on 127.0.0.1",
        )
    return BrokerAddress(
        address=format_address(host, port),
        ha_address=format_address(host, min(port + 1, _MAX_PORT)),
        store_host=format_address(numeric, port),
    )


async def reserve_port(host: str, port: int) -> socket.socket:
    """A socket that is bound but does not listen: it holds a free port until somebody listens there.

    Linux lets two sockets bind one port when both allow reuse and neither listens yet, so the holder stays open while the
    real listener is made, and nobody else gets the port in between.

    Raises:
        PortInUse: Somebody else has the port.
        ConfigError: The host is not one of this machine.
    """
    with listening(format_address(host, port)):
        found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _name, address = found[0]
        holder = socket.socket(family, kind, protocol)
        try:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(address)
        except BaseException:
            holder.close()
            raise
    return holder


def with_port(advertise: str, port: int) -> tuple[str, int]:
    """Read ``host`` or ``host:port``; an IPv6 address without a port has to stand in brackets or be a whole address.

    Args:
        advertise: What the user gave.
        port: The port of an address that names none.

    Raises:
        ConfigError: It is neither.
    """
    try:
        ip_address(advertise.strip("[]"))
    except ValueError:
        if ":" in advertise:
            return parse_address(advertise)
        return advertise, port
    return advertise.strip("[]"), port


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name, as networks in memory have them
        return False


async def _numeric(host: str) -> str:
    try:
        found = await trio.socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(
            f"the advertised host {host} has no address",
            hint="advertise a name or address that clients can resolve",
        ) from error
    return str(found[0][4][0])
