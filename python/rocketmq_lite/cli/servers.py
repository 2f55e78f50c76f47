"""`rmq up`, `rmq namesrv`, `rmq broker`: run servers in the foreground until a signal asks them to stop."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rocketmq_lite.cli import serving
from rocketmq_lite.cli.options import GlobalOptions, with_global_options
from rocketmq_lite.cli.tls import with_tls_options
from rocketmq_lite.config import TlsSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

NAMES = ("up", "namesrv", "broker")
"""The commands here."""


class Flush(StrEnum):
    """When a send is acknowledged: once it is in the log, or once the log is on disk."""

    ASYNC = "async"
    SYNC = "sync"


DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="Where everything is kept.", show_default="~/.local/share/rocketmq-lite"
    ),
]
HostOption = Annotated[str, typer.Option("--host", help="Address to listen on.")]
AdvertiseOption = Annotated[
    str | None,
    typer.Option("--advertise", metavar="HOST[:PORT]", help="Address that routes give to clients."),
]
ReadyOption = Annotated[
    Path | None,
    typer.Option("--ready-file", metavar="FILE", help="Written, as JSON, once requests are accepted."),
]
FlushOption = Annotated[
    Flush, typer.Option("--flush", help="Acknowledge after the write, or after the fsync.")
]
ConnectionsOption = Annotated[
    int | None,
    typer.Option(
        "--max-connections",
        min=1,
        metavar="N",
        help="Clients of the broker that may be connected at a time.",
        show_default="16384",
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "-c", "--config", metavar="FILE", help="Apache's broker.conf, or our TOML; options win over it."
    ),
]


def port_option(name: str) -> type[int]:
    """The type of a port option; 0 picks a free one."""
    return Annotated[  # type: ignore[return-value]
        int,
        typer.Option(name, min=0, max=65535, metavar="PORT", help="Port to listen on; 0 picks a free one."),
    ]


def add_commands(app: typer.Typer, names: Iterable[str]) -> None:
    """Put these of the three commands at the top of the tree."""
    bodies: dict[str, Callable[..., Awaitable[None]]] = {"up": up, "namesrv": namesrv, "broker": broker}
    for name in names:
        command = with_global_options(with_tls_options(bodies[name]))
        app.command(name, rich_help_panel="Servers")(command)


async def up(
    options: GlobalOptions,  # noqa: ARG001 - every body takes the global options
    data: DataOption = None,
    host: HostOption = "127.0.0.1",
    advertise: AdvertiseOption = None,
    namesrv_port: port_option("--namesrv-port") = 9876,  # type: ignore[valid-type]
    broker_port: port_option("--broker-port") = 10911,  # type: ignore[valid-type]
    flush: FlushOption = Flush.ASYNC,
    max_connections: ConnectionsOption = None,
    ready_file: ReadyOption = None,
    tls: TlsSettings | None = None,
) -> None:
    """Start a name server and a broker in one process; Ctrl-C stops both."""
    from rocketmq_lite.cli.broker_settings import broker_settings
    from rocketmq_lite.transport.tls import own_context

    serving.require_advertised(host, advertise)
    directory = data or serving.default_data_directory()
    async with serving.running_namesrv(
        host=host, port=namesrv_port, data=directory, tls=tls, port_option="--namesrv-port"
    ) as namesrv_bound:
        settings = broker_settings(
            None,
            namesrv=serving.address_from_here(namesrv_bound),
            host=host,
            advertise=advertise,
            port=broker_port,
            data=directory,
            flush=flush.value,
            max_connections=max_connections,
            tls=tls,
        )
        namesrv_address = serving.address_for_others(namesrv_bound, advertise)
        async with serving.running_broker(
            settings, to_namesrv=own_context(settings.tls), port_option="--broker-port"
        ) as broker_address:
            with serving.stop_signals() as asked_to_stop:
                serving.write_ready_file(ready_file, {"namesrv": namesrv_address, "broker": broker_address})
                _announce({"name server": namesrv_address, "broker": broker_address, "data": str(directory)})
                _suggest(namesrv_address, settings.tls)
                await asked_to_stop()


async def namesrv(
    options: GlobalOptions,  # noqa: ARG001
    host: HostOption = "127.0.0.1",
    port: port_option("--port") = 9876,  # type: ignore[valid-type]
    data: DataOption = None,
    ready_file: ReadyOption = None,
    tls: TlsSettings | None = None,
) -> None:
    """Start a name server."""
    directory = data or serving.default_data_directory()
    async with serving.running_namesrv(
        host=host, port=port, data=directory, tls=tls, port_option="--port"
    ) as address:
        with serving.stop_signals() as asked_to_stop:
            serving.write_ready_file(ready_file, {"namesrv": address})
            _announce({"name server": address})
            await asked_to_stop()


async def broker(
    options: GlobalOptions,
    config: ConfigOption = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Name of the broker (of its replica group).", show_default="broker-a"),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help="Cluster that the broker belongs to.", show_default="DefaultCluster"),
    ] = None,
    flush: Annotated[
        Flush | None,
        typer.Option(
            "--flush", help="Acknowledge after the write, or after the fsync.", show_default="async"
        ),
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on.", show_default="127.0.0.1")
    ] = None,
    advertise: AdvertiseOption = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=0,
            max=65535,
            metavar="PORT",
            help="Port to listen on; 0 picks a free one.",
            show_default="10911",
        ),
    ] = None,
    data: DataOption = None,
    max_connections: ConnectionsOption = None,
    ready_file: ReadyOption = None,
    tls: TlsSettings | None = None,
) -> None:
    """Start a broker; it registers with the name servers that -n, the file or the environment names."""
    from rocketmq_lite.cli.broker_settings import broker_settings
    from rocketmq_lite.transport.tls import broker_context

    settings = broker_settings(
        config,
        namesrv=options.namesrv,
        name=name,
        cluster=cluster,
        flush=None if flush is None else flush.value,
        host=host,
        advertise=advertise,
        port=port,
        data=data,
        max_connections=max_connections,
        tls=tls,
    )
    names = ";".join(settings.namesrv)
    async with serving.running_broker(
        settings, to_namesrv=broker_context(settings.tls), port_option="--port"
    ) as address:
        with serving.stop_signals() as asked_to_stop:
            serving.write_ready_file(ready_file, {"broker": address} | ({"namesrv": names} if names else {}))
            _announce(
                {
                    "broker": f"{address} ({settings.name} in {settings.cluster})",
                    "name servers": names or "none",
                }
            )
            await asked_to_stop()


def _announce(facts: dict[str, str]) -> None:
    sys.stdout.writelines(f"{what:<12} {value}\n" for what, value in facts.items())
    sys.stdout.flush()


def _suggest(namesrv_address: str, tls: TlsSettings) -> None:
    """The two next commands, with the address only where the default would not find it."""
    where = "" if namesrv_address == "127.0.0.1:9876" else f" -n {namesrv_address}"
    where += " --tls" if tls.mode == "enforcing" else ""
    sys.stdout.write(
        "\nIn another terminal:\n"
        f"  {_program()} msg send hello world{where}\n"
        f"  {_program()} msg tail hello --from earliest{where}\n"
        "\nCtrl-C stops.\n"
    )
    sys.stdout.flush()


def _program() -> str:
    """How the user can call us again: the path he used, unless the PATH finds it."""
    import shutil

    used = Path(sys.argv[0])
    if used.name != "rmq":
        return f"{sys.executable} -m rocketmq_lite"
    return "rmq" if shutil.which("rmq") else str(used)
