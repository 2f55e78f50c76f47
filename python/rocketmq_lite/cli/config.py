"""`rmq config`: the settings of servers that run.

Surprise: here ``--namesrv`` with no address behind it says whose settings are meant, the name servers'. With one
it is what it is everywhere, the cluster to talk to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from rocketmq_lite.cli import session
from rocketmq_lite.cli.arguments import BrokerOption
from rocketmq_lite.cli.confirm import confirm
from rocketmq_lite.cli.failures import UsageFault
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.render import show_record, show_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rocketmq_lite.client.client import Client

app = typer.Typer(name="config", help="Settings of brokers and name servers that run.", no_args_is_help=True)

NameServerOption = Annotated[
    bool,
    typer.Option(
        "--name-servers", help="Of the name servers, not of brokers; also: --namesrv with no address."
    ),
]


class _Command(TyperCommand):
    """Reads a bare ``--namesrv`` as ``--name-servers``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer brings its own Click, or not
        """As the base class, which says what it returns and raises."""
        following = [*args[1:], ""]
        return super().parse_args(
            ctx,
            [
                "--name-servers" if each == "--namesrv" and not _is_address(behind) else each
                for each, behind in zip(args, following, strict=True)
            ],
        )


async def get(
    options: GlobalOptions,
    key: Annotated[
        str | None,
        typer.Argument(metavar="[KEY]", help="Only this setting, under Apache's name.", show_default=False),
    ] = None,
    broker: BrokerOption = None,
    name_servers: NameServerOption = False,
) -> None:
    """Show the settings of every broker, of one, or of the name servers."""
    _refuse_both(broker, name_servers)
    async with session.connected(options) as client:
        found = await _settings(client, broker, of_name_servers=name_servers)
    rows: list[dict[str, object]] = [
        {"server": server, "key": name, "value": value}
        for server, settings in found.items()
        for name, value in sorted(settings.items())
        if key in {None, name}
    ]
    show_rows(rows, options, empty=f"no server has a setting {key}")


async def set_(
    options: GlobalOptions,
    pairs: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE...", help="Under Apache's names.", show_default=False)
    ],
    broker: BrokerOption = None,
    name_servers: NameServerOption = False,
) -> None:
    """Change settings of every broker, of one, or of the name servers, until they stop; asks first."""
    _refuse_both(broker, name_servers)
    changes = _changes(pairs)
    async with session.connected(options) as client:
        found = await _settings(client, broker, of_name_servers=name_servers)
        lines = [
            f"  {server}: {name} {settings.get(name, 'not set')} -> {value}"
            for server, settings in found.items()
            for name, value in changes.items()
        ]
        confirm("\n".join(["This changes, until the server stops:", *lines]), options)
        if name_servers:
            await client.admin.change_name_server_settings(changes)
        for each in () if name_servers else await client.admin.brokers(broker):
            await client.admin.change_broker_settings(each.address, changes)
    show_record({"servers": list(found), "settings": changes}, options)


async def _settings(
    client: Client, broker: str | None, *, of_name_servers: bool
) -> Mapping[str, Mapping[str, str]]:
    """Settings by the name of the server: ``broker-a/0``, or a name server's address."""
    if of_name_servers:
        return await client.admin.name_server_settings()
    return {
        f"{each.name}/{each.broker_id}": await client.admin.broker_settings(each.address)
        for each in await client.admin.brokers(broker)
    }


def _changes(pairs: Sequence[str]) -> dict[str, str]:
    changes = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageFault(f"{pair} is not of the form KEY=VALUE", hint="for example fileReservedTime=48")
        changes[name] = value
    return changes


def _is_address(text: str) -> bool:
    return ":" in text and "=" not in text


def _refuse_both(broker: str | None, of_name_servers: bool) -> None:  # noqa: FBT001 - named where it is called
    if broker is not None and of_name_servers:
        raise UsageFault("--broker and --namesrv exclude each other", hint="leave one of them out")


app.command("get", cls=_Command)(with_global_options(get))
app.command("set", cls=_Command)(with_global_options(set_))
