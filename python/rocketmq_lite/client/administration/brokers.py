"""Brokers: which there are, how they are doing, what their settings are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_lite.client.administration.part import AdminPart, ask_each
from rocketmq_lite.errors import ConfigError, RocketMQError
from rocketmq_lite.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocketmq_lite.protocol.bodies import ClusterInfo

__all__ = ["BrokerAdmin", "BrokerReport"]


@dataclass(frozen=True, slots=True)
class BrokerReport:
    """One broker as it is registered, and what it says of itself.

    Attributes:
        cluster: Its cluster's name.
        name: Its name, which master and slaves share.
        broker_id: 0 for the master.
        address: Where clients reach it.
        runtime: Its figures under RocketMQ's names; empty when it did not answer.
        error: Why it did not answer, or ``None``.
    """

    cluster: str
    name: str
    broker_id: int
    address: str
    runtime: Mapping[str, str]
    error: RocketMQError | None = None


class BrokerAdmin(AdminPart):
    """The part of `Admin` that is about brokers."""

    async def brokers(self, name: str | None = None) -> tuple[BrokerReport, ...]:
        """Every registered broker with its figures, by cluster, name and id; one that does not answer says so.

        Args:
            name: Only the brokers of this name, a master and its slaves.

        Raises:
            ConfigError: No broker of that name is registered.
            NoNameServer: No name server answers.
        """
        info = await self.cluster()
        members = [each for each in _members(info) if name in {None, each[1]}]
        if name is not None and not members:
            known = ", ".join(sorted(info.broker_addr_table)) or "none"
            raise ConfigError(f"no broker {name!r} is registered", hint=f"registered now: {known}")
        answers = await ask_each([address for *_, address in members], self._remote.runtime)
        return tuple(
            BrokerReport(*each, answers.values.get(each[3], {}), answers.failures.get(each[3]))
            for each in members
        )

    async def broker_settings(self, address: str) -> Mapping[str, str]:
        """The settings of the broker at an address, under Apache's names.

        Raises:
            BrokerError: It refused.
            RocketMQError: It could not be reached.
        """
        return await self._remote.settings(address)

    async def change_broker_settings(self, address: str, changes: Mapping[str, str]) -> None:
        """Change settings of the broker at an address, given under Apache's names, until it stops.

        Raises:
            BrokerError: It refused; a broker of ours says which of them cannot be changed and why. Apache's ignores what it
                does not know.
            RocketMQError: It could not be reached.
        """
        await self._remote.change_settings(address, changes)

    async def name_server_settings(self) -> Mapping[str, Mapping[str, str]]:
        """The settings of each name server, by its address.

        Raises:
            RocketMQError: One could not be reached.
        """
        return (await ask_each(self._routing.name_servers, self._remote.name_server_settings)).all()

    async def change_name_server_settings(self, changes: Mapping[str, str]) -> None:
        """Change settings of every name server; each ignores what it does not know.

        Raises:
            BrokerError: One refused; those before it are changed.
            RocketMQError: One could not be reached.
        """
        for address in self._routing.name_servers:
            await self._remote.change_name_server_settings(address, changes)


def _members(info: ClusterInfo) -> list[tuple[str, str, int, str]]:
    """Cluster, name, id and address of every broker."""
    return sorted(
        (data.cluster, data.broker_name, broker_id, address)
        for data in info.broker_addr_table.values()
        for broker_id, address in data.broker_addrs.items()
    )
