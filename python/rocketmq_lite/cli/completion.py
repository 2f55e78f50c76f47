"""What the shell offers after a Tab: names that the cluster knows, when it answers quickly.

Rules: completing never hangs, never prints and never fails; when the cluster does not answer within `PATIENCE`, there is
nothing to offer.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import trio
import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from rocketmq_lite.client.client import Client

PATIENCE: Final = 0.7
"""Seconds for everything; about as long as a person takes a Tab to be working."""


def topics(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of topics; RocketMQ's own only when the user begins to spell one."""
    from rocketmq_lite.cli.system_names import reserved_topics

    async def ask(client: Client) -> list[str]:
        reserved = reserved_topics(await client.admin.cluster())
        return [name for name in await client.admin.topics() if incomplete or not reserved(name)]

    return _offer(ctx, incomplete, ask)


def groups(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of consumer groups; RocketMQ's own only when the user begins to spell one."""
    from rocketmq_lite.protocol.reserved import is_system_group

    async def ask(client: Client) -> list[str]:
        return [name for name in await client.admin.group_names() if incomplete or not is_system_group(name)]

    return _offer(ctx, incomplete, ask)


def brokers(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of brokers."""

    async def ask(client: Client) -> list[str]:
        return sorted((await client.admin.cluster()).broker_addr_table)

    return _offer(ctx, incomplete, ask)


def clusters(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of clusters."""

    async def ask(client: Client) -> list[str]:
        return sorted((await client.admin.cluster()).cluster_addr_table)

    return _offer(ctx, incomplete, ask)


def codes(incomplete: str) -> list[str]:
    """Names of response and request codes, in the case that the user types."""
    from rocketmq_lite.protocol.codes import RequestCode, ResponseCode

    names = [code.name for kind in (ResponseCode, RequestCode) for code in kind]
    return _starting(map(str.lower, names) if incomplete.islower() else names, incomplete)


def _offer(
    ctx: typer.Context, incomplete: str, ask: Callable[[Client], Awaitable[Iterable[str]]]
) -> list[str]:
    logging.disable()
    try:
        return _starting(trio.run(_ask_in_time, _namesrv(ctx), ask), incomplete)
    except Exception:  # noqa: BLE001 - a Tab that finds nothing says nothing
        return []


async def _ask_in_time(
    namesrv: str | None, ask: Callable[[Client], Awaitable[Iterable[str]]]
) -> Iterable[str]:
    from rocketmq_lite.cli.options import GlobalOptions
    from rocketmq_lite.cli.session import connected
    from rocketmq_lite.client import client as _imported_before_the_time_runs  # noqa: F401

    with trio.move_on_after(PATIENCE):
        async with connected(GlobalOptions(namesrv=namesrv, timeout=PATIENCE)) as client:
            return await ask(client)
    return ()


def _namesrv(ctx: typer.Context) -> str | None:
    """The -n that was typed so far, before or after the subcommand."""
    place: typer.Context | None = ctx
    while place is not None:
        if found := place.params.get("namesrv"):
            return str(found)
        place = place.parent  # type: ignore[assignment]
    return None


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
